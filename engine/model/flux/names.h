// The two namings of a FLUX transformer's tensors: diffusers' and that of Black Forest Labs, which GGUF files use. The latter fuses
// what diffusers keeps apart. Source: diffusers 0.42.1, convert_flux_transformer_checkpoint_to_diffusers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

struct FluxPart {
  std::string name;       // diffusers' layer or norm, without ".weight"
  std::int64_t share = 1; // of the fused tensor's rows, to the sum of all shares
};

struct FluxEntry {
  std::string name;             // of the file, without ".weight", ".bias" or ".scale"
  std::vector<FluxPart> parts;  // one after the other in the fused rows
  bool isNorm = false;          // one vector: "<name>.scale" there, "<part>.weight" here
  bool swapsHalves = false;     // shift and scale of the last modulation, the other way round here
};

// Every layer and norm of a transformer, in the order in which BFL's files have them.
std::vector<FluxEntry> fluxEntries(std::int64_t doubleBlocks, std::int64_t singleBlocks, bool guidance);

// The entry that a layer's name in BFL's naming means, dots or underscores between the words ("double_blocks_3_img_attn_qkv" is of a LoRA);
// nothing when there is no such layer.
std::optional<FluxEntry> fluxEntry(std::string_view name);

}  // namespace quantspot::model
