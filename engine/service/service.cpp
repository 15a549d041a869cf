#include "engine/service/service.h"

#include "engine/model/components.h"
#include "engine/model/folder.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/png.h"
#include "engine/pipeline/report.h"
#include "engine/protocol/base64.h"
#include "engine/service/models.h"
#include "engine/service/scorer.h"
#include "quant/precision_info.h"
#include "quant/quantizer.h"

#include <ATen/Parallel.h>

#include <stdexcept>

namespace quantspot::service {
namespace {

void append(std::vector<protocol::LayerEntry>& out, const std::string& component, const std::vector<model::LayerInfo>& layers) {
  for (const model::LayerInfo& layer : layers) out.push_back({component, layer.name, layer.precision, layer.shape, layer.bytes});
}

}  // namespace

Service::Service(ServiceOptions options) : options_(std::move(options)), scorer_(std::make_unique<Scorer>()) { useThreads(); }
Service::~Service() = default;

void Service::useThreads() const {
  at::init_num_threads();
  if (options_.threads > 0) at::set_num_threads(options_.threads);
}

protocol::InitializeResult Service::initialize() const {
  protocol::InitializeResult result;
  result.engine = pipeline::engineBlock(options_.device);
  if (options_.threads > 0) result.engine["threads"] = options_.threads;
  for (const auto& quantizer : quant::quantizers())
    if (const quant::PrecisionInfo* info = quant::precisionInfo(quantizer->name()))
      result.precisions.push_back({std::string(info->id), std::string(info->label), std::string(familyName(info->family)), info->bitsPerWeight});
  return result;
}

protocol::ModelsListResult Service::listModels() const { return service::listModels(); }

// Component by component, so that only one of them is in memory.
protocol::InspectResult Service::inspect(const protocol::InspectParams& params, const Control& control) {
  const auto folder = resolveModel(params.model);
  const quant::Policy policy = quant::parsePolicy(params.precision);
  const model::ModelSummary summary = model::inspectFolder(folder);
  protocol::InspectResult result{summary.name, summary.family, pipeline::HashCache().weightsHash(folder), 0, {}};
  model::LoadOptions options;
  options.compute = quant::quantizer(policy.precision).computeType();
  options.onLayer = [&](std::size_t done, std::size_t total) {
    if (control.cancel && *control.cancel) throw pipeline::Cancelled();
    if (control.progress) control.progress("load", static_cast<int>(done), static_cast<int>(total));
  };
  append(result.layers, "text_encoder", model::loadTextEncoders(folder, options)->layers());
  append(result.layers, "vae", model::loadAutoencoder(folder, options)->layers());
  options.linear = pipeline::packingFactory(policy);
  options.keeps = pipeline::keepingRule(policy);
  append(result.layers, "transformer", model::loadTransformer(folder, options)->layers());
  pipeline::trimHeap();
  for (const protocol::LayerEntry& layer : result.layers) result.bytes += layer.bytes;
  return result;
}

pipeline::Sample Service::sample(const protocol::GenerateParams& params, const Control& control) {
  return std::move(batch(params, {}, control).front());
}

std::vector<pipeline::Sample> Service::batch(const protocol::GenerateParams& params, std::vector<protocol::Recipe> more, const Control& control) {
  if (params.offload != "none") throw std::invalid_argument("offload '" + params.offload + "' is not known; use none");
  pipeline::SampleRequest request;
  request.policy = quant::parsePolicy(params.precision);
  request.model = resolveModel(params.model);
  request.recipe = params.recipe;
  request.more = std::move(more);
  request.device = options_.device;
  request.noise = control.noise;
  request.progress = control.progress;
  request.cancel = control.cancel;
  return sampler_.generateBatch(request);
}

protocol::GenerateResult Service::generate(const protocol::GenerateParams& params, const Control& control) {
  pipeline::Sample made = sample(params, control);
  return {protocol::toBase64(pipeline::encodePng(made.image)), std::move(made.report)};
}

protocol::ScoreResult Service::score(const protocol::ScoreParams& params) { return scorer_->score(params); }

}  // namespace quantspot::service
