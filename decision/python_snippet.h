// The Python text that draws with a precision through diffusers and the library that the precision equals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::decision {

struct SnippetRequest {
  std::string family;                    // "flux", "sd", "sdxl", "sd3", "pixart", "dit"
  std::string model;                     // a folder or "owner/name", as from_pretrained takes it
  std::string policy = "bf16";           // id or policy text
  // What an export wrote. Empty: the weights are quantized while they are loaded. A GGUF precision always needs it: the .gguf file;
  // of the others: the folder, which then stands for `model`, too.
  std::string exported = {};
  std::vector<std::string> kept = {};    // full names of Linear layers that stay plain; empty: the policy's patterns are taken as names
  std::string prompt = "a fox on a yellow background", negative_prompt = {};   // of DiT: the class number
  std::uint64_t seed = 7;
  int steps = 20, width = 128, height = 128;
  std::optional<double> guidance = {};   // absent: the pipeline's own
};

// A whole program for Python 3.10 or later. Written against the versions of pythonRequirements(); on a GPU where there is one. Throws
// std::invalid_argument, one line, for what these libraries cannot say: schedules of steps, two quantized precisions in one model,
// GGUF of a family that diffusers does not read from one file, a family that is not known.
std::string pythonSnippet(const SnippetRequest& request);

// The file that an export of a GGUF precision holds: "unet-gguf-q8_0.gguf". Throws std::invalid_argument for a family that is not known.
std::string exportedGguf(const std::string& family, const std::string& policy);

// requirements.txt for it: the versions that the precisions were compared with.
std::string pythonRequirements(const std::string& policy);

}  // namespace quantspot::decision
