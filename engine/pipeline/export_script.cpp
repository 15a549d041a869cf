#include "engine/pipeline/export_script.h"

#include "engine/model/config.h"
#include "engine/model/schedulers/scheduler.h"
#include "engine/model/weights.h"
#include "engine/pipeline/recipe.h"
#include "quant/plain.h"
#include "quant/quantizer.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace quantspot::pipeline {
namespace {

using nlohmann::json;

// JSON strings without \u escapes beyond ASCII's control characters are Python strings.
std::string python(const std::string& text) { return json(text).dump(); }
std::string python(double value) { return json(value).dump(); }

const char* torchType(at::ScalarType type) { return type == at::kFloat ? "torch.float32" : type == at::kHalf ? "torch.float16" : "torch.bfloat16"; }

class Script {
 public:
  explicit Script(const ScriptRequest& request) : request_(request), r_(request.recipe), info_(model::familyOf(request.model).info()),
      type_(torchType(quant::quantizer(request.policy.precision).computeType())) {}

  std::string text() const;

 private:
  std::string loading() const;
  std::string loadingScaled() const;
  std::string casting() const;
  std::string castingOf(const std::string& part) const;
  std::string packing() const;
  std::string scheduler() const;
  std::string call() const;
  std::vector<std::pair<std::string, std::string>> arguments() const;
  void addOwn(std::vector<std::pair<std::string, std::string>>& all) const;
  bool is(std::string_view id) const { return info_.id == id; }

