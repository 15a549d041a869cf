#include "engine/model/single/defaults.h"

#include <algorithm>
#include <stdexcept>

namespace quantspot::model {
namespace {

using nlohmann::json;

constexpr std::int64_t kSd2Context = 1024;   // width of its text encoder

const std::vector<SingleFamily>& all() {
  static const std::vector<SingleFamily> families = {
      {"flux", "FluxPipeline",
       {{"text_encoder", "clip", "CLIPTextModel"}, {"text_encoder_2", "t5", "T5EncoderModel"}, {"transformer", "flux", "FluxTransformer2DModel"}, {"vae", "vae", "AutoencoderKL"}},
       {{"tokenizer", "vocab.json"}, {"tokenizer_2", "spiece.model"}}},
      {"dit", "DiTPipeline", {{"transformer", "dit", "DiTTransformer2DModel"}, {"vae", "vae", "AutoencoderKL"}}, {}},
      {"sd3", "StableDiffusion3Pipeline",
       {{"text_encoder", "clip", "CLIPTextModelWithProjection"}, {"text_encoder_2", "openclip", "CLIPTextModelWithProjection"},
        {"text_encoder_3", "t5", "T5EncoderModel", "tokenizer_3"}, {"transformer", "sd3", "SD3Transformer2DModel"}, {"vae", "vae", "AutoencoderKL"}},
       {{"tokenizer", "vocab.json"}, {"tokenizer_2", "vocab.json"}, {"tokenizer_3", "spiece.model"}}},
      {"sd", "StableDiffusionPipeline",
       {{"text_encoder", "clip", "CLIPTextModel"}, {"unet", "unet", "UNet2DConditionModel"}, {"vae", "vae", "AutoencoderKL"}},
       {{"tokenizer", "vocab.json"}}},
      {"sdxl", "StableDiffusionXLPipeline",
       {{"text_encoder", "clip", "CLIPTextModel"}, {"text_encoder_2", "openclip", "CLIPTextModelWithProjection"}, {"unet", "unet", "UNet2DConditionModel"}, {"vae", "vae", "AutoencoderKL"}},
       {{"tokenizer", "vocab.json"}, {"tokenizer_2", "vocab.json"}}}};
  return families;
}

json noise(const char* name, const char* prediction) {
  return {{"_class_name", name}, {"beta_start", 0.00085}, {"beta_end", 0.012}, {"beta_schedule", "scaled_linear"}, {"num_train_timesteps", 1000},
          {"prediction_type", prediction}, {"timestep_spacing", "leading"}, {"steps_offset", 1}};
}

}  // namespace

const SingleFamily& singleFamily(std::string_view id) {
  const auto found = std::ranges::find(all(), id, &SingleFamily::id);
  if (found == all().end()) throw std::logic_error("no single files of family " + std::string(id));
  return *found;
}

json defaultIndex(const SingleFamily& family, const std::vector<std::string>& absent) {
  json index = {{"_class_name", family.pipeline}, {"scheduler", {"diffusers", "SchedulerMixin"}}};
  for (const SinglePart& part : family.parts) index[part.name] = {part.name.starts_with("text_") ? "transformers" : "diffusers", part.libraryClass};
  for (const auto& [name, file] : family.tokenizers) index[name] = {"transformers", file == "spiece.model" ? "T5TokenizerFast" : "CLIPTokenizer"};
  for (const std::string& name : absent) index[name] = {nullptr, nullptr};
  if (family.id == "sdxl") index["force_zeros_for_empty_prompt"] = true;
  return index;
}

json defaultScheduler(const SingleFamily& family, const json& denoiser) {
  if (family.id == "flux") {
    const bool dev = denoiser.value("guidance_embeds", false);
    return {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"num_train_timesteps", 1000}, {"shift", dev ? 3.0 : 1.0}, {"use_dynamic_shifting", dev},
            {"base_shift", 0.5}, {"max_shift", dev ? 1.15 : 1.16}, {"base_image_seq_len", 256}, {"max_image_seq_len", 4096}};
  }
  if (family.id == "dit")
    return {{"_class_name", "DDIMScheduler"}, {"num_train_timesteps", 1000}, {"beta_schedule", "linear"}, {"prediction_type", "epsilon"}, {"clip_sample", false}};
  if (family.id == "sd3") return {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"num_train_timesteps", 1000}, {"shift", 3.0}};
  if (family.id == "sdxl") return noise("EulerDiscreteScheduler", "epsilon");
  if (denoiser.value("cross_attention_dim", json()) == kSd2Context) {
    json config = noise("DDIMScheduler", "v_prediction");
    config["set_alpha_to_one"] = false;
    config["clip_sample"] = false;
    return config;
  }
  json config = noise("PNDMScheduler", "epsilon");
  config["set_alpha_to_one"] = false;
  config["skip_prk_steps"] = true;
  return config;
}

void complete(json& config, const SingleFamily& family, std::string_view kind) {
  if (kind == "vae" && family.id == "flux") config.update({{"scaling_factor", 0.3611}, {"shift_factor", 0.1159}, {"force_upcast", true}, {"sample_size", 1024}});
  if (kind == "vae" && (family.id == "sd" || family.id == "dit")) config.update({{"scaling_factor", 0.18215}, {"sample_size", 512}});
  if (kind == "vae" && family.id == "sdxl") config.update({{"scaling_factor", 0.13025}, {"force_upcast", true}, {"sample_size", 1024}});
  if (kind == "vae" && family.id == "sd3")
    config.update({{"scaling_factor", 1.5305}, {"shift_factor", 0.0609}, {"force_upcast", true}, {"sample_size", 1024}});
  // diffusers puts the unit matrix there, whatever the file has.
  if (kind == "clip" && family.id == "sd3") config.update({{"text_projection", "identity"}, {"projection_dim", config["hidden_size"]}});
  if (kind == "unet") config["sample_size"] = family.id == "sdxl" ? 128 : config.value("cross_attention_dim", json()) == kSd2Context ? 96 : 64;
}

}  // namespace quantspot::model
