// What config.json of a UNet2DConditionModel asks for (diffusers 0.42.1).
#pragma once

#include "engine/model/config.h"
#include "engine/model/resnet.h"
#include "engine/model/transformer_block.h"

namespace quantspot::model {

struct UnetConfig {
  // Throws ModelError with file, key and value for what is not supported.
  explicit UnetConfig(const Config& config);

  struct Stage {                         // from the widest map down
    std::int64_t channels = 0, layers = 2;
    bool downAttends = false, upAttends = false;
    SpatialTransformerShape transformer;
  };
  std::vector<Stage> stages;
  std::int64_t inChannels = 4, outChannels = 4, timeChannels = 0, timeWidth = 0, kernelIn = 3, kernelOut = 3, downPadding = 1;
  double freqShift = 0, middleScale = 1;
  bool centers = false, cosFirst = true, hasMiddle = true;
  ResnetOptions resnet;
  std::string act;
  Activation timeAct = nullptr, timeAfter = nullptr;   // on the embedding, and at the end of its network; nullptr: none
  std::int64_t guidanceWidth = 0;        // of the embedded guidance scale (LCM's distilled UNets); 0: none
  // Sizes beside the text (SDXL's text_time); 0: none.
  std::int64_t sizeChannels = 0, addedWidth = 0;

  std::size_t linears() const;           // how many Linear layers there are
};

}  // namespace quantspot::model
