// What the text encoders of all families do with prompts and tokenizers.
#pragma once

#include "engine/model/components.h"
#include "engine/model/tokenizer_files.h"

namespace quantspot::model {

// Token ids of several prompts (B, L) on `device`. Throws ModelError when one lies beyond the encoder's vocabulary.
at::Tensor toTensor(const std::vector<TokenIds>& prompts, std::int64_t vocabulary, const std::filesystem::path& folder, const char* encoder,
                    const at::Device& device);
// The line for a prompt that was cut.
std::string cutMessage(const char* encoder, const TokenIds& tokens);
// Several parts report one run of progress: `before` layers come before this one's, `after` behind them.
LoadOptions withProgress(const LoadOptions& options, std::size_t before, std::size_t after);

}  // namespace quantspot::model
