#include "engine/model/clip_text.h"
#include "engine/model/clip_tokenizer.h"
#include "engine/model/config.h"
#include "engine/model/flux/flux.h"
#include "engine/model/prompt_tokens.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/t5_tokenizer.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

class FluxTextEncoders final : public TextEncoders {
 public:
  FluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options);

  PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const override;
  std::int64_t bytes() const override { return totalBytes(clip_.ledger()) + totalBytes(t5_.ledger()); }
  std::vector<LayerInfo> layers() const override;

 private:
  std::filesystem::path folder_;
  at::Device device_;
  ClipTokenizer clipTokenizer_;
  T5Tokenizer t5Tokenizer_;
  ClipText clip_;
  T5Encoder t5_;
};

FluxTextEncoders::FluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options)
    : folder_(folder), device_(options.device), clipTokenizer_(folder / "tokenizer"), t5Tokenizer_(folder / "tokenizer_2"),
      clip_(folder / "text_encoder", withProgress(options, 0, T5Encoder::linears(folder / "text_encoder_2")), "text_encoder."),
      t5_(folder / "text_encoder_2", withProgress(options, ClipText::linears(folder / "text_encoder"), 0), "text_encoder_2.") {
  if (clipTokenizer_.maxLength() > clip_.positions())
    throw ModelError(fmt::format("{}: model_max_length={} exceeds the {} positions of text_encoder", (folder / "tokenizer").string(),
                                 clipTokenizer_.maxLength(), clip_.positions()));
}

PromptEmbedding FluxTextEncoders::encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const {
  PromptEmbedding result;
  std::vector<TokenIds> clip, t5;
  for (const std::string& prompt : prompts) {
    clip.push_back(clipTokenizer_.encode(prompt));
    t5.push_back(t5Tokenizer_.encode(prompt, options.maxSequenceLength));
    if (!clip.back().cut.empty()) result.truncated.push_back(cutMessage("CLIP", clip.back()));
    if (!t5.back().cut.empty()) result.truncated.push_back(cutMessage("T5", t5.back()));
  }
  result.condition["pooled"] = clip_.pooled(toTensor(clip, clip_.vocabulary(), folder_, "text_encoder", device_));
  result.condition["sequence"] = t5_.forward(toTensor(t5, t5_.vocabulary(), folder_, "text_encoder_2", device_));
  return result;
}

std::vector<LayerInfo> FluxTextEncoders::layers() const {
  std::vector<LayerInfo> all = clip_.ledger();
  all.insert(all.end(), t5_.ledger().begin(), t5_.ledger().end());
  return all;
}

}  // namespace

std::unique_ptr<TextEncoders> loadFluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<FluxTextEncoders>(folder, options);
}

}  // namespace quantspot::model
