#include "engine/model/clip_text.h"
#include "engine/model/clip_tokenizer.h"
#include "engine/model/config.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/t5_tokenizer.h"
#include "engine/model/unicode.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

class FluxTextEncoders final : public TextEncoders {
 public:
  FluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options);

  PromptEmbedding encode(const std::vector<std::string>& prompts, int maxSequenceLength) const override;
  std::int64_t bytes() const override { return totalBytes(clip_.ledger()) + totalBytes(t5_.ledger()); }
  std::vector<LayerInfo> layers() const override;

 private:
  at::Tensor toTensor(const std::vector<TokenIds>& prompts, std::int64_t vocabulary, const char* encoder) const;

  std::filesystem::path folder_;
  at::Device device_;
  ClipTokenizer clipTokenizer_;
  T5Tokenizer t5Tokenizer_;
  ClipText clip_;
  T5Encoder t5_;
};

// Both encoders report one run of progress: `before` layers come before this one's, `after` behind them.
LoadOptions withProgress(const LoadOptions& options, std::size_t before, std::size_t after) {
  LoadOptions shifted = options;
  if (options.onLayer)
    shifted.onLayer = [=, onLayer = options.onLayer](std::size_t done, std::size_t total) { onLayer(before + done, before + total + after); };
  return shifted;
}

std::string cutMessage(const char* encoder, const TokenIds& tokens) {
  constexpr std::size_t kShown = 200;  // characters; a pasted book must not fill the log
  std::u32string cut = unicode::decode(tokens.cut);
  if (cut.size() > kShown) {
    cut.resize(kShown);
    cut += U'…';
  }
  return fmt::format("{} reads {} of {} tokens of the prompt; cut: '{}'", encoder, tokens.ids.size(), tokens.total, unicode::encode(cut));
}

FluxTextEncoders::FluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options)
    : folder_(folder), device_(options.device), clipTokenizer_(folder / "tokenizer"), t5Tokenizer_(folder / "tokenizer_2"),
      clip_(folder / "text_encoder", withProgress(options, 0, T5Encoder::linears(folder / "text_encoder_2")), "text_encoder."),
      t5_(folder / "text_encoder_2", withProgress(options, ClipText::linears(folder / "text_encoder"), 0), "text_encoder_2.") {
  if (clipTokenizer_.maxLength() > clip_.positions())
    throw ModelError(fmt::format("{}: model_max_length={} exceeds the {} positions of text_encoder", (folder / "tokenizer").string(),
                                 clipTokenizer_.maxLength(), clip_.positions()));
}

PromptEmbedding FluxTextEncoders::encode(const std::vector<std::string>& prompts, int maxSequenceLength) const {
  PromptEmbedding result;
  std::vector<TokenIds> clip, t5;
  for (const std::string& prompt : prompts) {
    clip.push_back(clipTokenizer_.encode(prompt));
    t5.push_back(t5Tokenizer_.encode(prompt, maxSequenceLength));
    if (!clip.back().cut.empty()) result.truncated.push_back(cutMessage("CLIP", clip.back()));
    if (!t5.back().cut.empty()) result.truncated.push_back(cutMessage("T5", t5.back()));
  }
  result.pooled = clip_.pooled(toTensor(clip, clip_.vocabulary(), "text_encoder"));
  result.sequence = t5_.forward(toTensor(t5, t5_.vocabulary(), "text_encoder_2"));
  return result;
}

std::vector<LayerInfo> FluxTextEncoders::layers() const {
  std::vector<LayerInfo> all = clip_.ledger();
  all.insert(all.end(), t5_.ledger().begin(), t5_.ledger().end());
  return all;
}

at::Tensor FluxTextEncoders::toTensor(const std::vector<TokenIds>& prompts, std::int64_t vocabulary, const char* encoder) const {
  std::vector<at::Tensor> rows;
  for (const TokenIds& prompt : prompts) {
    const auto highest = *std::max_element(prompt.ids.begin(), prompt.ids.end());
    if (highest >= vocabulary)
      throw ModelError(fmt::format("{}: the tokenizer gives id {}, the vocabulary of {} has {}", folder_.string(), highest, encoder, vocabulary));
    rows.push_back(at::tensor(prompt.ids, at::kLong));
  }
  return at::stack(rows).to(device_);
}

}  // namespace

std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<FluxTextEncoders>(folder, options);
}

}  // namespace quantspot::model
