// Messages between the programs and the engine (JSON-RPC 2.0). The schema beside this file is their public form.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::protocol {

inline constexpr int kProtocolVersion = 1;

// Error codes of replies; the first five are JSON-RPC's own.
enum ErrorCode { ParseError = -32700, InvalidRequest = -32600, MethodNotFound = -32601, InvalidParams = -32602, InternalError = -32603, Cancelled = -32800, OutOfMemory = -32001 };

// Everything but the variant that shapes an image. Absent guidance: the family's own default (FLUX: 3.5).
struct Recipe {
  std::string prompt;
  // where the guidance is embedded: used when true_cfg > 1; absent: no second pass, whatever true_cfg says
  std::optional<std::string> negative_prompt;
  std::uint64_t seed = 0;
  int steps = 20, width = 128, height = 128;
  std::optional<double> guidance;
  double true_cfg = 1.0;
  std::string scheduler;                    // empty: the model's own
  double guidance_rescale = 0;              // of classifier-free guidance, 0 … 1
  int clip_skip = 0;                        // last layers of CLIP that are left out, as diffusers counts them
  // told to SDXL: width and height, left and top; absent: the picture's own, no crop
  std::optional<std::array<int, 2>> original_size, target_size, crop;
  std::optional<double> strength;           // image to image: how much of the way from noise is gone, above 0 to 1; absent: 0.8
  bool prompt_weights = false;              // "(word:1.2)" in the prompts weighs words (Stable Diffusion, SDXL)
  bool vae_tiling = false, vae_slicing = false;   // the autoencoder works tile by tile, picture by picture
  bool bin_size = false;                    // PixArt-Σ: drawn at the nearest size that the model was trained on, then resized and cropped
  std::optional<int> max_sequence_length;   // T5 tokens; absent: what the model was made for (its quantspot.json), else 512
  bool operator==(const Recipe&) const = default;
};
void to_json(nlohmann::json& json, const Recipe& recipe);
void from_json(const nlohmann::json& json, Recipe& recipe);   // a missing prompt throws; other keys have the defaults above

struct Lora { std::string file; double scale = 1; };   // a path on the engine's machine

// samples/generate: one variant of one comparison. The engine keeps the prompt embedding and the noise of the last
// recipe, so that the variants of a comparison share them.
struct GenerateParams {
  std::string model;        // folder; "default" is the embedded model
  std::string precision;    // id, policy text, or "auto": the highest that fits max_memory
  Recipe recipe;
  std::string offload = "none";   // "model": the same, parts are never together; "group", "sequential": blocks or layers come and go
  std::vector<Lora> loras = {};   // applied beside the packed weights
  std::int64_t max_memory = 0;    // bytes for "auto"; 0: what is free
  double max_error = 0;           // for "auto" in its place: highest error of the latents against bf16, of a policy that a scan finds
  bool cache = true;              // packed weights are read from the engine's disk, and kept there
  std::string image = {};         // base64 PNG or JPEG of the recipe's size, for image to image; empty: none
  std::vector<std::string> calibration = {};   // prompts, for precisions that scale activations (quanto-int8a8)
  std::vector<std::string> observe = {};       // any of "latents" (after every call), "memory" (over time), "flops" (of the denoiser)
};
struct GenerateResult {
  std::string png;          // base64
  nlohmann::json report;    // see docs: schema 1
  std::vector<std::string> latents = {};   // when observed: float32 after each call of the scheduler, base64
};

// metrics/score. Pictures are base64 PNG or JPEG. psnr, ssim, ms-ssim, gmsd, lpips, dists, clip-image: image against reference;
// clip: image against prompt; fid, kid, cmmd: images against references.
struct ScoreParams {
  std::string metric, image = {}, reference = {}, prompt = {}, model = "default";   // model: whose small CLIP scores, unless clip is given
  // a CLIPModel on the engine's machine: folder, name that `metrics list` shows, owner/name of the hub's cache
  std::string clip = {};
  std::vector<std::string> weights = {};       // files on the engine's machine; empty: what was downloaded there
  std::string net = "alex";                    // of lpips: alex, vgg, squeeze
  std::vector<std::string> images = {}, references = {};
  std::vector<std::vector<float>> image_features = {}, reference_features = {};   // in place of pictures, a row each, of the same weights
  std::string reference_file = {};             // in place of references: a .npz file, base64, of mu and sigma (fid only) or features
  bool return_features = false;                // of images, or of image_features; references may then be absent
  bool paired = false;                         // of sets: row i of both is of one prompt and seed (service::scoreSets)
};
struct ScoreResult {
  std::string metric, label;   // "clip" is labelled "CLIP-tiny" with the embedded model; fid without Inception is "fd-clip-tiny"
  double value = 0;            // PSNR of equal pictures is infinite: null in JSON
  std::int64_t n = 1;          // pictures
  std::optional<std::array<double, 2>> ci95 = {};   // of sets
  std::optional<double> published = {};             // of cmmd and of kid of pairs: the published formula's; value is unbiased
  std::string weights_sha256 = {};
  std::vector<std::string> warnings = {};
  std::vector<std::vector<float>> features = {};
};

