// Copies of a pipeline's folder: what diffusers loads, and nothing else that may lie there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// The parts that model_index.json names and that are there; model::ModelError when it cannot be read.
std::vector<std::string> partsOf(const std::filesystem::path& model);
// model_index.json, where parts that are not there are [null, null] as diffusers writes it, and licences, cards and hints beside it.
void copyTop(const std::filesystem::path& from, const std::filesystem::path& to);
// A part's folder but for config.json, weights and their indices.
void copyBesideWeights(const std::filesystem::path& from, const std::filesystem::path& to);
// A text encoder's tensor by the name that programs of any age read: transformers 5 leaves out CLIP's "text_model.". Unchanged for T5's.
std::string clipName(const std::string& name);
// A part as it is, but for clipName(). Weights that come in another form than safetensors with diffusers' names (GGUF, a checkpoint in its
// original naming) are written so, in the file's type.
void copyPart(const std::filesystem::path& from, const std::filesystem::path& to);
// Bytes that copyPart() writes; at most 4 KiB for each tensor too much.
std::int64_t partBytes(const std::filesystem::path& from);

}  // namespace quantspot::pipeline
