// Text encoders and autoencoder for stable-diffusion.cpp, which renders with a UNet's GGUF file only when they come under names that it knows.
#pragma once

#include <cstdint>
#include <filesystem>

namespace quantspot::pipeline {

inline constexpr char kCompanion[] = "text-encoders-and-vae.safetensors";

// Whether a pipeline's GGUF file needs it: those with a UNet. (FLUX's parts it takes from their own files: --clip_l, --t5xxl, --vae.)
bool needsCompanion(const std::filesystem::path& model);
// Writes text_encoder, text_encoder_2 and vae of a UNet's pipeline into one safetensors file, in the types that their files have. Throws ModelError.
void writeCompanion(const std::filesystem::path& model, const std::filesystem::path& file);
// Upper estimate of its size.
std::int64_t companionBytes(const std::filesystem::path& model);

}  // namespace quantspot::pipeline
