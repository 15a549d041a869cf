// What a recipe may ask for.
#pragma once

#include "engine/model/family.h"
#include "engine/protocol/messages.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// Ids of the schedulers that a family takes, in display order.
std::vector<std::string_view> schedulers(const model::FamilyInfo& family);
// Throws std::invalid_argument with one line: the key, its value and what is possible.
void checkRecipe(const protocol::Recipe& recipe, const model::FamilyInfo& family);
// The recipe with what the caller left to the model: max_sequence_length is that of
// `quantspot.json` in the model's folder (a model trained on short captions, like the embedded one, is at its best with few), else
// diffusers' default, and absent where the encoders have a fixed length. A side of 0 becomes ownSize(), where that is 0: 128.
protocol::Recipe completeRecipe(protocol::Recipe recipe, const std::filesystem::path& model);
// Pixels per latent, high and wide; from the autoencoder's configuration.
std::int64_t pixelsPerLatent(const std::filesystem::path& model);
// The side in pixels of the pictures that the denoiser was made for; 0 where its configuration does not say it (FLUX).
int ownSize(const std::filesystem::path& model);
// Whether both may be drawn in one pass: they differ at most in prompts and seed. Throws std::invalid_argument that names what differs.
void checkBatch(const protocol::Recipe& first, const protocol::Recipe& other);
// The id of the scheduler that runs: the recipe's, else that of the folder.
std::string schedulerOf(const protocol::Recipe& recipe, const std::filesystem::path& model);
// The scale of the family's own guidance: the recipe's, else the family's default.
double guidanceOf(const protocol::Recipe& recipe, const model::FamilyInfo& family);
// Whether a second condition, of the negative prompt, is needed.
bool usesNegative(const protocol::Recipe& recipe, const model::FamilyInfo& family);
// diffusers' FluxPipeline runs the second pass only when it is asked for and a negative prompt is given.
bool usesTrueCfg(const protocol::Recipe& recipe);

}  // namespace quantspot::pipeline
