// The Python beside an exported GGUF file that loads it into diffusers.
#pragma once

#include <filesystem>
#include <string>

namespace quantspot::pipeline {

inline constexpr const char* kGgufModule = "load_gguf.py";

// Source of a module whose load(dtype) gives diffusers' denoiser with the weights of `gguf`, a file beside it, and with the configuration in
// pipeline/. It has its own table of names for FLUX: diffusers 0.42.1 splits fused rows at the real model's widths, whatever the configuration
// says (convert_flux_transformer_checkpoint_to_diffusers). `model` is the folder of the pipeline that is exported.
std::string ggufModule(const std::filesystem::path& model, const std::string& gguf);

}  // namespace quantspot::pipeline
