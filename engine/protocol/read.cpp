#include "engine/protocol/read.h"

#include "engine/protocol/fields.h"

// messages.h lists the fields of each message once, for nlohmann. Here the same lists make the readers that name the field.
#undef NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE
#undef NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT
#define QUANTSPOT_NEED(field) needField(json, #field, message.field);
#define NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, ...) \
  static void readFields(const nlohmann::json& json, Type& message) { NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(QUANTSPOT_NEED, __VA_ARGS__)) }
#define NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Type, ...) QUANTSPOT_READS_FIELDS(Type, __VA_ARGS__)

namespace quantspot::protocol {

struct Recipe;
struct ExportParams;
struct GenerateResult;
struct ScanResult;
struct ScoreResult;
static void readFields(const nlohmann::json& json, Recipe& recipe);
static void readFields(const nlohmann::json& json, ExportParams& params);
static void readFields(const nlohmann::json& json, GenerateResult& result);
static void readFields(const nlohmann::json& json, ScanResult& result);
static void readFields(const nlohmann::json& json, ScoreResult& result);

}  // namespace quantspot::protocol

#include "engine/protocol/messages.h"
#include "engine/protocol/report_fields.h"

namespace quantspot::protocol {

static void readFields(const nlohmann::json& json, Recipe& r) {
  needField(json, "prompt", r.prompt);
  readField(json, "negative_prompt", r.negative_prompt);
  readField(json, "guidance", r.guidance);
  readField(json, "seed", r.seed);
  readField(json, "steps", r.steps);
  readField(json, "width", r.width);
  readField(json, "height", r.height);
  readField(json, "true_cfg", r.true_cfg);
  readField(json, "scheduler", r.scheduler);
  readField(json, "guidance_rescale", r.guidance_rescale);
  readField(json, "clip_skip", r.clip_skip);
  readField(json, "original_size", r.original_size);
  readField(json, "target_size", r.target_size);
  readField(json, "crop", r.crop);
  readField(json, "strength", r.strength);
  readField(json, "prompt_weights", r.prompt_weights);
  readField(json, "vae_tiling", r.vae_tiling);
  readField(json, "vae_slicing", r.vae_slicing);
  readField(json, "bin_size", r.bin_size);
  readField(json, "max_sequence_length", r.max_sequence_length);
}

static void readFields(const nlohmann::json& json, GenerateResult& result) {
  needField(json, "png", result.png);
  needField(json, "report", result.report);
  readField(json, "latents", result.latents);
  try {
    checkReport(result.report);
    Recipe drawn;
    readField(result.report, "recipe", drawn);
  } catch (const FieldError& error) {
    throw error.in("report");
  }
}

static void readFields(const nlohmann::json& json, ScoreResult& result) {
  std::optional<double> value;
  needField(json, "metric", result.metric);
  needField(json, "label", result.label);
  needField(json, "value", value);
  result.value = value.value_or(std::numeric_limits<double>::infinity());
  readField(json, "n", result.n);
  readField(json, "ci95", result.ci95);
  readField(json, "published", result.published);
  readField(json, "weights_sha256", result.weights_sha256);
  readField(json, "warnings", result.warnings);
  readField(json, "features", result.features);
}

static void readFields(const nlohmann::json& json, ScanResult& result) {
  needField(json, "groups", result.groups);
  needField(json, "all", result.all);
  needField(json, "bytes_before", result.bytes_before);
  needField(json, "bytes_after", result.bytes_after);
  readField(json, "found", result.found);
}

static void readFields(const nlohmann::json& json, ExportParams& params) {
  needField(json, "precision", params.precision);
  needField(json, "out", params.out);
  readField(json, "model", params.model);
  readField(json, "images", params.images);
  readField(json, "recipe", params.recipe);
  readField(json, "force", params.force);
}

template <class Message>
Message readMessage(const nlohmann::json& json) {
  Message message;
  readValue(json, message);
  return message;
}

#define QUANTSPOT_READS(Type) template Type readMessage<Type>(const nlohmann::json& json);
NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(QUANTSPOT_READS, Recipe, Lora, GenerateParams, GenerateResult, ScoreParams, ScoreResult, OfferedParams,
                                         OfferedResult, MetricsListResult, MetricDownloadParams, MetricDownloadResult, InitializeResult,
                                         ModelsListResult, DownloadParams, DownloadResult, InspectParams, InspectResult, TraitsParams, ModelTraits,
                                         FitParams, FitResult, ScanParams, ScanResult, ExportParams, ExportResult, EstimateParams, EstimateResult,
                                         CancelParams, Progress, LogLine))

void checkResult(std::string_view method, const nlohmann::json& result) {
  using Check = void (*)(const nlohmann::json&);
  const auto as = []<class Message>(Message) -> Check { return [](const nlohmann::json& json) { readMessage<Message>(json); }; };
  static const std::map<std::string_view, Check> checks = {
      {"initialize", as(InitializeResult{})}, {"models/list", as(ModelsListResult{})}, {"models/inspect", as(InspectResult{})},
      {"models/traits", as(ModelTraits{})}, {"models/download", as(DownloadResult{})}, {"precisions/fit", as(FitResult{})},
      {"samples/generate", as(GenerateResult{})}, {"metrics/list", as(MetricsListResult{})}, {"metrics/offered", as(OfferedResult{})},
      {"metrics/download", as(MetricDownloadResult{})}, {"metrics/score", as(ScoreResult{})}, {"policies/scan", as(ScanResult{})},
      {"exports/write", as(ExportResult{})}, {"memory/estimate", as(EstimateResult{})}};
  if (const auto found = checks.find(method); found != checks.end()) found->second(result);
}

// What nlohmann's get<>() of these calls.
void from_json(const nlohmann::json& json, Recipe& recipe) { recipe = readMessage<Recipe>(json); }
void from_json(const nlohmann::json& json, GenerateResult& result) { result = readMessage<GenerateResult>(json); }
void from_json(const nlohmann::json& json, ScoreResult& result) { result = readMessage<ScoreResult>(json); }
void from_json(const nlohmann::json& json, ScanResult& result) { result = readMessage<ScanResult>(json); }
void from_json(const nlohmann::json& json, ExportParams& params) { params = readMessage<ExportParams>(json); }

std::optional<std::int64_t> readId(const nlohmann::json& message) {
  const auto id = message.find("id");
  if (id == message.end() || !id->is_number_integer()) return {};
  if (id->is_number_unsigned() && !std::in_range<std::int64_t>(id->get<std::uint64_t>())) return {};
  return id->get<std::int64_t>();
}

}  // namespace quantspot::protocol
