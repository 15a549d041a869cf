#include "engine/model/sd/clip_encoders.h"

#include "engine/model/clip_text.h"
#include "engine/model/clip_tokenizer.h"
#include "engine/model/folder.h"
#include "engine/model/prompt_tokens.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

class ClipEncoders final : public TextEncoders {
 public:
  ClipEncoders(const std::filesystem::path& folder, const LoadOptions& options, ClipEncodersOptions clip);

  PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const override;
  PromptEmbedding encodeNegative(const std::optional<std::string>& prompt, const EncodeOptions& options) const override;
  std::int64_t bytes() const override { return totalBytes(layers()); }
  std::vector<LayerInfo> layers() const override;

 private:
  struct Part {
    std::string name;
    ClipTokenizer tokenizer;
    ClipText text;
  };
  ClipText::Output run(const Part& part, const std::vector<std::string>& prompts, const EncodeOptions& options,
                       std::vector<std::string>& truncated) const;

  std::filesystem::path folder_;
  at::Device device_;
  ClipEncodersOptions clip_;
  std::vector<Part> parts_;
};

ClipEncoders::ClipEncoders(const std::filesystem::path& folder, const LoadOptions& options, ClipEncodersOptions clip)
    : folder_(folder), device_(options.device), clip_(std::move(clip)) {
  std::size_t before = 0, all = 0;
  for (const auto& part : clip_.parts) all += ClipText::linears(folder / part.encoder, {part.projected});
  for (const auto& part : clip_.parts) {
    const std::size_t own = ClipText::linears(folder / part.encoder, {part.projected});
    ClipText text(folder / part.encoder, withProgress(options, before, all - before - own), part.encoder + ".", {part.projected});
    ClipTokenizer tokenizer(folder / part.tokenizer);
    if (tokenizer.maxLength() > text.positions())
      throw ModelError(fmt::format("{}: model_max_length={} exceeds the {} positions of {}", (folder / part.tokenizer).string(),
                                   tokenizer.maxLength(), text.positions(), part.encoder));
    parts_.push_back({part.encoder, std::move(tokenizer), std::move(text)});
    before += own;
  }
}

// Token by token, then as a whole back to the mean that it had (lpw_stable_diffusion of diffusers' community pipelines).
at::Tensor emphasized(const at::Tensor& sequence, const std::vector<std::vector<float>>& weights) {
  std::vector<at::Tensor> rows;
  for (const auto& row : weights) rows.push_back(at::tensor(row));
  const auto mean = [](const at::Tensor& x) { return x.to(at::kFloat).mean({-2, -1}, true).to(x.scalar_type()); };
  const at::Tensor scaled = sequence * at::stack(rows).to(sequence.options()).unsqueeze(-1);
  return scaled * (mean(sequence) / mean(scaled));
}

bool plain(const std::vector<std::vector<float>>& weights) {
  return std::ranges::all_of(weights, [](const auto& row) { return std::ranges::all_of(row, [](float weight) { return weight == 1; }); });
}

ClipText::Output ClipEncoders::run(const Part& part, const std::vector<std::string>& prompts, const EncodeOptions& options,
                                   std::vector<std::string>& truncated) const {
  std::vector<TokenIds> tokens;
  std::vector<std::vector<float>> weights;
  for (const std::string& prompt : prompts) {
    tokens.push_back(options.weighted ? part.tokenizer.encode(parseWeights(prompt), weights.emplace_back()) : part.tokenizer.encode(prompt));
    if (!tokens.back().cut.empty()) truncated.push_back(cutMessage(&part == &parts_.front() ? "CLIP" : "OpenCLIP", tokens.back()));
  }
  auto out = part.text.forward(toTensor(tokens, part.text.vocabulary(), folder_, part.name.c_str(), device_), clip_.skipped + options.clipSkip,
                               clip_.normed);
  if (!plain(weights)) out.sequence = emphasized(out.sequence, weights);
  return out;
}

PromptEmbedding ClipEncoders::encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const {
  PromptEmbedding result;
  std::vector<at::Tensor> sequences;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const ClipText::Output out = run(parts_[i], prompts, options, result.truncated);
    sequences.push_back(out.sequence);
    if (!clip_.parts[i].projected) continue;
    at::Tensor& pooled = result.condition["pooled"];
    pooled = pooled.defined() ? at::cat({pooled, out.pooled}, -1) : out.pooled;
  }
  if (sequences.front().size(1) != sequences.back().size(1))
    throw ModelError(fmt::format("{}: the two tokenizers cut at {} and {} tokens; they must agree", folder_.string(), sequences.front().size(1),
                                 sequences.back().size(1)));
  result.condition["sequence"] = at::cat(sequences, -1);
  return result;
}

// diffusers skips no layers for the negative prompt, whatever clip_skip says.
PromptEmbedding ClipEncoders::encodeNegative(const std::optional<std::string>& prompt, const EncodeOptions& options) const {
  EncodeOptions own = options;
  own.clipSkip = 0;
  PromptEmbedding result = encode({prompt.value_or("")}, own);
  if (!prompt && clip_.zeroNegative)
    for (auto& [name, tensor] : result.condition) tensor = at::zeros_like(tensor);
  return result;
}

std::vector<LayerInfo> ClipEncoders::layers() const {
  std::vector<LayerInfo> all;
  for (const Part& part : parts_) all.insert(all.end(), part.text.ledger().begin(), part.text.ledger().end());
  return all;
}

}  // namespace

std::unique_ptr<TextEncoders> loadClipEncoders(const std::filesystem::path& folder, const LoadOptions& options, const ClipEncodersOptions& clip) {
  return std::make_unique<ClipEncoders>(folder, options, clip);
}

}  // namespace quantspot::model
