#include "decision/python_snippet.h"

#include "decision/policy.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::decision {
namespace {

struct FamilyClasses {
  const char *id, *pipeline, *denoiser, *part;
  bool gguf;                             // exports write its denoiser as one .gguf file
  bool t5;                               // its pipeline takes max_sequence_length
};
constexpr FamilyClasses kFamilies[] = {
    {"flux", "FluxPipeline", "FluxTransformer2DModel", "transformer", true, true},
    {"sd", "StableDiffusionPipeline", "UNet2DConditionModel", "unet", true, false},
    {"sdxl", "StableDiffusionXLPipeline", "UNet2DConditionModel", "unet", true, false},
    {"sd3", "StableDiffusion3Pipeline", "SD3Transformer2DModel", "transformer", false, true},
    {"pixart", "PixArtSigmaPipeline", "PixArtTransformer2DModel", "transformer", false, true},
    {"dit", "DiTPipeline", "DiTTransformer2DModel", "transformer", false, false},
};

const FamilyClasses& classesOf(const std::string& family) {
  for (const FamilyClasses& known : kFamilies)
    if (family == known.id) return known;
  throw std::invalid_argument(fmt::format("Python: no diffusers pipeline is known for the family '{}'", family));
}

// A string literal of Python: JSON's escapes are Python's, too.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace); }

std::string torchType(std::string_view compute) {
  return compute == "fp32" ? "torch.float32" : compute == "fp16" ? "torch.float16" : "torch.bfloat16";
}

// Layers that stay plain, as modules_to_not_convert has them.
std::vector<std::string> keptLayers(const PolicyParts& policy, const SnippetRequest& request) {
  if (policy.schedule)
    throw std::invalid_argument("Python: precisions that change over the steps exist only here; pick one of them for deployment");
  std::vector<std::string> kept = policy.skip;
  for (const auto& [pattern, id] : policy.rules) {
    if (pattern.starts_with("text_encoder") || pattern.starts_with("vae") || pattern.starts_with("conv:"))
      throw std::invalid_argument(fmt::format("Python: the rule '{}={}' is for another part than the denoiser's Linear layers; export the model instead", pattern, id));
    if (id != computeTypeOf(policy.id))
      throw std::invalid_argument(fmt::format("Python: '{}' would be {} beside {}, and one quantization_config names one precision", pattern, id, policy.id));
    kept.push_back(pattern);
  }
  if (!request.kept.empty()) kept = request.kept;
  for (std::string& name : kept) {
    if (name.starts_with('^')) name.erase(0, 1);
    if (name.ends_with('$')) name.pop_back();
  }
  return kept;
}

std::string listOf(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + quoted(name);
  return "[" + text + "]";
}

std::string optionOf(const PolicyParts& policy, const std::string& name, const std::string& byDefault) {
  const auto found = policy.options.find(name);
  return found == policy.options.end() ? byDefault : found->second;
}

// What a precision adds to the program that draws in bf16.
struct Pieces {
  std::string imports;                   // lines
  std::string config;                    // expression of quantization_config; empty: none
  std::string after;                     // lines, once the pipeline is there
  std::string device;                    // expression; empty: a GPU where there is one
};

Pieces bitsAndBytes(const PolicyParts& policy, const std::vector<std::string>& kept) {
  if (policy.options.contains("blocksize"))
    throw std::invalid_argument("Python: diffusers' BitsAndBytesConfig has no block size; export the model instead");
  const std::string skip = kept.empty() ? "" : ", llm_int8_skip_modules=" + listOf(kept);
  if (policy.id == "bnb-int8")
    return {.imports = "from diffusers import BitsAndBytesConfig\n",
            .config = fmt::format("BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold={}{})", optionOf(policy, "threshold", "6.0"), skip), .after = {}, .device = {}};
  return {.imports = "from diffusers import BitsAndBytesConfig\n",
          .config = fmt::format("BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=\"{}\", bnb_4bit_use_double_quant={},\n"
                                "                                  bnb_4bit_compute_dtype=torch.bfloat16{})",
                                policy.id.substr(4, 3), policy.id.ends_with("-dq") ? "True" : "False", skip),
          .after = {}, .device = {}};
}

Pieces torchAo(const PolicyParts& policy, const std::vector<std::string>& kept) {
  static const std::pair<const char*, const char*> kConfigs[] = {
      {"torchao-int8wo", "Int8WeightOnlyConfig"}, {"torchao-int8dq", "Int8DynamicActivationInt8WeightConfig"},
      {"torchao-fp8wo", "Float8WeightOnlyConfig"}, {"torchao-fp8dq", "Float8DynamicActivationFloat8WeightConfig"}};
  const std::string skip = kept.empty() ? "" : ", modules_to_not_convert=" + listOf(kept);
  for (const auto& [id, type] : kConfigs) {
    if (policy.id != id) continue;
    const bool dynamic = policy.id == "torchao-fp8dq";
    return {.imports = fmt::format("from diffusers import TorchAoConfig\n{}from torchao.quantization import {}\n", dynamic ? "from torchao.quantization import PerRow\n" : "", type),
            .config = fmt::format("TorchAoConfig({}({}){})", type, dynamic ? "granularity=PerRow()" : "", skip), .after = {}, .device = {}};
  }
  if (policy.id != "torchao-int4wo") throw std::invalid_argument(fmt::format("Python: torchao has no precision called '{}'", policy.id));
  // The form that was judged is torchao's CPU form; on a GPU its int4 has other groups of scales in another layout.
  return {.imports = "from diffusers import TorchAoConfig\nfrom torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig\n",
          .config = fmt::format("TorchAoConfig(PrototypeInt4WeightOnlyConfig(group_size={}){})", optionOf(policy, "group", "128"), skip), .after = {}, .device = "\"cpu\""};
}

Pieces quanto(const PolicyParts& policy, const std::vector<std::string>& kept, const FamilyClasses& family) {
  if (policy.id == "quanto-int8a8") {
    std::vector<std::string> patterns = kept;
    for (std::string& name : patterns) name = "*" + name + "*";   // as the shell's, over the full name
    const std::string exclude = kept.empty() ? "" : ", exclude=" + listOf(patterns);
    return {.imports = "from optimum.quanto import Calibration, freeze, qint8, quantize\n", .config = {},
            .after = fmt::format("quantize(pipe.{0}, weights=qint8, activations=qint8{1})\n"
                                 "with Calibration(streamline=False):   # a picture or more of what will be drawn\n"
                                 "    pipe(**ARGUMENTS)\n"
                                 "freeze(pipe.{0})\n", family.part, exclude),
            .device = {}};
  }
  const std::string type = policy.id == "quanto-fp8" ? "float8" : policy.id.substr(7);
  return {.imports = "from diffusers import QuantoConfig\n",
          .config = fmt::format("QuantoConfig(weights_dtype=\"{}\"{})", type, kept.empty() ? "" : ", modules_to_not_convert=" + listOf(kept)), .after = {}, .device = {}};
}

Pieces fp8Layerwise(const PolicyParts& policy, const std::vector<std::string>& kept, const FamilyClasses& family) {
  std::string skip;
  if (!kept.empty()) {                   // patterns of the call take the place of the class's own
    std::vector<std::string> all = kept;
    for (const char* own : {"pos_embed", "patch_embed", "norm", "^proj_in$", "^proj_out$"}) all.emplace_back(own);
    skip = ", skip_modules_pattern=" + listOf(all);
  }
  return {.imports = {}, .config = {},
          .after = fmt::format("pipe.{}.enable_layerwise_casting(storage_dtype=torch.float8_{}, compute_dtype=torch.bfloat16{})\n", family.part,
                               policy.id.ends_with("e5m2") ? "e5m2" : "e4m3fn", skip),
          .device = {}};
}

Pieces piecesOf(const PolicyParts& policy, const std::vector<std::string>& kept, const FamilyClasses& family) {
  if (policy.id.starts_with("bnb-")) return bitsAndBytes(policy, kept);
  if (policy.id.starts_with("torchao-")) return torchAo(policy, kept);
  if (policy.id.starts_with("quanto-")) return quanto(policy, kept, family);
  if (policy.id.starts_with("fp8-layerwise")) return fp8Layerwise(policy, kept, family);
  if (policy.id == "int8-dynamic") {
    if (!kept.empty()) throw std::invalid_argument("Python: torch's quantize_dynamic takes no list of names to skip; give int8-dynamic without skips");
    const bool channels = optionOf(policy, "weights", "") == "per-channel";
    return {.imports = "from torch.ao.quantization import " + std::string(channels ? "per_channel_dynamic_qconfig, " : "") + "quantize_dynamic\n", .config = {},
            .after = fmt::format("pipe.{0} = quantize_dynamic(pipe.{0}, {1})\n", family.part,
                                 channels ? "{torch.nn.Linear: per_channel_dynamic_qconfig}" : "{torch.nn.Linear}, dtype=torch.qint8"),
            .device = "\"cpu\""};        // fbgemm has no other
  }
  if (policy.id == "fp32" || policy.id == "bf16" || policy.id == "fp16") return {};
  throw std::invalid_argument(fmt::format("Python: no library is known for the precision '{}'", policy.id));
}

std::string arguments(const SnippetRequest& request) {
  std::string text = "ARGUMENTS = dict(\n";
  const auto add = [&](const std::string& key, const std::string& value) { text += "    " + key + "=" + value + ",\n"; };
  if (request.family == "dit") {
    const bool number = !request.prompt.empty() && std::ranges::all_of(request.prompt, [](unsigned char c) { return c >= '0' && c <= '9'; });
    add("class_labels", number ? "[" + request.prompt + "]" : "pipe.get_label_ids([" + quoted(request.prompt) + "])");
  } else {
    add("prompt", quoted(request.prompt));
    if (!request.negative_prompt.empty()) add("negative_prompt", quoted(request.negative_prompt));
    add("width", fmt::to_string(request.width));
    add("height", fmt::to_string(request.height));
  }
  add("num_inference_steps", fmt::to_string(request.steps));
  if (request.guidance) add("guidance_scale", fmt::format("{}", *request.guidance));
  if (request.max_sequence_length && classesOf(request.family).t5) add("max_sequence_length", fmt::to_string(*request.max_sequence_length));
  add("generator", fmt::format("torch.Generator(\"cpu\").manual_seed({})", request.seed));
  return text + ")\n";
}

// By the module that the export wrote: it maps the file's names to diffusers' for every width.
std::string ggufLoading(const SnippetRequest& request, const FamilyClasses& family) {
  return fmt::format("EXPORT = Path({2})\nsys.path.insert(0, str(EXPORT))\nimport load_gguf  # noqa: E402\n\n"
                     "pipe = {0}.from_pretrained(EXPORT / \"pipeline\", {1}=load_gguf.load(torch.bfloat16), torch_dtype=torch.bfloat16)\n",
                     family.pipeline, family.part, quoted(request.exported));
}

std::string quantizedLoading(const SnippetRequest& request, const FamilyClasses& family, const std::string& config, const std::string& type) {
  if (config.empty() || !request.exported.empty())
    return fmt::format("pipe = {}.from_pretrained({}, torch_dtype={})\n", family.pipeline, quoted(request.exported.empty() ? request.model : request.exported), type);
  return fmt::format("quantization = {0}\n"
                     "{1} = {2}.from_pretrained({3}, subfolder=\"{1}\", quantization_config=quantization, torch_dtype={4})\n"
                     "pipe = {5}.from_pretrained({3}, {1}={1}, torch_dtype={4})\n",
                     config, family.part, family.denoiser, quoted(request.model), type, family.pipeline);
}

std::string head(const PolicyParts& policy, bool gguf) {
  return "# " + policy.id + ", written by QuantSpot " QUANTSPOT_VERSION ". The same prompt, seed and precision as the picture that was judged.\n"
         "# pip install -r requirements.txt\n" + (gguf ? "# EXPORT is the folder that an export of this precision wrote.\nimport sys\nfrom pathlib import Path\n\n" : std::string()) +
         "import torch\n";
}

}  // namespace

