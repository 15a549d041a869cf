#include "app/quantspot-cli/recipe_options.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/pictures.h"
#include "app/usage.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/protocol/base64.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <optional>
#include <stdexcept>

namespace quantspot::cli {
namespace {

constexpr int kMostSide = 1 << 16;         // of a picture; what a model takes is the engine's to say

// Both numbers of an option, `least` or more.
std::array<int, 2> numbersOf(const char* option, const std::string& text, int least) {
  const std::array<int, 2> pair = parsePair(text);
  for (const int one : pair)
    if (one < least || one > kMostSide) throw std::invalid_argument(fmt::format("{}: {} is not within {} to {}", option, one, least, kMostSide));
  return pair;
}

// Of Stable Diffusion and SDXL.
void addDiffusionOptions(CLI::App& command, protocol::Recipe& r) {
  const auto pair = [&](const char* name, std::optional<std::array<int, 2>>& value, int least, const char* help) {
    command.add_option_function<std::string>(name, [&value, name, least](const std::string& text) { value = numbersOf(name, text, least); }, help);
  };
  command.add_option("--guidance-rescale", r.guidance_rescale,
                     "Stable Diffusion, SDXL: how far guidance may change the prediction's deviation, 0 to 1: 0 leaves it as it is")
      ->check(within(0, 1))->capture_default_str();
  command.add_option("--clip-skip", r.clip_skip, "Stable Diffusion, SDXL, SD 3: last layers of CLIP to leave out")->capture_default_str();
  command.add_flag("--prompt-weights", r.prompt_weights, "Stable Diffusion, SDXL: \"(word:1.2)\" in the prompts weighs words");
  command.add_flag("--vae-tiling", r.vae_tiling, "The autoencoder works tile by tile: less memory, a slightly other picture");
  command.add_flag("--vae-slicing", r.vae_slicing, "The autoencoder works picture by picture");
  command.add_flag("--bin-size", r.bin_size, "PixArt-Σ: draw at the nearest size that the model was trained on, then resize and crop");
  pair("--original-size", r.original_size, 1, "SDXL: size WxH that the picture is said to come from (default: its own)");
  pair("--target-size", r.target_size, 1, "SDXL: size WxH that it is said to have (default: its own)");
  pair("--crop", r.crop, 0, "SDXL: corner X,Y of the part that it is said to be (default 0,0)");
}

}  // namespace

void lendParts(std::string& model, const std::string& parts) {
  if (parts.empty()) return;
  if (model == "default") throw std::invalid_argument("--parts lends to a --model that is one file: name it");
  model += "?parts=" + parts;
}

void addSize(CLI::App& command, protocol::Recipe& r) {
  r.width = r.height = 0;
  command.add_option("--width", r.width, "Pixels, a multiple of 8 (FLUX: of 16); default: what the model was made for, where it says so, else 128")
      ->check(CLI::Range(1, kMostSide));
  command.add_option("--height", r.height, "Pixels, a multiple of 8 (FLUX: of 16); default: as of --width")->check(CLI::Range(1, kMostSide));
}

void addRecipe(CLI::App& command, Arguments& a) {
  protocol::Recipe& r = a.generate.params.recipe;
  command.add_option("--model", a.generate.params.model,
                     "Folder of a diffusers pipeline, a single .safetensors or .gguf file, or a name that 'models list' shows")
      ->check(notEmpty())->capture_default_str();
  command.add_option("--parts", a.parts, "Where --model is one .safetensors or .gguf file: a folder (or name) that lends what it lacks");
  command.add_option("--negative-prompt", r.negative_prompt, "What the picture should be led away from; FLUX needs --true-cfg above 1 for it");
  command.add_option("--steps", r.steps, "Denoising steps")->capture_default_str();
  addSize(command, r);
  command.add_option("--guidance", r.guidance,
                     "The family's own guidance (default: FLUX 3.5, embedded; SDXL 5, Stable Diffusion 7.5, classifier-free)");
  command.add_option("--true-cfg", r.true_cfg, "FLUX: scale of classifier-free guidance with a second pass")->capture_default_str();
  command.add_option("--max-sequence-length", r.max_sequence_length, "T5 tokens (default: what the model was made for, else 512)");
  command.add_option("--scheduler", r.scheduler, "Id (default: the model's own)");
  addDiffusionOptions(command, r);
  command.add_option_function<std::vector<std::string>>("--lora", [&a](const std::vector<std::string>& files) {
    for (const std::string& file : files) a.generate.params.loras.push_back(parseLora(file));
  }, "LoRA beside the packed weights, FILE or FILE:scale; may be given several times");
  command.add_option_function<std::string>("--max-memory", [&a](const std::string& size) {
    a.generate.params.max_memory = pipeline::parseBytes(size);
  }, "For --precision auto, such as 6GiB (default: what is free)");
  command.add_option_function<std::string>("--calibrate", [&a](const std::string& file) { a.generate.params.calibration = readLines(file); },
                                           "File of prompts that find the scales of 8-bit activations (quanto-int8a8)");
  command.add_option_function<std::string>("--image", [&a](const std::string& file) {
    readImage(file);                     // what is no picture is told with its name
    a.generate.params.image = protocol::toBase64(readFile(file));
  }, "Image to image: the picture to start from, of the size that is drawn");
  command.add_option("--strength", a.generate.params.recipe.strength,
                     "Image to image: how much of the way from noise is gone, 0 to 1 (default: SDXL 0.3, FLUX and SD 3 0.6, others 0.8)");
  command.add_option("--batch", a.batch, "Pictures drawn in one pass, each as its own seed alone gives it")
      ->check(CLI::Range(1, 256))->capture_default_str();
  command.add_flag("!--no-cache", a.generate.params.cache, "Pack the weights anew, and keep nothing of them on disk");
  command.add_option("--offload", a.generate.params.offload,
                     "What of a part is in memory at once: none or model (all), group (a block and the next), sequential (a layer)")
      ->capture_default_str();
  command.add_option("--threads", a.service.threads, "CPU threads (default: all cores)")->check(threadCount());
  command.add_option("--device", a.service.device, "cpu or cuda:0")->check(deviceName())->capture_default_str();
}

}  // namespace quantspot::cli