  const ScriptRequest& request_;
  const protocol::Recipe& r_;
  const model::FamilyInfo& info_;
  const std::string type_;
};

// optimum-quanto's own loader, because diffusers' knows no activations. It rounds each layer's output, too; what was judged does not.
std::string Script::loadingScaled() const {
  return fmt::format("from optimum.quanto.models.diffusers_models import QuantizedDiffusersModel\n\n\n"
                     "class Quantized(QuantizedDiffusersModel):\n    base_class = diffusers.{1}\n\n\n"
                     "{0} = Quantized.from_pretrained(here / \"pipeline\" / \"{0}\")._wrapped.to({2})\n"
                     "for module in {0}.modules():\n    if hasattr(module, \"disable_output_quantization\"):\n        module.disable_output_quantization()\n"
                     "pipe = diffusers.{3}.from_pretrained(here / \"pipeline\", {0}={0}, torch_dtype={2})\n",
                     info_.denoiser, className(request_.model, std::string(info_.denoiser)), type_, className(request_.model, ""));
}

std::string Script::loading() const {
  if (request_.policy.precision == "quanto-int8a8") return loadingScaled();
  const std::string pipeline = className(request_.model, "");
  if (!request_.policy.precision.starts_with("gguf-"))
    return fmt::format("pipe = diffusers.{}.from_pretrained(here / \"pipeline\", torch_dtype={})\n", pipeline, type_);
  return fmt::format("import load_gguf\n\npipe = diffusers.{0}.from_pretrained(here / \"pipeline\", {1}=load_gguf.load({2}), torch_dtype={2})\n",
                     pipeline, info_.denoiser, type_);
}

// Layers of this part that rest in 8-bit floats, as code; empty: none.
std::string Script::castingOf(const std::string& part) const {
  const std::string prefix = part == info_.denoiser ? "" : part + ".";
  const model::Weights weights(request_.model / part);
  std::string storage, kept;
  for (const std::string& tensor : weights.names()) {
    const std::size_t axes = weights.shape(tensor).size();
    if (!tensor.ends_with(".weight") || (axes != 2 && axes != 4)) continue;
    const std::string layer = tensor.substr(0, tensor.size() - 7);
    const std::string precision = request_.policy.precisionOf(prefix + layer, axes == 4 ? quant::LayerKind::Convolution : quant::LayerKind::Linear);
    if (precision.starts_with("fp8-layerwise")) storage = precision == "fp8-layerwise" ? "float8_e4m3fn" : "float8_e5m2";
    else if (!quant::quantizer("fp8-layerwise").skips(layer)) kept += fmt::format("        r\"^{}$\",\n", layer);
  }
  if (storage.empty()) return {};
  if (part != info_.denoiser) kept += "        r\"wo$\",\n";   // T5 casts its activations to the type in which these rest
  return fmt::format("apply_layerwise_casting(\n    pipe.{}, storage_dtype=torch.{}, compute_dtype={},\n    skip_modules_pattern=DEFAULT_SKIP_MODULES_PATTERN + (\n{}    ))\n",
                     part, storage, type_, kept);
}

std::string Script::casting() const {
  std::string code;
  for (const std::string_view part : info_.weighted)
    if (part != "vae" && std::filesystem::is_directory(request_.model / part)) code += castingOf(std::string(part));
  return code.empty() ? code : "\nfrom diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting\n\n" + code;
}

// torch's dynamic quantization, by the names of the layers that stay as they are.
std::string Script::packing() const {
  if (!packsAtStart(request_.policy)) return {};
  const model::Weights weights(request_.model / info_.denoiser);
  std::string kept;
  for (const std::string& tensor : weights.names()) {
    if (!tensor.ends_with(".weight") || weights.shape(tensor).size() != 2) continue;
    const std::string layer = tensor.substr(0, tensor.size() - 7);
    if (!request_.policy.precisionOf(layer).starts_with("int8-dynamic")) kept += fmt::format("    {},\n", python(layer));
  }
  const bool perChannel = request_.policy.precision.find("weights=per-channel") != std::string::npos;
  return fmt::format("\nkept = {{{}}}\n"
                     "torch.ao.quantization.quantize_dynamic(pipe.{}, {{\n"
                     "    name: torch.ao.quantization.{} for name, module in pipe.{}.named_modules()\n"
                     "    if isinstance(module, torch.nn.Linear) and name not in kept}}, dtype=torch.qint8, inplace=True)\n",
                     kept.empty() ? "*()" : "\n" + kept, info_.denoiser, perChannel ? "per_channel_dynamic_qconfig" : "default_dynamic_qconfig",
                     info_.denoiser);
}

std::string Script::scheduler() const {
  if (r_.scheduler.empty()) return {};
  const auto& all = model::schedulerInfos();
  const auto found = std::ranges::find(all, r_.scheduler, &model::SchedulerInfo::id);
  if (found == all.end()) throw std::invalid_argument(fmt::format("scheduler '{}' is not known", r_.scheduler));
  const char* more = r_.scheduler == "dpmpp-2m-karras" ? ", use_karras_sigmas=True" : r_.scheduler == "dpmpp-2m-sde" ? ", algorithm_type=\"sde-dpmsolver++\"" : "";
  return fmt::format("pipe.scheduler = diffusers.{}.from_config(pipe.scheduler.config{})\n", found->className, more);
}

// What only some pipelines know.
void Script::addOwn(std::vector<std::pair<std::string, std::string>>& all) const {
  const auto pair = [](int first, int second) { return fmt::format("({}, {})", first, second); };
  if (is("flux") && usesTrueCfg(r_)) all.emplace_back("true_cfg_scale", python(r_.true_cfg));
  if (!is("dit") && r_.negative_prompt && (!is("flux") || usesTrueCfg(r_))) all.emplace_back("negative_prompt", python(*r_.negative_prompt));
  if (r_.max_sequence_length && info_.maxSequenceLength > 0) all.emplace_back("max_sequence_length", std::to_string(*r_.max_sequence_length));
  if (r_.clip_skip > 0) all.emplace_back("clip_skip", std::to_string(r_.clip_skip));
  if (r_.guidance_rescale > 0) all.emplace_back("guidance_rescale", python(r_.guidance_rescale));
  if (is("pixart")) all.emplace_back("use_resolution_binning", r_.bin_size ? "True" : "False");
  if (is("pixart")) all.emplace_back("clean_caption", "False");
  if (!is("sdxl")) return;
  if (r_.original_size) all.emplace_back("original_size", pair((*r_.original_size)[1], (*r_.original_size)[0]));
  if (r_.target_size) all.emplace_back("target_size", pair((*r_.target_size)[1], (*r_.target_size)[0]));
  if (r_.crop) all.emplace_back("crops_coords_top_left", pair((*r_.crop)[1], (*r_.crop)[0]));
}

std::vector<std::pair<std::string, std::string>> Script::arguments() const {
  std::vector<std::pair<std::string, std::string>> all;
  const bool isNumber = !r_.prompt.empty() && std::ranges::all_of(r_.prompt, [](char c) { return c >= '0' && c <= '9'; });
  if (!is("dit")) all = {{"prompt", python(r_.prompt)}, {"width", std::to_string(r_.width)}, {"height", std::to_string(r_.height)}};
  else all = {{"class_labels", isNumber ? "[" + r_.prompt + "]" : "pipe.get_label_ids([" + python(r_.prompt) + "])"}};
  all.emplace_back("num_inference_steps", std::to_string(r_.steps));
  all.emplace_back("guidance_scale", python(guidanceOf(r_, info_)));
  addOwn(all);
  all.emplace_back("generator", fmt::format("torch.Generator(\"cpu\").manual_seed({})", r_.seed));
  return all;
}

std::string Script::call() const {
  std::string code = "image = pipe(\n";
  for (const auto& [name, value] : arguments()) code += fmt::format("    {}={},\n", name, value);
  return code + ").images[0]\n";
}

std::string Script::text() const {
  std::string code = fmt::format(
      "\"\"\"Renders one picture with this export of QuantSpot ({}): run.py [OUT.png] [cuda]\n\n"
      "Install requirements.txt first. Change the call below for other prompts, seeds and sizes.\n\"\"\"\n\n"
      "import hashlib\nimport sys\nfrom pathlib import Path\n\nimport diffusers\nimport torch\n\n"
      "here = Path(__file__).resolve().parent\nout, device = (sys.argv[1:] + [\"out.png\", \"cpu\"][len(sys.argv) - 1:])[:2]\n\n", request_.policy.text());
  code += loading() + casting() + packing() + scheduler();
  if (r_.vae_tiling) code += "pipe.vae.enable_tiling()\n";
  if (r_.vae_slicing) code += "pipe.vae.enable_slicing()\n";
  code +=
      "pipe.to(device)\n\n\n"
      "def float32_noise(shape, generator=None, device=None, dtype=None, layout=None):\n"
      "    \"\"\"Noise that does not depend on the precision: drawn in float32, then cast.\"\"\"\n"
      "    return torch.randn(shape, generator=generator, dtype=torch.float32).to(device=device, dtype=dtype)\n\n\n"
      "for module in (sys.modules[type(pipe).__module__], sys.modules[type(pipe.scheduler).__module__]):\n"
      "    if hasattr(module, \"randn_tensor\"):\n"
      "        module.randn_tensor = float32_noise\n\n";
  code += call();
  code += "image.save(out)\nfound = hashlib.sha256(image.convert(\"RGB\").tobytes()).hexdigest()\nprint(out, \"pixels\", found)\n";
  if (!request_.imageHash.empty())
    code += fmt::format("judged = \"{}\"\nprint(\"the judged picture, pixel for pixel\" if found == judged else \"not the same pixels as the judged picture: another device or library rounds otherwise\")\n", request_.imageHash);
  return code;
}

}  // namespace