std::string pythonSnippet(const SnippetRequest& request) {
  const FamilyClasses& family = classesOf(request.family);
  const PolicyParts policy = policyParts(request.policy);
  const std::vector<std::string> kept = keptLayers(policy, request);
  const bool gguf = policy.id.starts_with("gguf-");
  if (gguf && !family.gguf) throw std::invalid_argument(fmt::format("Python: no GGUF file is written of a {}, only of FLUX and of Stable Diffusion's UNets", family.denoiser));
  if (gguf && request.exported.empty()) throw std::invalid_argument("Python: a GGUF precision is loaded from its export; export the model first");
  const Pieces pieces = gguf ? Pieces{} : piecesOf(policy, kept, family);
  const bool split = !pieces.config.empty() && request.exported.empty();   // the denoiser is loaded by itself
  // A folder with quantization_config brings its configuration along: nothing of it is imported then.
  const bool needsImports = pieces.config.empty() || request.exported.empty();
  std::string text = head(policy, gguf) + fmt::format("from diffusers import {}{}\n", family.pipeline, split ? std::string(", ") + family.denoiser : "");
  if (needsImports) text += pieces.imports;
  text += "\nDEVICE = " + (pieces.device.empty() ? "\"cuda\" if torch.cuda.is_available() else \"cpu\"" : pieces.device) + "\n\n";
  text += gguf ? ggufLoading(request, family) : quantizedLoading(request, family, pieces.config, torchType(computeTypeOf(policy.id)));
  text += "pipe = pipe.to(DEVICE)\n" + arguments(request) + pieces.after;
  if (policy.id == "quanto-int8a8") text += fmt::format("ARGUMENTS[\"generator\"].manual_seed({})\n", request.seed);
  return text + "image = pipe(**ARGUMENTS).images[0]\nimage.save(\"picture.png\")\n";
}

std::string pythonRequirements(const std::string& policy) {
  const std::string id = policyParts(policy).id;
  std::string text = "torch==2.13.0\ndiffusers==0.42.1\ntransformers==5.23.0\naccelerate==1.15.0\nsafetensors\nsentencepiece\nprotobuf\n";
  if (id.starts_with("bnb-")) text += "bitsandbytes==0.50.2\n";
  if (id.starts_with("torchao-")) text += "torchao==0.18.0\n";
  if (id.starts_with("quanto-")) text += "optimum-quanto==0.2.7\n";
  if (id.starts_with("gguf-")) text += "gguf==0.19.0\n";
  return text;
}

}  // namespace quantspot::decision
