#include "engine/service/service.h"

#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/pipeline/export.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/png.h"
#include "engine/pipeline/report.h"
#include "engine/pipeline/resident.h"
#include "engine/pipeline/sensitivity.h"
#include "engine/protocol/address_space.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "engine/service/judged_images.h"
#include "engine/service/hardware.h"
#include "engine/service/memory_estimate.h"
#include "engine/service/models.h"
#include "engine/service/scorer.h"
#include "metrics/image.h"
#include "quant/precision_info.h"
#include "quant/quantizer.h"

#include <spdlog/fmt/fmt.h>

#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::service {
namespace {

void append(std::vector<protocol::LayerEntry>& out, const std::string& component, const std::vector<model::LayerInfo>& layers) {
  for (const model::LayerInfo& layer : layers) out.push_back({component, layer.name, layer.precision, layer.shape, layer.bytes});
}

pipeline::Observed observed(const std::vector<std::string>& wanted) {
  pipeline::Observed observe;
  for (const std::string& what : wanted) {
    if (what == "latents") observe.latents = true;
    else if (what == "memory") observe.memory = true;
    else if (what == "flops") observe.flops = true;
    else throw std::invalid_argument("observe: \"" + what + "\" is not known; choose latents, memory, flops");
  }
  return observe;
}

// Threads that cannot be started end the program in libgomp, and those that can find their stacks in the same address space.
void needRoomForThreads() {
  constexpr std::int64_t kMiB = 1 << 20, kBeside = 64 * kMiB, kUnlimitedStack = 2 * kMiB;
  const auto space = protocol::addressSpace();
  if (!space) return;
  rlimit stack{};
  const bool told = ::getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY;
  const std::int64_t threads = at::get_num_threads(), need = threads * (told ? static_cast<std::int64_t>(stack.rlim_cur) : kUnlimitedStack) + kBeside;
  if (space->left() >= need) return;
  throw std::runtime_error(fmt::format("needs {} MiB of address space with {} thread{}, the limit is {} MiB: raise it (ulimit -v){}",
                                       (space->taken + need + kMiB - 1) / kMiB, threads, threads == 1 ? "" : "s", space->limit / kMiB,
                                       threads == 1 ? "" : ", or use fewer (--threads)"));
}

}  // namespace

Service::Service(ServiceOptions options) : options_(std::move(options)), scorer_(std::make_unique<Scorer>()) {
  if (options_.resident) resident_ = std::make_shared<pipeline::Resident>();
  useThreads();
  needRoomForThreads();
}
Service::~Service() = default;

void Service::useThreads() const {
  at::init_num_threads();
  if (options_.threads > 0) at::set_num_threads(options_.threads);
}

protocol::InitializeResult Service::initialize() const {
  protocol::InitializeResult result;
  result.engine = pipeline::engineBlock(options_.device);
  if (options_.threads > 0) result.engine["threads"] = options_.threads;
  result.engine["hardware"] = hardwareBlock();
  for (const auto& quantizer : quant::quantizers())
    if (const quant::PrecisionInfo* info = quant::precisionInfo(quantizer->name()))
      result.precisions.push_back({std::string(info->id), std::string(info->label), std::string(familyName(info->family)), info->bitsPerWeight,
                                  quantizer->reachesConvolutions()});
  return result;
}

protocol::EstimateResult Service::estimate(const protocol::EstimateParams& params, const Control& control) const { return estimateMemory(params, control); }

protocol::ModelsListResult Service::listModels() const { return service::listModels(); }

protocol::DownloadResult Service::download(const protocol::DownloadParams& params, const Control& control) const { return downloadModel(params, control); }

