// The pictures that people judged, as files: what they are called, their hashes, and how they were made where a report tells it.
#pragma once

#include "engine/pipeline/export.h"

#include <filesystem>
#include <vector>

namespace quantspot::service {

// `path`: the report.json or folder of a comparison (its pictures of this policy and these weights), the report of `generate` (its picture lies
// beside it, with the same stem), a picture, or a folder of pictures. Throws std::runtime_error: nothing there, a picture that cannot be
// read or is not the one that its report speaks of.
std::vector<pipeline::JudgedImage> judgedImages(const std::filesystem::path& path, const quant::Policy& policy, const std::string& weightsHash);

}  // namespace quantspot::service
