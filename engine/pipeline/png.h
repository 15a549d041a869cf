// A small PNG writer, so that the engine needs no image library. Reading is left to those who show or compare pictures.
#pragma once

#include "engine/pipeline/sampler.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace quantspot::pipeline {

std::vector<std::uint8_t> encodePng(const RgbImage& image);
// Throws std::runtime_error with the path and the reason.
void writeFile(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

// One zlib stream (RFC 1950): compressed where the build has zlib, stored blocks elsewhere.
std::vector<std::uint8_t> deflate(std::span<const std::uint8_t> bytes);

}  // namespace quantspot::pipeline