std::string className(const std::filesystem::path& model, const std::string& part) {
  const json index = model::readJson(model / "model_index.json");
  return part.empty() ? index.at("_class_name").get<std::string>() : index.at(part).at(1).get<std::string>();
}

std::string runScript(const ScriptRequest& request) {
  if (request.recipe.prompt_weights) throw std::invalid_argument("prompt_weights: diffusers reads no weights of words; export a recipe without them");
  if (request.recipe.strength) throw std::invalid_argument("strength: run.py starts from noise; export a recipe without a picture to start from");
  return Script(request).text();
}

std::string requirements(const quant::Policy& policy) {
  std::string ids = policy.precision;
  for (const auto& [pattern, precision] : policy.layers) ids += " " + precision;
  std::string lines = "# What this export was checked with. torch: a build for your device, see https://pytorch.org\n"
                      "torch==2.13.0\ndiffusers==0.42.1\ntransformers==5.23.0\naccelerate==1.15.0\nsafetensors==0.8.0\ntokenizers==0.23.3\nsentencepiece==0.2.3\nprotobuf==7.36.2\npillow==13.0.0\n";
  constexpr std::array<std::pair<const char*, const char*>, 4> kLibraries = {
      {{"bnb-", "bitsandbytes==0.50.2\n"}, {"torchao-", "torchao==0.18.0\n"}, {"quanto-", "optimum-quanto==0.2.7\n"}, {"gguf-", "gguf==0.19.0\n"}}};
  for (const auto& [prefix, line] : kLibraries)
    if (ids.find(prefix) != std::string::npos) lines += line;
  return lines;
}

bool packsAtStart(const quant::Policy& policy) { return policy.precision.starts_with("int8-dynamic"); }

quant::Policy weightsBefore(const quant::Policy& policy) {
  const std::string plain(quant::plainPrecision(quant::quantizer(policy.precision).computeType()));
  for (const auto& [pattern, precision] : policy.layers)
    if (precision != plain || pattern.starts_with("text_encoder") || pattern.starts_with("vae"))
      throw std::invalid_argument(fmt::format("'{}={}': {} is packed when run.py starts, layer by layer of the denoiser or left {}; leave that rule out", pattern,
                                              precision, policy.precision, plain));
  return quant::parsePolicy(plain);
}

}  // namespace quantspot::pipeline