// metrics/list, metrics/download: real weights of metrics, kept on the engine's machine. purpose: the metrics that they serve; bytes: about, of all
// that is fetched.
struct MetricWeightsEntry { std::string name, purpose, license; std::vector<std::string> sources; std::int64_t bytes = 0; bool installed = false; };
struct MetricsListResult { std::string folder; std::vector<MetricWeightsEntry> metrics; };
struct MetricDownloadParams { std::string name; };
struct MetricDownloadResult { std::string name, path; };

// metrics/offered: what this engine can score pictures of a model with, by the weights that are there.
struct OfferedParams { std::string model = "default"; };
struct OfferedMetric {
  std::string id, kind;                // id: of a figure, such as "lpips-vgg"; kind: "prompt", "pair", "set"
  std::string gives, label;            // what comes, such as "fd-clip-tiny" while Inception is not there; gives is else id
  std::string metric, net, clip;       // to ask for it: of ScoreParams
  bool ready = true;                   // false: it cannot be taken before `needs` is there
  std::string needs;                   // entry of metrics/list that it lacks, or that something smaller stands in for
  std::string weights_sha256;          // of what scores now; empty: no weights
  int smallest = 0;                    // pixels a side that it needs
};
struct OfferedResult { std::vector<OfferedMetric> metrics; };

// bits: per weight, scales included; convolutions: a rule without "conv:" reaches them, too.
struct PrecisionInfo { std::string id, label, family; double bits = 0; bool convolutions = false; };
struct InitializeResult { int protocol = kProtocolVersion; nlohmann::json engine; std::vector<PrecisionInfo> precisions; };
struct ModelEntry { std::string name, path, family; std::int64_t bytes = 0; std::vector<std::string> missing; };
struct ModelsListResult { std::vector<ModelEntry> models; };
// models/download: from a hub into its cache on the engine's machine; globs in include, empty: what a pipeline needs.
struct DownloadParams { std::string repo, revision = "main"; std::vector<std::string> include = {}; };
struct DownloadResult { std::string name, path, commit, license; std::int64_t files = 0, bytes = 0, fetched = 0; };
struct InspectParams { std::string model = "default", precision = "bf16"; bool hash = true; };   // hash: of all weights, which a large model takes minutes for
struct LayerEntry { std::string component, name, precision; std::vector<std::int64_t> shape; std::int64_t bytes = 0; };
struct InspectResult { std::string name, family, weights_sha256; std::int64_t bytes = 0; std::vector<LayerEntry> layers; };
// models/traits: what the model takes, from its configuration alone; answered at once, whatever else runs.
struct TraitsParams { std::string model = "default"; };
struct Choice { std::string id, label; };
struct ModelTraits {
  std::string family, label;                       // "flux", "FLUX"
  std::vector<Choice> schedulers;                  // that the family takes, in display order
  std::string scheduler;                           // id of the model's own
  int multiple = 16, width = 0, height = 0;        // pixels: sides are multiples of it; the size that it was made for, 0: not said
  int steps = 20;                                  // the family's defaults
  double guidance = 0;
  bool classifier = false;                         // guidance is a second pass, with the negative prompt; else embedded, and true CFG beside it
  bool image_to_image = false, prompt_weights = false, clip_skip = false;
  std::vector<Choice> classes;                     // of models that draw classes: number and names; empty: they read prompts
};
// precisions/fit: which precisions cannot hold weights of these shapes, and what a layer gets in their place. Answered at once.
struct FitParams { std::vector<std::vector<std::int64_t>> shapes; };
struct FitResult { std::vector<std::map<std::string, std::string>> instead; };   // of each shape: precision → the one in its place

