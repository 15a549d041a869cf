// Files that the commands read and write. All throw std::runtime_error with the path and the reason.
#pragma once

#include "engine/protocol/messages.h"

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::cli {

std::vector<std::uint8_t> readFile(const std::filesystem::path& path);
std::vector<std::string> readLines(const std::filesystem::path& path);   // without empty ones
void checkFolder(const std::filesystem::path& path);                     // that something can be put there; nothing for ""
void checkFile(const std::filesystem::path& file);                       // the same of a file, which no folder may be in the place of
void writeText(const std::filesystem::path& path, const std::string& text);
void writeJson(const std::filesystem::path& path, const nlohmann::json& json);
std::string dump(const nlohmann::json& json);                            // indented; broken UTF-8 is replaced
void printJson(const nlohmann::json& json);                              // to stdout

// The tensor "latents" of a safetensors file, or its only one.
at::Tensor readLatents(const std::filesystem::path& path);
// "0..9", "7", "1,2,5..8" → the seeds. Throws std::invalid_argument.
std::vector<std::uint64_t> parseSeeds(const std::string& text);
// A whole number from 1 to a million, of an option that is named in the error. Throws std::invalid_argument.
std::size_t parseCount(const char* option, const std::string& text);
// "style.safetensors" or "style.safetensors:0.7": file and scale.
protocol::Lora parseLora(const std::string& text);
// "640x480" or "3,5" → both numbers. Throws std::invalid_argument.
std::array<int, 2> parsePair(const std::string& text);
std::vector<std::string> splitCommas(const std::string& text);

}  // namespace quantspot::cli