// Shapes alone: nothing is read but the files' headers.
protocol::InspectResult Service::inspect(const protocol::InspectParams& params, const Control& control) {
  const auto folder = resolveModel(params.model);
  const quant::Policy policy = quant::parseSchedule(params.precision).front().policy;
  const model::ModelSummary summary = model::inspectFolder(folder);
  protocol::InspectResult result{summary.name, summary.family, params.hash ? pipeline::HashCache().weightsHash(folder) : "", 0, {}};
  model::LoadOptions options;
  options.compute = quant::quantizer(policy.precision).computeType();
  options.onLayer = [&](std::size_t done, std::size_t total) {
    if (control.cancel && *control.cancel) throw pipeline::Cancelled();
    if (control.progress) control.progress("load", static_cast<int>(done), static_cast<int>(total));
  };
  options.device = at::kMeta;
  pipeline::measureLayers(options, policy);
  const model::Family& family = model::familyOf(folder);
  append(result.layers, "text_encoder", family.loadTextEncoders(folder, options)->layers());
  append(result.layers, "vae", family.loadAutoencoder(folder, options)->layers());
  options.keeps = pipeline::keepingRule(policy);
  append(result.layers, std::string(family.info().denoiser), family.loadDenoiser(folder, options)->layers());
  for (const protocol::LayerEntry& layer : result.layers) result.bytes += layer.bytes;
  return result;
}

pipeline::Sample Service::sample(const protocol::GenerateParams& params, const Control& control) {
  return std::move(batch(params, {}, control).front());
}

std::vector<pipeline::Sample> Service::batch(const protocol::GenerateParams& params, std::vector<protocol::Recipe> more, const Control& control) {
  processFloor();   // before the first model
  if (params.precision == "auto") return params.max_error > 0 ? accurate(params, more, control) : fitting(params, more, control);
  pipeline::SampleRequest request;
  const std::vector<quant::StepSpan> schedule = quant::parseSchedule(params.precision);
  request.policy = schedule.front().policy;
  if (schedule.size() > 1 || schedule.front().last >= 0) request.schedule = schedule;
  request.calibration = params.calibration;
  request.offload = pipeline::parseOffload(params.offload);
  if (params.cache) request.packedCache = pipeline::defaultPackedCache();
  request.model = resolveModel(params.model);
  request.recipe = params.recipe;
  request.more = std::move(more);
  if (!params.image.empty()) {
    metrics::Image image = metrics::decodeImage(protocol::fromBase64(params.image));
    request.image = pipeline::RgbImage{image.width, image.height, std::move(image.pixels)};
  }
  for (const protocol::Lora& lora : params.loras) request.adapters.push_back({lora.file, lora.scale});
  request.observe = observed(params.observe);
  request.device = options_.device;
  request.resident = resident_;
  request.noise = control.noise;
  request.progress = control.progress;
  request.cancel = control.cancel;
  return sampler_.generateBatch(request);
}

protocol::ScanResult Service::scan(const protocol::ScanParams& params, const Control& control) {
  processFloor();
  pipeline::ScanRequest request{.sample = {}, .low = quant::parsePolicy(params.precision), .prompts = params.prompts, .byBlock = params.blocks, .known = {}};
  for (const protocol::ScannedGroup& group : params.known) request.known[group.name] = {group.before, group.after, group.error};
  request.sample.model = resolveModel(params.model);
  request.sample.policy = quant::parsePolicy(params.reference);
  request.sample.recipe = params.recipe;
  request.sample.device = options_.device;
  request.sample.progress = control.progress;
  request.sample.cancel = control.cancel;
  pipeline::Sensitivity sensitivity(request);
  const pipeline::Scan& scan = sensitivity.scan();
  protocol::ScanResult result{{}, scan.all, scan.bytesBefore, scan.bytesAfter, {}};
  for (const pipeline::ScannedGroup& group : scan.groups) {
    protocol::ScannedGroup& out = result.groups.emplace_back(protocol::ScannedGroup{group.name, {}, group.before, group.after, group.error});
    for (const pipeline::ScannedLayer& layer : group.layers) out.layers.push_back(layer.name);
  }
  if (params.max_error > 0 || params.max_bytes > 0) {
    const pipeline::FoundPolicy found = sensitivity.find({params.max_error, params.max_bytes});
    result.found = protocol::FoundPolicy{found.policy, found.low, found.predicted, found.measured, found.bytes, found.checks};
  }
  pipeline::trimHeap();
  return result;
}