// layers: names; before, after: bytes; error: relative, of the final latents.
struct ScannedGroup { std::string name; std::vector<std::string> layers; std::int64_t before = 0, after = 0; double error = 0; };
// policies/scan: each layer (or block) alone at `precision`, the rest at `reference`, by the error of the final latents.
struct ScanParams {
  std::string model = "default", precision, reference = "bf16";
  Recipe recipe;                                   // its prompt is not read; picture i has its seed + i
  std::vector<std::string> prompts;
  bool blocks = false;
  double max_error = 0;                            // above 0: the smallest policy below this error of the latents
  std::int64_t max_bytes = 0;                      // above 0: the best policy below this size of the denoiser
  std::vector<ScannedGroup> known = {};     // of an earlier scan that asked the same: its groups are not measured again
};
struct FoundPolicy { std::string policy; std::vector<std::string> low; double predicted = 0, measured = 0; std::int64_t bytes = 0; int checks = 0; };
struct ScanResult { std::vector<ScannedGroup> groups; double all = 0; std::int64_t bytes_before = 0, bytes_after = 0; std::optional<FoundPolicy> found; };
// exports/write: a variant as files to deploy, in a folder on the engine's machine. images: the judged pictures' folder, report or file there.
struct ExportParams { std::string model = "default", precision, out, images; std::optional<Recipe> recipe = {}; bool force = false; };   // no recipe: that of the pictures
struct ExportResult { std::string out; std::int64_t bytes = 0; nlohmann::json manifest; };
// memory/estimate: what each precision needs, from shapes alone. gpu: as on a GPU, else on the engine's CPU.
struct EstimateParams {
  std::string model = "default";
  std::vector<std::string> precisions;
  Recipe recipe;                                   // its size, guidance and tiling count
  int batch = 1;
  bool gpu = false;
};
struct PhaseBytes { std::int64_t weights = 0, activations = 0, reserve = 0; };
struct PlacementBytes { std::string name; PhaseBytes encode, denoise, decode; };   // name: together, model, group, sequential
struct EstimateEntry { std::string precision, error; std::vector<PlacementBytes> placements; };   // error: why there is none
struct EstimateResult { std::vector<EstimateEntry> entries; std::int64_t process_bytes = 0; };   // what the engine itself holds
struct CancelParams { std::int64_t id = 0; };

// Notification `progress`: of the request with this id. stage: encode, load, denoise, decode; download (in MiB).
struct Progress { std::int64_t id = 0; std::string stage; int step = 0, steps = 0; };
// Notification `log`: a line for the user's log; level: info, warning.
struct LogLine { std::string level, message; };

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Lora, file, scale)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GenerateParams, model, precision, recipe, offload, loras, max_memory, max_error, cache, image, calibration, observe)
void to_json(nlohmann::json& json, const GenerateResult& result);   // latents only where there are some
void from_json(const nlohmann::json& json, GenerateResult& result);
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ScoreParams, metric, image, reference, prompt, model, clip, weights, net, images, references,
                                                image_features, reference_features, reference_file, return_features, paired)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OfferedParams, model)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(OfferedMetric, id, kind, gives, label, metric, net, clip, ready, needs, weights_sha256, smallest)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OfferedResult, metrics)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MetricWeightsEntry, name, purpose, license, sources, bytes, installed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MetricsListResult, folder, metrics)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MetricDownloadParams, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MetricDownloadResult, name, path)
void to_json(nlohmann::json& json, const ScoreResult& result);
void from_json(const nlohmann::json& json, ScoreResult& result);
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PrecisionInfo, id, label, family, bits, convolutions)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InitializeResult, protocol, engine, precisions)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelEntry, name, path, family, bytes, missing)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelsListResult, models)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DownloadParams, repo, revision, include)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DownloadResult, name, path, commit, license, files, bytes, fetched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(InspectParams, model, precision, hash)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LayerEntry, component, name, precision, shape, bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(InspectResult, name, family, weights_sha256, bytes, layers)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TraitsParams, model)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Choice, id, label)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelTraits, family, label, schedulers, scheduler, multiple, width, height, steps, guidance, classifier,
                                   image_to_image, prompt_weights, clip_skip, classes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FitParams, shapes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FitResult, instead)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ScannedGroup, name, layers, before, after, error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ScanParams, model, precision, reference, recipe, prompts, blocks, max_error, max_bytes, known)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FoundPolicy, policy, low, predicted, measured, bytes, checks)
void to_json(nlohmann::json& json, const ScanResult& result);
void from_json(const nlohmann::json& json, ScanResult& result);
void to_json(nlohmann::json& json, const ExportParams& params);
void from_json(const nlohmann::json& json, ExportParams& params);
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ExportResult, out, bytes, manifest)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EstimateParams, model, precisions, recipe, batch, gpu)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PhaseBytes, weights, activations, reserve)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PlacementBytes, name, encode, denoise, decode)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EstimateEntry, precision, error, placements)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(EstimateResult, entries, process_bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CancelParams, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, id, stage, step, steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LogLine, level, message)

}  // namespace quantspot::protocol
