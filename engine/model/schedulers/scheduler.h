// Samplers as in diffusers 0.42.1: which timesteps a model is asked for, and how its answers move the sample.
// Every scheduler computes with the same operations, in the same order and the same types as the reference's class of its name.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace quantspot::model {

// float32 noise of a shape, drawn per picture from its generator in order.
using NoiseSource = std::function<at::Tensor(at::IntArrayRef shape)>;

// Tokens of the picture in the transformer; 0: unknown. FLUX's pipeline in the reference brings sigmas of its own, others leave them to the scheduler.
struct ImageTokens {
  ImageTokens(std::int64_t all = 0, bool sigmas = true) : count(all), bringsSigmas(all > 0 && sigmas) {}
  std::int64_t count;
  bool bringsSigmas;
};

// One run at a time: setTimesteps(), then step() for consecutive calls; the first may be any (image-to-image). Not safe from several threads.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // Also resets the state. tokens: for schedules whose shift depends on them. Throws ModelError when this schedule has no such number of steps.
  virtual void setTimesteps(int steps, const ImageTokens& tokens = {}) = 0;
  // One per model call (Heun, PNDM: more than steps), as the model sees them.
  virtual const std::vector<double>& timesteps() const = 0;
  // Calls of one step: image to image begins at a multiple of it.
  virtual int order() const { return 1; }
  // Noise levels (float32, CPU), the last where the sample ends; undefined for schedulers that work on the training steps' alphas alone.
  virtual at::Tensor sigmas() const { return {}; }
  // The starting noise is multiplied by it.
  virtual double initNoiseSigma() const { return 1; }
  // What the model sees of the sample at a call.
  virtual at::Tensor scaleModelInput(const at::Tensor& sample, std::size_t /*call*/) const { return sample; }
  // The sample after a call, from the model's output for it. Calls come in order. noise: needed by those that draw (SchedulerInfo::drawsNoise).
  virtual at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) = 0;
  // A finished picture's latents, noised as they would be at a call (image-to-image).
  virtual at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const = 0;
};

struct SchedulerInfo {
  std::string_view id, label, className;  // id: of --scheduler and of recipes; className: of scheduler_config.json
  bool flow, drawsNoise;                  // flow: for models that were trained on flow matching
};

// Display order.
const std::vector<SchedulerInfo>& schedulerInfos();

// Reads scheduler/scheduler_config.json. Empty id: the scheduler that _class_name means. Another id reuses the keys that it knows, as
// X.from_config(pipeline.scheduler.config) does. Throws ModelError with file and key for values that are unknown or not supported.
std::unique_ptr<Scheduler> loadScheduler(const std::filesystem::path& folder, std::string_view id = {});

}  // namespace quantspot::model
