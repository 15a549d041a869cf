#include "engine/model/config.h"
#include "engine/model/prompt_tokens.h"
#include "engine/model/sd/clip_encoders.h"
#include "engine/model/sd3/sd3.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/t5_tokenizer.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

class Sd3TextEncoders final : public TextEncoders {
 public:
  Sd3TextEncoders(const std::filesystem::path& folder, const LoadOptions& options);

  PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const override {
    return withT5(clip_->encode(prompts, options), prompts, options);
  }
  PromptEmbedding encodeNegative(const std::optional<std::string>& prompt, const EncodeOptions& options) const override {
    return withT5(clip_->encodeNegative(prompt, options), {prompt.value_or("")}, options);
  }
  std::int64_t bytes() const override { return totalBytes(layers()); }
  std::vector<LayerInfo> layers() const override;

 private:
  struct T5 {
    T5Tokenizer tokenizer;
    T5Encoder encoder;
  };
  PromptEmbedding withT5(PromptEmbedding made, const std::vector<std::string>& prompts, const EncodeOptions& options) const;
  at::Tensor t5Sequence(const std::vector<std::string>& prompts, const EncodeOptions& options, const at::Tensor& like,
      std::vector<std::string>& truncated) const;

  std::filesystem::path folder_;
  at::Device device_;
  std::int64_t jointWidth_;
  std::unique_ptr<TextEncoders> clip_;
  std::optional<T5> t5_;
};

Sd3TextEncoders::Sd3TextEncoders(const std::filesystem::path& folder, const LoadOptions& options)
    : folder_(folder), device_(options.device), jointWidth_(Config(folder / "transformer" / "config.json").positive("joint_attention_dim", 4096)) {
  const bool whole = !leavesOut(folder, "text_encoder_3");
  const std::size_t behind = whole ? T5Encoder::linears(folder / "text_encoder_3") : 0;
  std::size_t before = 0;
  LoadOptions first = withProgress(options, 0, behind);
  first.onLayer = [&before, inner = first.onLayer](std::size_t done, std::size_t total) {
    before = done;
    if (inner) inner(done, total);
  };
  clip_ = loadClipEncoders(folder, first, {.parts = {{"tokenizer", "text_encoder", true}, {"tokenizer_2", "text_encoder_2", true}}, .skipped = 1,
      .normed = false});
  if (whole)
    t5_.emplace(T5{T5Tokenizer(folder / "tokenizer_3"), T5Encoder(folder / "text_encoder_3", withProgress(options, before, 0), "text_encoder_3.")});
}

at::Tensor Sd3TextEncoders::t5Sequence(const std::vector<std::string>& prompts, const EncodeOptions& options, const at::Tensor& like,
                                       std::vector<std::string>& truncated) const {
  if (!t5_) return at::zeros({static_cast<std::int64_t>(prompts.size()), options.maxSequenceLength, jointWidth_}, like.options());
  std::vector<TokenIds> tokens;
  for (const std::string& prompt : prompts) {
    tokens.push_back(t5_->tokenizer.encode(prompt, options.maxSequenceLength));
    if (!tokens.back().cut.empty()) truncated.push_back(cutMessage("T5", tokens.back()));
  }
  return t5_->encoder.forward(toTensor(tokens, t5_->encoder.vocabulary(), folder_, "text_encoder_3", device_));
}

PromptEmbedding Sd3TextEncoders::withT5(PromptEmbedding made, const std::vector<std::string>& prompts, const EncodeOptions& options) const {
  at::Tensor& sequence = made.condition["sequence"];
  const at::Tensor t5 = t5Sequence(prompts, options, sequence, made.truncated);
  if (t5.size(2) < sequence.size(2))
    throw ModelError(fmt::format("{}: text_encoder and text_encoder_2 are {} wide together, more than the {} of text_encoder_3", folder_.string(),
        sequence.size(2), t5.size(2)));
  sequence = at::cat({at::constant_pad_nd(sequence, {0, t5.size(2) - sequence.size(2)}), t5}, 1);
  return made;
}

std::vector<LayerInfo> Sd3TextEncoders::layers() const {
  std::vector<LayerInfo> all = clip_->layers();
  if (t5_) all.insert(all.end(), t5_->encoder.ledger().begin(), t5_->encoder.ledger().end());
  return all;
}

}  // namespace

std::unique_ptr<TextEncoders> loadSd3TextEncoders(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<Sd3TextEncoders>(folder, options);
}

}  // namespace quantspot::model
