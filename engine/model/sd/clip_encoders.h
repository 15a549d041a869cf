// One or two CLIP text encoders, as Stable Diffusion and SDXL use them: the sequences side by side, the pooled vector of the last.
#pragma once

#include "engine/model/components.h"

#include <memory>

namespace quantspot::model {

struct ClipEncodersOptions {
  struct Part {
    std::string tokenizer, encoder;      // folders
    bool projected = false;              // gives the pooled vector
  };
  std::vector<Part> parts;
  int skipped = 0;                       // last layers that are always left out of the sequence
  bool normed = true;                    // the final norm over the sequence
  bool zeroNegative = false;             // no negative prompt means zeros, not the empty prompt
};

// The condition: "sequence" (B, 77, sum of widths), with projections also "pooled" (B, P), those of all side by side.
std::unique_ptr<TextEncoders> loadClipEncoders(const std::filesystem::path& folder, const LoadOptions& options, const ClipEncodersOptions& clip);

}  // namespace quantspot::model
