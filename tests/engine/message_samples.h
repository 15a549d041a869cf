// One of each message between programs and engine, with every field set and no list empty.
#pragma once

#include "engine/protocol/messages.h"
#include "engine/protocol/read.h"

#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace quantspot::test {

struct Sample {
  using Place = nlohmann::json::json_pointer;
  std::string name;
  nlohmann::json whole;
  std::function<void(const nlohmann::json&)> read;
  std::vector<std::pair<std::string, Place>> holds;   // definitions of the schema, and where one is
  std::set<std::string> mayLack = {};                 // null means that they are absent
  std::set<std::string> untyped = {};                 // any JSON
};

inline protocol::Recipe sampleRecipe() {
  protocol::Recipe recipe;
  recipe.prompt = "a fox", recipe.negative_prompt = "a hen", recipe.scheduler = "euler", recipe.seed = ~std::uint64_t{0};
  recipe.guidance = 2.5, recipe.true_cfg = 1.5, recipe.guidance_rescale = 0.5, recipe.clip_skip = 1;
  recipe.original_size = recipe.target_size = recipe.crop = std::array{8, 16};
  recipe.strength = 0.5, recipe.max_sequence_length = 64;
  recipe.prompt_weights = recipe.vae_tiling = recipe.vae_slicing = recipe.bin_size = true;
  return recipe;
}

inline nlohmann::json sampleReport() {
  const std::string hash(64, 'a');
  nlohmann::json report = nlohmann::json::parse(R"({"schema": 1, "engine": {"version": "1", "libtorch": "2", "device": "cpu", "cpu_features": ["avx2"], "threads": 2},
    "model": {"name": "x", "family": "flux"}, "precision": "bf16", "policy": {"skip": ["x"], "layers": {"a": "bf16"}, "text": "bf16"},
    "seconds": {"load": 0.5, "quantize": 0.5, "load_text": 0.5, "encode": 0.5, "calibrate": 0.5, "steps": [0.5], "decode": 0.5, "total": 1.5},
    "peak_bytes": {"load": 4, "encode": 5, "denoise": 6, "decode": 7}, "device_peak_bytes": {"load": 1, "encode": 2, "denoise": 3, "decode": 4},
    "floor_bytes": 3, "prompt_reused": false, "batch": 1, "memory_over_time": [[0.5, 7.5]], "packed_cache": {"transformer": "read"}, "calibration_prompts": 2,
    "flops": {"linear": 1, "attention": 2, "convolution": 3, "total": 6, "calls": 1}, "fallbacks": [{"layer": "a", "asked": "b", "used": "c", "why": "d"}],
    "loras": [{"file": "x", "scale": 0.5, "layers": 4, "unmatched": ["y"], "effect": 0.5}], "activation_scales": {"a": {"input": 0.5, "output": 0.5}},
    "auto": {"precision": "bf16", "why": "it fits", "limit_bytes": 9, "needs_bytes": 8, "failed": ["fp32"]}, "truncated": ["cut"]})");
  const nlohmann::json component = {{"bytes", 4}, {"layers", {{{"name", "a"}, {"precision", "bf16"}, {"shape", {2, 1}}, {"bytes", 4}}}}};
  for (const char* part : {"transformer", "unet", "text_encoder", "vae"}) report["weights"][part] = component;
  report["noise_sha256"] = report["image_sha256"] = report["model"]["weights_sha256"] = hash;
  report["recipe"] = sampleRecipe();
  return report;
}

template <class Message>
Sample sampleOf(const std::string& name, const Message& message, std::vector<std::pair<std::string, std::string>> inside = {},
                std::set<std::string> mayLack = {}, std::set<std::string> untyped = {}) {
  Sample sample{name, message, [](const nlohmann::json& json) { protocol::readMessage<Message>(json); }, {{name, Sample::Place()}}, std::move(mayLack),
                std::move(untyped)};
  for (const auto& [definition, place] : inside) {
    sample.holds.emplace_back(definition, Sample::Place(place));
    const std::string recipe = place.substr(1) == "recipe" ? "recipe." : place == "/report/recipe" ? "report.recipe." : "";
    if (definition != "Recipe") continue;
    for (const char* key : {"negative_prompt", "guidance", "original_size", "target_size", "crop", "strength", "max_sequence_length"})
      sample.mayLack.insert(recipe + key);
  }
  return sample;
}

