// DiT (XL/2 at 256 and 512): DiTPipeline of diffusers 0.42.1, which draws classes instead of prompts.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makeDit();

// `folder` is the pipeline's. The condition: "labels" (B) int64. A prompt is a class number or one of the names in model_index.json's id2label.
std::unique_ptr<TextEncoders> loadClassLabels(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Denoiser> loadDitTransformer(const std::filesystem::path& folder, const LoadOptions& options);

// The class that guidance leads away from; DiTPipeline has it written out.
inline constexpr std::int64_t kEmptyClass = 1000;

}  // namespace quantspot::model
