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
  // The folder that a program loads in place of `model`: an export's pipeline/. Empty: the weights are quantized while they are loaded. A GGUF
  // precision always needs it, as the export's own folder, which holds load_gguf.py and pipeline/.
  std::string exported = {};
  std::vector<std::string> kept = {};    // full names of Linear layers that stay plain; empty: the policy's patterns are taken as names
  std::string prompt = "a fox on a yellow background", negative_prompt = {};   // of DiT: the class number
  std::uint64_t seed = 7;
  int steps = 20, width = 128, height = 128;
  std::optional<double> guidance = {};   // absent: the pipeline's own
  std::optional<int> max_sequence_length = {};   // T5 tokens, of families that have such; absent: the pipeline's own
};

// A whole program for Python 3.10 or later. Written against the versions of pythonRequirements(); on a GPU where there is one. Throws
// std::invalid_argument, one line, for what these libraries cannot say: schedules of steps, two quantized precisions in one model,
// GGUF of a family of which none is written, a family that is not known.
std::string pythonSnippet(const SnippetRequest& request);

// requirements.txt for it: the versions that the precisions were compared with.
std::string pythonRequirements(const std::string& policy);

}  // namespace quantspot::decision
