// The layers of the fake engine's model, small and in the names of FLUX, under a policy. Knows of policies what the tests need.
#pragma once

#include "engine/protocol/messages.h"
#include "engine/protocol/rpc.h"

#include <cctype>
#include <map>

namespace quantspot::fake {

inline const std::map<std::string, double> kBytesPerWeight = {{"fp32", 4}, {"bf16", 2}, {"fp8-layerwise", 1}, {"bnb-int8", 1},
                                                              {"torchao-int8wo", 1}, {"bnb-nf4", 0.5}, {"gguf-q4_k", 0.5625}, {"gguf-q5_0", 0.6875}};

inline bool known(const std::string& id) { return kBytesPerWeight.contains(id); }

inline bool found(std::string pattern, const std::string& name) {
  const bool start = pattern.starts_with('^');
  if (start) pattern.erase(0, 1);
  const bool end = pattern.ends_with('$');
  if (end) pattern.pop_back();
  if (pattern.starts_with("conv:")) return false;   // the transformer has none
  for (const char* part : {"text_encoder", "vae"})
    if (pattern.starts_with(part) != name.starts_with(part)) return false;
  for (auto at = name.find(pattern); at != std::string::npos; at = name.find(pattern, at + 1)) {
    const auto after = at + pattern.size();
    const bool cut = std::isdigit(pattern.back()) && after < name.size() && std::isdigit(name[after]);
    if ((!start || at == 0) && (!end || after == name.size()) && !cut) return true;
  }
  return false;
}

// "?skip=a,b&c=d" one after another; unknown precisions are refused as by the engine.
inline std::string precisionOf(const std::string& policy, const std::string& name) {
  const auto question = policy.find('?');
  const std::string base = policy.substr(0, question);
  if (!known(base)) throw protocol::RpcError(protocol::InvalidParams, "unknown precision \"" + base + "\"");
  const bool encoder = name.starts_with("text_encoder") || name.starts_with("vae");
  std::string skipped, ruled;
  for (std::string rest = question == std::string::npos ? "" : policy.substr(question + 1); !rest.empty();) {
    const std::string part = rest.substr(0, rest.find('&'));
    rest.erase(0, part.size() + 1);
    const std::string key = part.substr(0, part.find('=')), value = part.substr(key.size() + 1);
    if (key == "skip") {
      for (std::string list = value; !list.empty();) {
        const std::string pattern = list.substr(0, list.find(','));
        list.erase(0, pattern.size() + 1);
        if (found(pattern, name)) skipped = "bf16";
      }
    } else if (!known(value)) {
      throw protocol::RpcError(protocol::InvalidParams, "unknown precision \"" + value + "\"");
    } else if (found(key, name)) {
      ruled = value;
    }
  }
  const bool normed = base == "fp8-layerwise" && name.find("norm") != std::string::npos;
  return !ruled.empty() ? ruled : !skipped.empty() || encoder || normed ? "bf16" : base;
}

inline void add(protocol::InspectResult& model, const std::string& component, const std::string& name, std::vector<std::int64_t> shape,
                const std::string& policy) {
  std::int64_t weights = 1;
  for (const std::int64_t size : shape) weights *= size;
  std::string precision = shape.size() > 1 ? precisionOf(policy, name) : "bf16";
  if (precision == "gguf-q4_k" && shape.back() % 256 != 0) precision = "gguf-q5_0";
  const auto bytes = static_cast<std::int64_t>(static_cast<double>(weights) * kBytesPerWeight.at(precision));
  model.layers.push_back({component, name, precision, std::move(shape), bytes});
}

inline protocol::InspectResult inspect(const std::string& policy) {
  protocol::InspectResult model{"Fake", "flux", "00", policy == "bf16" ? 13'000'000 : 6'900'000, {}};
  for (const std::string name : {"self_attn.q_proj", "mlp.fc1"}) add(model, "text_encoder", "text_encoder.encoder.layers.0." + name, {192, 192}, policy);
  add(model, "text_encoder", "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q", {192, 192}, policy);
  add(model, "vae", "vae.decoder.layers.0", {32, 16, 3, 3}, policy);
  add(model, "transformer", "time_text_embed.guidance_embedder.linear_1", {256, 256}, policy);
  add(model, "transformer", "x_embedder", {256, 64}, policy);
  for (const std::string block : {"transformer_blocks.0.", "transformer_blocks.1."}) {
    for (const char* name : {"norm1.linear", "attn.to_q", "attn.to_out.0", "ff.net.0.proj"})
      add(model, "transformer", block + name, {256, 256}, policy);
    add(model, "transformer", block + "attn.norm_q", {32}, policy);
  }
  for (const std::string block : {"single_transformer_blocks.0.", "single_transformer_blocks.1.", "single_transformer_blocks.2."})
    for (const char* name : {"norm.linear", "attn.to_q", "proj_out"}) add(model, "transformer", block + name, {256, 256}, policy);
  add(model, "transformer", "norm_out.linear", {512, 256}, policy);
  add(model, "transformer", "proj_out", {64, 256}, policy);
  return model;
}

// What three models take: one like FLUX, one like Stable Diffusion ("half"), one that draws classes.
inline protocol::ModelTraits traits(const std::string& model) {
  protocol::ModelTraits traits;
  traits.family = "flux", traits.label = "FLUX", traits.scheduler = "flow-match-euler", traits.steps = 28, traits.guidance = 3.5;
  traits.schedulers = {{"flow-match-euler", "Flow matching, Euler"}, {"flow-match-heun", "Flow matching, Heun"}};
  if (model == "default") return traits;
  traits.classifier = true, traits.multiple = 8, traits.scheduler = "ddim", traits.schedulers = {{"ddim", "DDIM"}, {"euler", "Euler"}};
  traits.family = model == "half" ? "sd" : "dit", traits.label = model == "half" ? "Stable Diffusion" : "DiT";
  traits.width = traits.height = model == "half" ? 512 : 256;
  traits.image_to_image = traits.prompt_weights = traits.clip_skip = model == "half";
  if (model == "classes") traits.classes = {{"0", "tench, Tinca tinca"}, {"1", "goldfish"}, {"2", "great white shark"}};
  return traits;
}

inline protocol::FitResult fit(const protocol::FitParams& params) {
  protocol::FitResult result;
  for (const auto& shape : params.shapes) {
    auto& instead = result.instead.emplace_back();
    if (shape.back() % 256 != 0) instead["gguf-q4_k"] = "gguf-q5_0";
    if (shape.back() == 64) instead["bnb-int8"] = "bf16";
  }
  return result;
}

// A denoiser of 24 GiB in bf16 beside 9 of text encoders; a picture takes 1.
inline protocol::EstimateResult estimated(const protocol::EstimateParams& params) {
  constexpr std::int64_t gib = std::int64_t{1} << 30;
  protocol::EstimateResult result{.entries = {}, .process_bytes = gib / 2};
  for (const std::string& precision : params.precisions) {
    const double share = precision.find('?') == precision.npos ? 1 : 0.6;   // a mix
    const auto weights = static_cast<std::int64_t>(12.0 * gib * share * kBytesPerWeight.at(precision.substr(0, precision.find('?'))));
    const auto place = [&](const char* name, std::int64_t encode, std::int64_t denoise, std::int64_t decode) {
      return protocol::PlacementBytes{name, {encode, gib / 8, 0}, {denoise, gib, 0}, {decode, gib, 0}};
    };
    const std::int64_t all = weights + 9 * gib + gib / 2;
    result.entries.push_back({precision, "", {place("together", all, all, all), place("model", 9 * gib, weights, gib / 2), place("group", gib, weights / 20, gib / 2),
                                              place("sequential", gib / 8, weights / 100, gib / 8)}});
  }
  return result;
}

inline protocol::ScanResult scanned(const protocol::ScanParams& params) {
  protocol::ScanResult result;
  const protocol::InspectResult before = inspect(params.reference), after = inspect(params.precision);
  for (std::size_t i = 0; i < before.layers.size(); ++i) {
    const protocol::LayerEntry &high = before.layers[i], &low = after.layers[i];
    if (high.component != "transformer") continue;
    result.bytes_before += high.bytes, result.bytes_after += low.bytes;
    if (high.precision == low.precision) continue;
    const auto digit = high.name.find_first_of("0123456789");
    const std::string name = params.blocks && digit < high.name.size() ? high.name.substr(0, digit + 1) : high.name;
    if (result.groups.empty() || result.groups.back().name != name) result.groups.push_back({name, {}, 0, 0, 0});
    protocol::ScannedGroup& group = result.groups.back();
    group.layers.push_back(high.name);
    group.before += high.bytes, group.after += low.bytes;
    group.error = static_cast<double>(group.before - group.after) / 1e7;
  }
  result.all = 0.25;
  if (params.max_error > 0 || params.max_bytes > 0) {
    const std::string rule = params.reference + "?^single_transformer_blocks.=" + params.precision;
    result.found = protocol::FoundPolicy{rule, {"single_transformer_blocks.0", "single_transformer_blocks.1"}, 0.05, 0.04, result.bytes_before - 1000, 1};
  }
  return result;
}

}  // namespace quantspot::fake
