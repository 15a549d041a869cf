#include "engine/model/single/contents.h"

#include "engine/model/folder.h"
#include "engine/model/single/dit_views.h"
#include "engine/model/single/flux_views.h"
#include "engine/model/single/sd3_views.h"
#include "engine/model/single/text_names.h"
#include "engine/model/single/unet_names.h"
#include "engine/model/single/vae_names.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <functional>
#include <set>

namespace quantspot::model {
namespace {

using Parse = std::function<FoundPart(const Shapes& shapes, const std::string& prefix, const std::filesystem::path& file)>;

Views asNamed(const Shapes& shapes) {
  Views views;
  for (const auto& [name, shape] : shapes) views[name] = {.tensor = name};
  return views;
}

FoundPart fluxPart(Views views, const Shapes& shapes, const std::filesystem::path& file) {
  FoundPart part{"flux", std::move(views), {}};
  const Shapes named = shapesOf(part.views, shapes);
  const auto head = named.find("transformer_blocks.0.attn.norm_q.weight");
  if (head != named.end() && !head->second.empty() && head->second.front() == 128) part.config = fluxConfig(named, file);   // else the parts' configuration is needed
  return part;
}

// One naming of one kind of part.
struct Naming {
  std::string kind;
  std::vector<std::string> prefixes;
  bool (*isThere)(const Shapes& shapes, const std::string& prefix);
  Parse parse;
};

bool hasDiffusersFlux(const Shapes& shapes, const std::string& prefix) { return shapes.contains(prefix + "transformer_blocks.0.attn.add_q_proj.weight"); }
bool hasDiffusersUnet(const Shapes& shapes, const std::string& prefix) {
  return shapes.contains(prefix + "down_blocks.0.resnets.0.conv1.weight") && shapes.contains(prefix + "time_embedding.linear_1.weight");
}

const std::vector<Naming>& namings() {
  static const std::vector<std::string> denoiser = {"", "model.diffusion_model.", "diffusion_model."};
  static const std::vector<Naming> all = {
      {"flux", denoiser, hasBflFlux, [](const Shapes& s, const std::string& p, const auto& file) { return fluxPart(bflFluxViews(s, p), s, file); }},
      {"flux", {""}, hasDiffusersFlux, [](const Shapes& s, const std::string&, const auto& file) { return fluxPart(asNamed(s), s, file); }},
      {"sd3", denoiser, hasOriginalSd3,
       [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"sd3", originalSd3Views(s, p), originalSd3Config(s, p)}; }},
      {"unet", denoiser, hasLdmUnet, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"unet", ldmUnetViews(s, p), ldmUnetConfig(s, p)}; }},
      {"unet", {""}, hasDiffusersUnet, [](const Shapes& s, const std::string&, const auto&) { return FoundPart{"unet", asNamed(s), {}}; }},
      {"dit", {"", "model."}, hasOriginalDit, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"dit", originalDitViews(s, p), originalDitConfig(s, p)}; }},
      {"vae", {"first_stage_model.", "vae.", ""}, hasLdmVae, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"vae", ldmVaeViews(s, p), ldmVaeConfig(s, p)}; }},
      {"clip",
       {"cond_stage_model.transformer.", "conditioner.embedders.0.transformer.", "text_encoders.clip_l.transformer.", "text_encoders.clip_l.", ""},
       hasClip,
       [](const Shapes& s, const std::string& p, const auto&) {
         FoundPart part{"clip", clipViews(s, p), clipConfig(s, p)};
         if (part.config["hidden_act"] == "gelu") part.kind = "openclip";
         return part;
       }},
      {"openclip", {"text_encoders.clip_g.transformer.", "text_encoders.clip_g."}, hasClip, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"openclip", clipViews(s, p), clipConfig(s, p)}; }},
      {"openclip", {"conditioner.embedders.1.model."}, hasOpenClip, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"openclip", openClipViews(s, p, false), openClipConfig(s, p, false)}; }},
      {"clip", {"cond_stage_model.model."}, hasOpenClip, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"clip", openClipViews(s, p, true), openClipConfig(s, p, true)}; }},
      {"t5", {"text_encoders.t5xxl.transformer.", "text_encoders.t5xxl.", ""}, hasT5, [](const Shapes& s, const std::string& p, const auto&) { return FoundPart{"t5", t5Views(s, p), t5Config(s, p)}; }},
  };
  return all;
}

void refuseScaled(const Shapes& shapes) {
  const auto scaled = std::ranges::find_if(shapes, [](const auto& entry) { return entry.first.ends_with("scaled_fp8") || entry.first.ends_with(".scale_weight"); });
  if (scaled != shapes.end())
    throw ModelError(fmt::format("tensor '{}' says that weights are FP8 with scales beside them, which is not read; use the BF16, FP16 or plain FP8 file", scaled->first));
}

}  // namespace

void refusePickle(const std::filesystem::path& file) {
  static const std::set<std::string> endings = {".ckpt", ".pt", ".pth", ".bin", ".pkl"};
  if (endings.contains(file.extension().string()))
    throw ModelError(fmt::format("{}: is a pickle, which can run any program when it is read; it is refused. Convert it to safetensors", file.string()));
}

std::vector<FoundPart> contentsOf(const Shapes& shapes, const std::filesystem::path& file) {
  std::vector<FoundPart> parts;
  try {
    refuseScaled(shapes);
    for (const Naming& naming : namings())
      for (const std::string& prefix : naming.prefixes)
        if (naming.isThere(shapes, prefix))
          if (FoundPart part = naming.parse(shapes, prefix, file); !findPart(parts, part.kind)) parts.push_back(std::move(part));
  } catch (const ModelError& error) {
    const std::string what = error.what();
    throw ModelError(what.starts_with(file.string()) ? what : fmt::format("{}: {}", file.string(), what));
  }
  return parts;
}

std::vector<FoundPart> contentsOf(const std::filesystem::path& file) {
  refusePickle(file);
  return contentsOf(shapesOf(file), file);
}

const FoundPart* findPart(const std::vector<FoundPart>& parts, std::string_view kind) {
  const auto found = std::ranges::find(parts, kind, &FoundPart::kind);
  return found == parts.end() ? nullptr : &*found;
}

std::string familyOf(const std::vector<FoundPart>& parts) {
  if (findPart(parts, "flux")) return "flux";
  if (findPart(parts, "dit")) return "dit";
  if (findPart(parts, "sd3")) return "sd3";
  const FoundPart* const unet = findPart(parts, "unet");
  if (!unet) return {};
  return unet->views.contains("add_embedding.linear_1.weight") ? "sdxl" : "sd";
}

}  // namespace quantspot::model