std::vector<pipeline::Sample> Service::accurate(protocol::GenerateParams params, const std::vector<protocol::Recipe>& more, const Control& control) {
  const protocol::ScanParams scan{.model = params.model, .precision = "bnb-nf4", .recipe = params.recipe, .prompts = {params.recipe.prompt}, .blocks = true, .max_error = params.max_error};
  const protocol::FoundPolicy found = this->scan(scan, control).found.value();
  params.precision = found.policy;
  std::vector<pipeline::Sample> samples = batch(params, more, control);
  for (pipeline::Sample& sample : samples)
    sample.report["auto"] = {{"precision", found.policy}, {"max_error", params.max_error}, {"measured_error", found.measured}, {"bytes", found.bytes},
                             {"why", fmt::format("NF4 in {} blocks puts the latents {:.3g} off those of bf16; {:.3g} is allowed", found.low.size(), found.measured, params.max_error)}};
  return samples;
}

// Down the ladder: what should fit may still fail, because others use the machine, too.
std::vector<pipeline::Sample> Service::fitting(protocol::GenerateParams params, const std::vector<protocol::Recipe>& more, const Control& control) {
  const auto model = resolveModel(params.model);
  const auto& ladder = pipeline::autoLadder();
  nlohmann::json failed = nlohmann::json::array();
  for (std::size_t from = 0; from < ladder.size();) {
    const pipeline::AutoChoice choice = pipeline::choosePrecision(model, params.recipe, 1 + more.size(), params.max_memory, from);
    params.precision = choice.precision;
    try {
      std::vector<pipeline::Sample> samples = batch(params, more, control);
      for (pipeline::Sample& sample : samples)
        sample.report["auto"] = {{"precision", choice.precision}, {"why", choice.why}, {"limit_bytes", choice.limit}, {"needs_bytes", choice.needs}, {"failed", failed}};
      return samples;
    } catch (...) {
      const protocol::RpcError error = describe(std::current_exception());
      from = static_cast<std::size_t>(std::ranges::find(ladder, choice.precision) - ladder.begin()) + 1;
      if (error.code != protocol::OutOfMemory || from == ladder.size()) throw;
      failed.push_back(choice.precision + ": " + error.what());
      pipeline::trimHeap();
    }
  }
  throw std::logic_error("the ladder of precisions is empty");
}

protocol::GenerateResult Service::generate(const protocol::GenerateParams& params, const Control& control) {
  pipeline::Sample made = sample(params, control);
  protocol::GenerateResult result{protocol::toBase64(pipeline::encodePng(made.image)), std::move(made.report)};
  for (const at::Tensor& call : made.trajectory) {
    const at::Tensor values = call.contiguous();
    result.latents.push_back(protocol::toBase64({static_cast<const std::uint8_t*>(values.data_ptr()), values.nbytes()}));
  }
  return result;
}

protocol::ExportResult Service::exportVariant(const protocol::ExportParams& params, const Control& control) {
  if (params.out.empty()) throw std::invalid_argument("out names no folder");
  processFloor();
  pipeline::ExportRequest request{.model = resolveModel(params.model), .out = params.out, .policy = quant::parsePolicy(params.precision), .recipe = {}};
  if (!params.images.empty()) request.images = judgedImages(params.images, request.policy, pipeline::HashCache().weightsHash(request.model));
  if (params.recipe) request.recipe = *params.recipe;
  else if (!request.images.empty() && !request.images.front().recipe.prompt.empty()) request.recipe = request.images.front().recipe;
  else throw std::invalid_argument("no recipe for run.py: give a prompt, or judged pictures with their report");
  request.force = params.force;
  request.progress = control.progress;
  request.cancel = control.cancel;
  pipeline::ExportResult made = pipeline::exportModel(request);
  return {params.out, made.bytes, std::move(made.manifest)};
}

protocol::ScoreResult Service::score(const protocol::ScoreParams& params) {
  processFloor();
  return scorer_->score(params);
}

}  // namespace quantspot::service
