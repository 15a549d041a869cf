// What a recipe may ask for.
#pragma once

#include "engine/protocol/messages.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::pipeline {

const std::vector<std::string>& schedulers();   // ids, display order
// Throws std::invalid_argument with one line: the key, its value and what is possible.
void checkRecipe(const protocol::Recipe& recipe);
// The recipe with what the caller left to the model: max_sequence_length is that of `quantspot.json` in the model's folder
// (a model trained on short captions, like the embedded one, is at its best with few), else diffusers' 512.
protocol::Recipe completeRecipe(protocol::Recipe recipe, const std::filesystem::path& model);
// Whether both may be drawn in one pass: they differ at most in prompts and seed. Throws std::invalid_argument that names what differs.
void checkBatch(const protocol::Recipe& first, const protocol::Recipe& other);
// diffusers' FluxPipeline runs the second pass only when it is asked for and a negative prompt is given.
bool usesTrueCfg(const protocol::Recipe& recipe);

}  // namespace quantspot::pipeline
