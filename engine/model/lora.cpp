#include "engine/model/lora.h"

#include "engine/model/flux/names.h"
#include "engine/model/folder.h"
#include "engine/model/lora_names.h"
#include "engine/model/parse_json.h"
#include "engine/model/safetensors.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <array>
#include <cmath>
#include <optional>

namespace quantspot::model {
namespace {

using nlohmann::json;

enum class Piece { Down, Up, Alpha };

struct Suffix {
  std::string_view text;
  Piece piece;
};
constexpr std::array kSuffixes = {
    Suffix{".lora_A.weight", Piece::Down}, Suffix{".lora_B.weight", Piece::Up}, Suffix{".lora_A.default.weight", Piece::Down},
    Suffix{".lora_B.default.weight", Piece::Up}, Suffix{".lora.down.weight", Piece::Down}, Suffix{".lora.up.weight", Piece::Up},
    Suffix{".lora_down.weight", Piece::Down}, Suffix{".lora_up.weight", Piece::Up}, Suffix{"_lora.down.weight", Piece::Down}, Suffix{"_lora.up.weight", Piece::Up}, Suffix{".alpha", Piece::Alpha}};

// What says that a name is of the denoiser and nothing else.
constexpr std::array<std::string_view, 6> kPrefixes = {"base_model.model.", "transformer.", "unet.", "diffusion_model.", "model.diffusion_model.", "lora_unet_"};

struct Raw {
  at::Tensor down, up;
  std::optional<double> alpha;
};

// The first attention processors of diffusers: "attn1.processor.to_out" is the layer attn1.to_out.0.
std::string withoutProcessor(std::string layer) {
  constexpr std::string_view processor = ".processor.";
  const std::size_t at = layer.find(processor);
  if (at == layer.npos) return layer;
  layer.replace(at, processor.size(), ".");
  return layer.ends_with(".to_out") ? layer + ".0" : layer;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(path) {}
  std::map<std::string, LoraUpdate> read();

 private:
  [[noreturn]] void fail(const std::string& what) const { throw ModelError(fmt::format("{}: {}", file_.path().string(), what)); }
  void collect();
  void readSettings();
  double alphaOf(const std::string& key, const std::string& layer, const Raw& raw) const;
  void flatten(const std::string& key, Raw& raw) const;
  void add(const std::string& key, Raw& raw);
  void addPieces(const std::string& key, const FluxEntry& entry, const Raw& raw, double scale);

  SafeTensors file_;
  std::map<std::string, Raw> raw_;       // by name in the file, without its suffix
  json settings_ = json::object();       // "transformer.lora_alpha" and so on
  std::map<std::string, LoraUpdate> updates_;
};

void Reader::collect() {
  for (const auto& [name, entry] : file_.entries()) {
    const auto suffix = std::ranges::find_if(kSuffixes, [&](const Suffix& s) { return name.ends_with(s.text); });
    if (suffix == kSuffixes.end()) fail(fmt::format("tensor '{}' is of no plain LoRA (DoRA, LoHa, LoKr and others are not read)", name));
    Raw& raw = raw_[name.substr(0, name.size() - suffix->text.size())];
    const at::Tensor value = file_.copy(entry);
    if (!at::isFloatingType(value.scalar_type())) fail(fmt::format("tensor '{}' is {}, not floating point", name, c10::toString(value.scalar_type())));
    if (value.numel() == 0) fail(fmt::format("tensor '{}' is empty", name));
    if (suffix->piece == Piece::Alpha) raw.alpha = value.to(at::kDouble).flatten()[0].item<double>();
    else (suffix->piece == Piece::Down ? raw.down : raw.up) = value;
  }
  if (raw_.empty()) fail("holds no LoRA");
}

// diffusers keeps PEFT's settings as JSON in the file's metadata.
void Reader::readSettings() {
  const auto found = file_.metadata().find("lora_adapter_metadata");
  if (found == file_.metadata().end()) return;
  settings_ = parseJson(found->second, [this](const std::string& what) { fail("its lora_adapter_metadata " + what); });
  if (!settings_.is_object()) fail("its lora_adapter_metadata is no JSON object");
}

double Reader::alphaOf(const std::string& key, const std::string& layer, const Raw& raw) const {
  const auto rank = static_cast<double>(raw.down.size(0));
  if (raw.alpha) return *raw.alpha / rank;
  const std::string part = key.substr(0, key.find('.'));
  if (!settings_.contains(part + ".lora_alpha")) return 1;
  double alpha = settings_[part + ".lora_alpha"].get<double>();
  const json patterns = settings_.value(part + ".alpha_pattern", json::object());   // a loop over items() would not keep it
  for (const auto& [pattern, own] : patterns.items())
    if (layer == pattern || layer.ends_with("." + pattern)) alpha = own.get<double>();
  return alpha / (settings_.value(part + ".use_rslora", false) ? std::sqrt(rank) : rank);
}

// Fused layers share `down`; `up` is cut in the order of its rows.
void Reader::addPieces(const std::string& key, const FluxEntry& entry, const Raw& raw, double scale) {
  const std::vector<FluxPart>& layers = entry.parts;
  const std::int64_t rows = raw.up.size(0), width = raw.down.size(1);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool last = i + 1 == layers.size();
    const std::int64_t count = last ? rows - begin : width;   // q, k and v are as wide as their input
    if (count <= 0 || begin + count > rows) fail(fmt::format("'{}' has {} rows, too few for {} layers of {}", key, rows, layers.size(), width));
    at::Tensor up = raw.up.slice(0, begin, begin + count);
    if (entry.swapsHalves) up = at::cat({up.slice(0, count / 2), up.slice(0, 0, count / 2)});
    updates_[layers[i].name] = {raw.down, up.contiguous(), scale};
    begin += count;
  }
}

// A convolution of 1 × 1 is a matrix.
void Reader::flatten(const std::string& key, Raw& raw) const {
  if (raw.down.dim() != 4 || raw.up.dim() != 4) return;
  if (raw.down.size(2) != 1 || raw.down.size(3) != 1 || raw.up.size(2) != 1 || raw.up.size(3) != 1)
    fail(fmt::format("'{}' changes a convolution of {} × {}, which is not applied here; updates of Linear layers and of 1 × 1 convolutions are", key,
                     raw.down.size(2), raw.down.size(3)));
  raw.down = raw.down.flatten(1);
  raw.up = raw.up.flatten(1);
}

void Reader::add(const std::string& key, Raw& raw) {
  if (!raw.down.defined() || !raw.up.defined()) fail(fmt::format("'{}' has only one of its two matrices", key));
  flatten(key, raw);
  if (raw.down.dim() != 2 || raw.up.dim() != 2 || raw.down.size(0) != raw.up.size(1))
    fail(fmt::format("'{}': [{}] and [{}] are no pair of a Linear layer", key, fmt::join(raw.down.sizes(), ", "), fmt::join(raw.up.sizes(), ", ")));
  std::string_view name = key;
  for (const std::string_view prefix : kPrefixes)
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  const std::string layer = loraName(withoutProcessor(std::string(name)));
  double scale = 1;
  try {
    scale = alphaOf(key, layer, raw);
  } catch (const json::exception&) {
    fail("its lora_adapter_metadata has a value of the wrong type");
  }
  const std::optional<std::string> kohya = kohyaLayer(key);
  const std::optional<FluxEntry> original = kohya ? std::nullopt : fluxEntry(layer);
  if (original && !original->isNorm) addPieces(key, *original, raw, scale);
  else if (kohya) updates_[loraName(*kohya)] = {raw.down, raw.up, scale};
  else if (key.starts_with("lora_")) fail(fmt::format("layer '{}' is not known; layers of FLUX and Stable Diffusion in kohya's naming are", key));
  else updates_[layer] = {raw.down, raw.up, scale};
}

std::map<std::string, LoraUpdate> Reader::read() {
  collect();
  readSettings();
  for (auto& [key, raw] : raw_) add(key, raw);
  return std::move(updates_);
}

}  // namespace

std::string loraName(const std::string& layer) {
  for (const std::string part : {"text_encoder.", "text_encoder_2."})
    if (layer.starts_with(part + "encoder.layers.")) return part + "text_model." + layer.substr(part.size());
  return layer;
}

std::map<std::string, LoraUpdate> readLora(const std::filesystem::path& file) { return Reader(file).read(); }

}  // namespace quantspot::model