inline std::vector<Sample> messageSamples() {
  using namespace protocol;
  const Recipe recipe = sampleRecipe();
  const ScannedGroup group{"block", {"block.q"}, 2, 1, 0.1};
  ScoreParams score{"lpips", "aa", "bb", "x", "default", "clip", {"w"}};
  score.images = score.references = {"aa"}, score.image_features = score.reference_features = {{0.5f, 0.25f}}, score.reference_file = "aa", score.paired = true;
  ScoreResult scored{"cmmd", "CMMD", 20.5};
  scored.ci95 = {19.5, 20.5}, scored.published = 21.5, scored.weights_sha256 = "ab", scored.warnings = {"few"}, scored.features = {{0.5f}};
  GenerateParams generate{"default", "bf16", recipe, "none", {{"x.safetensors", 0.5}}};
  generate.max_memory = 9, generate.max_error = 0.5, generate.image = "aa", generate.calibration = {"a fox"}, generate.observe = {"flops"};
  ModelTraits traits;
  traits.family = "flux", traits.schedulers = {{"ddim", "DDIM"}}, traits.classes = {{"1", "goldfish"}}, traits.guidance = 3.5;
  ScanParams scan;
  scan.precision = "bnb-nf4", scan.recipe = recipe, scan.prompts = {"a fox"}, scan.max_error = 0.5, scan.known = {group};
  const ScanResult scanned{{group}, 0.5, 2, 1, FoundPolicy{"bf16", {"block"}, 0.5, 0.25, 3, 1}};
  const PlacementBytes placement{"model", {1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  return {
      sampleOf("GenerateParams", generate, {{"Recipe", "/recipe"}, {"Lora", "/loras/0"}}),
      sampleOf("GenerateResult", GenerateResult{"aa", sampleReport(), {"bb"}},
               {{"Report", "/report"}, {"Recipe", "/report/recipe"}, {"Component", "/report/weights/vae"}, {"LoraEffect", "/report/loras/0"}}, {},
               {"report.policy.layers", "report.policy.layers.a"}),
      sampleOf("ScoreParams", score),
      sampleOf("ScoreResult", scored, {}, {"value", "ci95", "published"}),
      sampleOf("OfferedParams", OfferedParams{}),
      sampleOf("OfferedResult", OfferedResult{{{"fid", "set", "fid", "FID", "fid", "alex", "x", true, "inception", "ab", 64}}}, {{"OfferedMetric", "/metrics/0"}}),
      sampleOf("MetricsListResult", MetricsListResult{"/x", {{"inception", "FID", "MIT", {"https://x"}, 1, true}}}, {{"MetricWeightsEntry", "/metrics/0"}}),
      sampleOf("MetricDownloadParams", MetricDownloadParams{"inception"}),
      sampleOf("MetricDownloadResult", MetricDownloadResult{"inception", "/x"}),
      sampleOf("InitializeResult", InitializeResult{kProtocolVersion, {{"x", 1}}, {{"fp32", "FP32", "bf16", 32.5}}}, {{"PrecisionInfo", "/precisions/0"}}, {},
               {"engine", "engine.x"}),
      sampleOf("ModelsListResult", ModelsListResult{{{"default", "/x", "flux", 1, {"vae is missing"}}}}, {{"ModelEntry", "/models/0"}}),
      sampleOf("DownloadParams", DownloadParams{"a/b", "main", {"*"}}),
      sampleOf("DownloadResult", DownloadResult{"a/b", "/x", "0", "mit", 4, 100, 50}),
      sampleOf("InspectParams", InspectParams{}),
      sampleOf("InspectResult", InspectResult{"x", "flux", "ab", 1, {{"vae", "decoder", "bf16", {1, 2}, 4}}}, {{"LayerEntry", "/layers/0"}}),
      sampleOf("TraitsParams", TraitsParams{}),
      sampleOf("ModelTraits", traits, {{"Choice", "/schedulers/0"}}),
      sampleOf("FitParams", FitParams{{{64, 32}}}),
      sampleOf("FitResult", FitResult{{{{"gguf-q4_k", "gguf-q5_0"}}}}),
      sampleOf("ScanParams", scan, {{"Recipe", "/recipe"}, {"ScannedGroup", "/known/0"}}),
      sampleOf("ScanResult", scanned, {{"ScannedGroup", "/groups/0"}, {"FoundPolicy", "/found"}}, {"found"}),
      sampleOf("ExportParams", ExportParams{"default", "bnb-nf4", "/x", "/y", recipe, true}, {{"Recipe", "/recipe"}}, {"recipe"}),
      sampleOf("ExportResult", ExportResult{"/x", 1, {{"x", 1}}}, {}, {}, {"manifest", "manifest.x"}),
      sampleOf("EstimateParams", EstimateParams{"default", {"bf16"}, recipe, 1, false}, {{"Recipe", "/recipe"}}),
      sampleOf("EstimateResult", EstimateResult{{{"bf16", "none", {placement}}}, 5},
               {{"EstimateEntry", "/entries/0"}, {"PlacementBytes", "/entries/0/placements/0"}, {"PhaseBytes", "/entries/0/placements/0/encode"}}),
      sampleOf("CancelParams", CancelParams{3}),
      sampleOf("Progress", Progress{1, "denoise", 2, 20}),
      sampleOf("LogLine", LogLine{"warning", "cut"}),
  };
}

// Whole numbers that programs hold in 32 bits: message and place.
inline std::vector<std::pair<std::string, std::string>> narrowFields() {
  return {{"GenerateParams", "/recipe/steps"}, {"GenerateParams", "/recipe/width"}, {"GenerateParams", "/recipe/height"}, {"GenerateParams", "/recipe/clip_skip"},
          {"GenerateParams", "/recipe/max_sequence_length"}, {"GenerateParams", "/recipe/crop/1"}, {"OfferedResult", "/metrics/0/smallest"},
          {"InitializeResult", "/protocol"}, {"ModelTraits", "/multiple"}, {"ModelTraits", "/width"}, {"ModelTraits", "/height"}, {"ModelTraits", "/steps"},
          {"ScanResult", "/found/checks"}, {"EstimateParams", "/batch"}, {"Progress", "/step"}, {"Progress", "/steps"}};
}

}  // namespace quantspot::test
