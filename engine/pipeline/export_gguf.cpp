#include "engine/pipeline/export_gguf.h"

#include "engine/model/config.h"
#include "engine/model/family.h"
#include "engine/model/flux/names.h"
#include "engine/pipeline/export_script.h"

#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>

namespace quantspot::pipeline {
namespace {

using nlohmann::json;

// One line for a layer of every block: the entries of the first of each kind, whose number the module replaces.
std::string fluxNames(bool guidance) {
  std::string lines;
  for (const model::FluxEntry& entry : model::fluxEntries(1, 1, guidance)) {
    std::string parts;
    for (const model::FluxPart& part : entry.parts) parts += (parts.empty() ? "" : ", ") + json(part.name).dump();
    lines += fmt::format("    {}: [{}],\n", json(entry.name).dump(), parts);
  }
  return lines;
}

std::string fluxMapping(const model::Config& config) {
  return fmt::format(
      "# A layer of the file, and the layers of diffusers whose rows it holds, one after the other. 0 stands for every block.\n"
      "NAMES = {{\n{}}}\nWIDTH = {}\n\n\n"
      "def parts(tensor, rows):\n"
      "    \"\"\"Name and rows of each of diffusers' tensors in one of the file's.\"\"\"\n"
      "    layer, kind = tensor.rsplit(\".\", 1)\n"
      "    block = re.search(r\"_blocks\\.\\d+\", layer)\n"
      "    names = NAMES[re.sub(r\"_blocks\\.\\d+\", \"_blocks.0\", layer)]\n"
      "    if block:\n"
      "        names = [name.replace(\"_blocks.0\", block[0]) for name in names]\n"
      "    names = [name + (\".weight\" if kind == \"scale\" else \".\" + kind) for name in names]\n"
      "    each = [WIDTH] * (len(names) - 1)    # q, k and v; what is last has the rest\n"
      "    return list(zip(names, each + [rows - sum(each)]))\n\n\n"
      "def renamed(tensors):\n"
      "    import torch\n\n"
      "    weights = {{}}\n"
      "    for tensor, value in tensors.items():\n"
      "        names, rows = zip(*parts(tensor, value.shape[0]))\n"
      "        if names[0].startswith(\"norm_out.\"):    # shift and scale lie the other way round\n"
      "            value = torch.cat(list(reversed(value.chunk(2))))\n"
      "        weights.update(zip(names, torch.split(value, rows)))\n"
      "    return weights\n",
      fluxNames(config.get("guidance_embeds", false)), config.count("num_attention_heads", 24) * config.count("attention_head_dim", 128));
}

// diffusers knows a UNet's names only as whole checkpoints have them.
constexpr const char* kUnetMapping =
    "def renamed(tensors):\n"
    "    return {\"model.diffusion_model.\" + name: value for name, value in tensors.items()}\n";

}  // namespace

std::string ggufModule(const std::filesystem::path& model, const std::string& gguf) {
  const std::string part(model::familyOf(model).info().denoiser);
  const bool unet = part == "unet";
  return fmt::format(
      "\"\"\"load(torch.bfloat16): diffusers' {1} with the weights of {2}.\"\"\"\n\n{3}from pathlib import Path\n\n{4}{5}\n\n"
      "def load(dtype):\n"
      "    import diffusers\n"
      "    from diffusers.models.model_loading_utils import load_gguf_checkpoint\n\n"
      "    here = Path(__file__).resolve().parent\n"
      "    return diffusers.{1}.from_single_file(\n"
      "        renamed(load_gguf_checkpoint(str(here / {6}))), config=str(here / \"pipeline\"), subfolder=\"{0}\", torch_dtype=dtype,\n"
      "        quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=dtype))\n",
      part, className(model, part), gguf, unet ? "" : "import re\n", unet ? "\n" : "", unet ? kUnetMapping : fluxMapping(model::Config(model / part / "config.json")),
      json(gguf).dump());
}

}  // namespace quantspot::pipeline
