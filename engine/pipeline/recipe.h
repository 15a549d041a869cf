// What a recipe may ask for.
#pragma once

#include "engine/protocol/messages.h"

#include <string>
#include <vector>

namespace quantspot::pipeline {

const std::vector<std::string>& schedulers();   // ids, display order
// Throws std::invalid_argument with one line: the key, its value and what is possible.
void checkRecipe(const protocol::Recipe& recipe);
// diffusers' FluxPipeline runs the second pass only when it is asked for and a negative prompt is given.
bool usesTrueCfg(const protocol::Recipe& recipe);

}  // namespace quantspot::pipeline
