#include "engine/model/pixart/pixart.h"
#include "engine/model/prompt_tokens.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/t5_tokenizer.h"
#include "engine/model/unicode.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::model {
namespace {

// As the pipeline without its optional caption cleaner: lower case, no white space at the ends.
std::string prepared(const std::string& prompt) {
  const std::u32string text = unicode::lower(unicode::decode(prompt));
  const auto first = std::ranges::find_if_not(text, unicode::isSpace);
  const auto last = std::find_if_not(text.rbegin(), text.rend(), unicode::isSpace).base();
  return first < last ? unicode::encode(std::u32string(first, last)) : "";
}

class PixArtTextEncoder final : public TextEncoders {
 public:
  PixArtTextEncoder(const std::filesystem::path& folder, const LoadOptions& options)
      : folder_(folder), device_(options.device), tokenizer_(folder / "tokenizer"), encoder_(folder / "text_encoder", options, "text_encoder.") {}

  PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const override;
  std::int64_t bytes() const override { return totalBytes(encoder_.ledger()); }
  std::vector<LayerInfo> layers() const override { return encoder_.ledger(); }

 private:
  std::filesystem::path folder_;
  at::Device device_;
  T5Tokenizer tokenizer_;
  T5Encoder encoder_;
};

PromptEmbedding PixArtTextEncoder::encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const {
  PromptEmbedding result;
  std::vector<TokenIds> tokens;
  std::vector<at::Tensor> masks;
  for (const std::string& prompt : prompts) {
    tokens.push_back(tokenizer_.encode(prepared(prompt), options.maxSequenceLength));
    if (!tokens.back().cut.empty()) result.truncated.push_back(cutMessage("T5", tokens.back()));
    masks.push_back(at::arange(options.maxSequenceLength).lt(static_cast<std::int64_t>(tokens.back().total)));
  }
  const at::Tensor mask = at::stack(masks).to(device_);
  const at::Tensor sequence = encoder_.forward(toTensor(tokens, encoder_.vocabulary(), folder_, "text_encoder", device_), mask);
  result.condition = {{"sequence", sequence}, {"mask", mask.to(sequence.scalar_type())}};
  return result;
}

}  // namespace

std::unique_ptr<TextEncoders> loadPixArtTextEncoder(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<PixArtTextEncoder>(folder, options);
}

}  // namespace quantspot::model
