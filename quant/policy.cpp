#include "quant/policy.h"

#include "quant/plain.h"

#include <algorithm>
#include <stdexcept>

namespace quantspot::quant {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(std::min(text.size(), end + 1)))
    pieces.push_back(text.substr(0, end = text.find(separator)));
  return pieces;
}

[[noreturn]] void fail(std::string_view text, const std::string& why) {
  throw std::invalid_argument("policy \"" + std::string(text) + "\": " + why);
}

std::string knownId(std::string_view text, std::string_view id) try {
  return std::string(quantizer(id).name());
} catch (const std::invalid_argument& error) {
  fail(text, error.what());
}

// One "skip=a,b", "pattern=id" or "option=value".
void addRule(Policy& policy, std::string_view text, std::string_view rule) {
  const std::size_t equals = rule.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == rule.size())
    fail(text, "\"" + std::string(rule) + "\" is neither skip=pattern,… nor pattern=precision");
  const std::string_view key = rule.substr(0, equals), value = rule.substr(equals + 1);
  const auto options = quantizer(policy.precision).options();
  if (std::find(options.begin(), options.end(), key) != options.end()) {
    const char* separator = policy.precision.find('?') == std::string::npos ? "?" : "&";
    policy.precision = knownId(text, policy.precision + separator + std::string(rule));
    return;
  }
  if (key != "skip") {
    if (const Quantizer& asked = quantizer(value); key == "softmax" && asked.name() != plainPrecision(asked.computeType()))
      fail(text, "a softmax has no weights to pack; use softmax=fp16, bf16 or fp32");
    policy.layers.emplace_back(key, knownId(text, value));
    return;
  }
  for (const std::string_view pattern : split(value, ',')) {
    if (pattern.empty()) fail(text, "empty pattern in \"" + std::string(rule) + "\"");
    policy.skip.emplace_back(pattern);
  }
}

constexpr std::string_view kTextEncoder = "text_encoder", kAutoencoder = "vae", kConvolutions = "conv:";

// What a pattern is for: all three must suit the layer.
struct Scope {
  explicit Scope(std::string_view rule) : pattern(rule), convolutions(rule.starts_with(kConvolutions)) {
    if (convolutions) pattern.remove_prefix(kConvolutions.size());
    const std::string_view start = pattern.substr(pattern.starts_with('^'));
    part = start.starts_with(kTextEncoder) ? kTextEncoder : start.starts_with(kAutoencoder) ? kAutoencoder : std::string_view();
  }
  std::string_view pattern, part;   // part: empty for the transformer or UNet
  bool convolutions;                // and nothing else
};

bool ofTextEncoder(std::string_view rule) { return Scope(rule).part == kTextEncoder; }

// "text_encoder", "text_encoder_2.": one that names no layer, so that default skips hold.
bool namesWholePart(std::string_view pattern) { return pattern.find('.') >= pattern.size() - 1; }

// transformers keeps T5's `wo` out of what bitsandbytes and quanto quantize (_keep_in_fp32_modules).
bool keptInTextEncoder(const Quantizer& quantizer, std::string_view layer) {
  const bool byTransformers = quantizer.name().starts_with("bnb-") || quantizer.name().starts_with("quanto-");
  return (byTransformers && layer.ends_with(".wo")) || quantizer.skips(layer);
}

}  // namespace

bool matchesLayer(std::string_view pattern, std::string_view layer) {
  const bool atStart = pattern.starts_with('^'), atEnd = pattern.ends_with('$');
  pattern.remove_prefix(atStart);
  pattern.remove_suffix(atEnd && !pattern.empty());
  for (std::size_t at = layer.find(pattern); at != std::string_view::npos; at = layer.find(pattern, at + 1)) {
    const std::size_t end = at + pattern.size();
    const bool cutsNumber = end < layer.size() && !pattern.empty() && isDigit(pattern.back()) && isDigit(layer[end]);
    if ((!atStart || at == 0) && (!atEnd || end == layer.size()) && !cutsNumber) return true;
  }
  return false;
}

std::string Policy::precisionOf(std::string_view layer, LayerKind kind) const {
  const bool convolution = kind == LayerKind::Convolution;
  const std::string_view part = Scope(layer).part;
  const auto speaksOf = [&](std::string_view rule) {
    const Scope scope(rule);
    return scope.part == part && (convolution || !scope.convolutions) && matchesLayer(scope.pattern, layer);
  };
  const auto gives = [&](const auto& rule) {
    return speaksOf(rule.first) && (!convolution || Scope(rule.first).convolutions || part == kAutoencoder || quantizer(rule.second).reachesConvolutions());
  };
  const Quantizer& base = quantizer(precision);
  const std::string plain(plainPrecision(base.computeType()));
  const bool skipped = std::ranges::any_of(skip, speaksOf);
  const auto named = std::find_if(layers.rbegin(), layers.rend(), gives);
  if (named != layers.rend()) {
    const bool kept = part == kTextEncoder && namesWholePart(named->first) && (skipped || keptInTextEncoder(quantizer(named->second), layer));
    return kept ? plain : named->second;
  }
  const bool reached = part.empty() && !skipped && !base.skips(layer) && (!convolution || base.reachesConvolutions());
  return reached ? std::string(base.name()) : plain;
}

std::string Policy::textEncoderRules() const {
  std::string line;
  for (const std::string& pattern : skip)
    if (ofTextEncoder(pattern)) line += "skip=" + pattern + "&";
  for (const auto& [pattern, id] : layers)
    if (ofTextEncoder(pattern)) line += pattern + "=" + id + "&";
  return line;
}

std::string Policy::softmax() const {
  const auto rule = std::find_if(layers.rbegin(), layers.rend(), [](const auto& one) { return one.first == "softmax"; });
  return rule == layers.rend() ? "" : rule->second;
}

std::string Policy::text() const {
  std::string line = precision;
  char separator = line.find('?') == std::string::npos ? '?' : '&';
  for (std::size_t i = 0; i < skip.size(); ++i) line += (i ? "," : std::string(1, std::exchange(separator, '&')) + "skip=") + skip[i];
  for (const auto& [pattern, id] : layers) line += std::exchange(separator, '&') + pattern + "=" + id;
  return line;
}

Policy parsePolicy(std::string_view text) {
  const std::size_t question = text.find('?');
  Policy policy;
  policy.precision = knownId(text, text.substr(0, question));
  if (question == std::string_view::npos) return policy;
  for (const std::string_view rule : split(text.substr(question + 1), '&')) addRule(policy, text, rule);
  return policy;
}

}  // namespace quantspot::quant
