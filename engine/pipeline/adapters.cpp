#include "engine/pipeline/adapters.h"

#include "engine/model/folder.h"
#include "engine/model/lora.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <mutex>
#include <set>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

// Sums of squares over the first product of every layer.
struct Effect {
  std::mutex mutex;
  double update = 0, output = 0;
};

double squares(const at::Tensor& x) { return x.to(at::kDouble).pow(2).sum().item<double>(); }

std::unique_ptr<quant::Linear> plainLinear(const at::Tensor& weight, std::string_view precision) {
  const quant::Quantizer& quantizer = quant::quantizer(precision);
  return quantizer.linear(quantizer.pack(weight), std::nullopt);
}

class LoraLinear final : public quant::Linear {
 public:
  LoraLinear(std::unique_ptr<quant::Linear> base, const model::LoraUpdate& update, double scale, const at::Device& device, Effect& effect)
      : base_(std::move(base)), down_(plainLinear(update.down.to(device), compute())), up_(plainLinear(update.up.to(device), compute())),
        scale_(update.scale * scale), effect_(effect) {}

  at::Tensor forward(const at::Tensor& x) const override {
    const at::Tensor output = base_->forward(x), update = up_->forward(down_->forward(x)) * scale_;
    measure(output, update);
    return output + update;
  }
  std::string_view precision() const override { return base_->precision(); }
  std::int64_t bytes() const override { return base_->bytes() + down_->bytes() + up_->bytes(); }
  std::int64_t inFeatures() const override { return base_->inFeatures(); }
  std::int64_t outFeatures() const override { return base_->outFeatures(); }

 private:
  std::string_view compute() const { return quant::plainPrecision(quant::quantizer(base_->precision()).computeType()); }

  void measure(const at::Tensor& output, const at::Tensor& update) const {
    const std::lock_guard lock(effect_.mutex);
    if (std::exchange(measured_, true)) return;
    effect_.update += squares(update);
    effect_.output += squares(output);
  }

  std::unique_ptr<quant::Linear> base_, down_, up_;
  double scale_;
  Effect& effect_;
  mutable bool measured_ = false;
};

}  // namespace

struct Adapters::File {
  std::filesystem::path path;
  double scale = 1;
  std::map<std::string, model::LoraUpdate> updates;
  std::set<std::string> used;
  Effect effect;
};

Adapters::Adapters(const std::vector<Adapter>& adapters) {
  for (const Adapter& adapter : adapters) {
    auto file = std::make_unique<File>();
    file->path = adapter.file;
    file->scale = adapter.scale;
    file->updates = model::readLora(adapter.file);
    files_.push_back(std::move(file));
  }
}

Adapters::~Adapters() = default;

std::unique_ptr<quant::Linear> Adapters::around(const std::string& name, std::unique_ptr<quant::Linear> layer, const at::Device& device) {
  for (const auto& file : files_) {
    const auto found = file->updates.find(model::loraName(name));
    if (found == file->updates.end()) continue;
    const model::LoraUpdate& update = found->second;
    if (update.down.size(1) != layer->inFeatures() || update.up.size(0) != layer->outFeatures())
      throw model::ModelError(fmt::format("{}: the update of {} is for [{}, {}], the layer is [{}, {}]", file->path.string(), name, update.up.size(0),
                                          update.down.size(1), layer->outFeatures(), layer->inFeatures()));
    layer = std::make_unique<LoraLinear>(std::move(layer), update, file->scale, device, file->effect);
    file->used.insert(found->first);
  }
  return layer;
}

void Adapters::check() const {
  for (const auto& file : files_)
    if (file->used.empty())
      throw model::ModelError(fmt::format("{}: none of its {} layers is in this model ('{}' is one of them)", file->path.string(), file->updates.size(),
                                          file->updates.begin()->first));
}

nlohmann::json Adapters::report() const {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& file : files_) {
    std::vector<std::string> unmatched;
    for (const auto& [name, update] : file->updates)
      if (!file->used.contains(name)) unmatched.push_back(name);
    const double effect = file->effect.output > 0 ? std::sqrt(file->effect.update / file->effect.output) : 0;
    all.push_back({{"file", file->path.filename().string()}, {"scale", file->scale}, {"layers", file->used.size()}, {"unmatched", unmatched}, {"effect", effect}});
  }
  return all;
}

}  // namespace quantspot::pipeline
