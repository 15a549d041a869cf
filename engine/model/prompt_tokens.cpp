#include "engine/model/prompt_tokens.h"

#include "engine/model/folder.h"
#include "engine/model/unicode.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {

at::Tensor toTensor(const std::vector<TokenIds>& prompts, std::int64_t vocabulary, const std::filesystem::path& folder, const char* encoder,
                    const at::Device& device) {
  std::vector<at::Tensor> rows;
  for (const TokenIds& prompt : prompts) {
    const auto highest = *std::max_element(prompt.ids.begin(), prompt.ids.end());
    if (highest >= vocabulary)
      throw ModelError(fmt::format("{}: the tokenizer gives id {}, the vocabulary of {} has {}", folder.string(), highest, encoder, vocabulary));
    rows.push_back(at::tensor(prompt.ids, at::kLong));
  }
  return at::stack(rows).to(device);
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

LoadOptions withProgress(const LoadOptions& options, std::size_t before, std::size_t after) {
  LoadOptions shifted = options;
  if (options.onLayer)
    shifted.onLayer = [=, onLayer = options.onLayer](std::size_t done, std::size_t total) { onLayer(before + done, before + total + after); };
  return shifted;
}

}  // namespace quantspot::model
