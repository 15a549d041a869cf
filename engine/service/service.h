// What the engine can do, as plain functions: the programs call them directly or through a Server.
#pragma once

#include "engine/pipeline/sampler.h"
#include "engine/protocol/messages.h"

#include <atomic>
#include <memory>

namespace quantspot::service {

struct ServiceOptions {
  int threads = 0;                       // 0: libtorch's choice
  std::string device = "cpu";
  bool resident = false;                 // the variant that was drawn last stays in memory
};

// What a request brings besides its parameters.
struct Control {
  std::function<void(const std::string& stage, int step, int steps)> progress;
  const std::atomic<bool>* cancel = nullptr;
  std::optional<at::Tensor> noise;       // --latents-in
};

class Scorer;

// initialize() and listModels() may be called from any thread; the others from one at a time, after useThreads() in it.
// All throw; service/errors.h says what each exception means.
class Service {
 public:
  explicit Service(ServiceOptions options);
  ~Service();

  void useThreads() const;               // libtorch's thread count belongs to the calling thread
  protocol::InitializeResult initialize() const;
  protocol::ModelsListResult listModels() const;
  protocol::DownloadResult download(const protocol::DownloadParams& params, const Control& control) const;   // the only one that uses a network
  protocol::InspectResult inspect(const protocol::InspectParams& params, const Control& control);
  pipeline::Sample sample(const protocol::GenerateParams& params, const Control& control);
  // The picture of `params` and those of `more` in one pass; see Sampler::generateBatch().
  std::vector<pipeline::Sample> batch(const protocol::GenerateParams& params, std::vector<protocol::Recipe> more, const Control& control);
  protocol::GenerateResult generate(const protocol::GenerateParams& params, const Control& control);
  protocol::EstimateResult estimate(const protocol::EstimateParams& params, const Control& control) const;   // reads headers only
  protocol::ScanResult scan(const protocol::ScanParams& params, const Control& control);
  protocol::ExportResult exportVariant(const protocol::ExportParams& params, const Control& control);   // see pipeline::exportModel()
  protocol::ScoreResult score(const protocol::ScoreParams& params);

 private:
  // "auto": under an error of the latents, or in the memory that there is.
  std::vector<pipeline::Sample> accurate(protocol::GenerateParams params, const std::vector<protocol::Recipe>& more, const Control& control);
  std::vector<pipeline::Sample> fitting(protocol::GenerateParams params, const std::vector<protocol::Recipe>& more, const Control& control);

  ServiceOptions options_;
  pipeline::Sampler sampler_;
  std::shared_ptr<pipeline::Resident> resident_;   // null: nothing stays
  std::unique_ptr<Scorer> scorer_;
};

}  // namespace quantspot::service
