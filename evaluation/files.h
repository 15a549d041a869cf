// Files of an evaluation: written whole or not at all, also when several programs write the same one.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::evaluation {

using Bytes = std::vector<std::uint8_t>;

// The disk did not take a file (full, read-only, too large): whatever comes next would fail alike.
struct WriteError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Both throw std::runtime_error with the path and the reason.
Bytes readBytes(const std::filesystem::path& path);
std::string readText(const std::filesystem::path& path);
// Into a file beside it, flushed to disk, then renamed: a reader sees the old one or the new one. Makes the folder. Throws WriteError.
void writeWhole(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void writeWhole(const std::filesystem::path& path, std::string_view text);
// Indented, broken UTF-8 replaced.
void writeJson(const std::filesystem::path& path, const nlohmann::json& json);
// Nothing when it is absent or no JSON.
std::optional<nlohmann::json> readJson(const std::filesystem::path& path);

// A file or folder name for a policy: letters, digits, "-_.=" stay, the rest becomes "+".
std::string fileName(std::string_view policy);

}  // namespace quantspot::evaluation
