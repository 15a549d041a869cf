// Picture files that scores are made of.
#pragma once

#include "engine/service/set_score.h"
#include "metrics/image.h"

#include <filesystem>
#include <vector>

namespace quantspot::cli {

// Throw std::runtime_error with the path.
metrics::Image readImage(const std::filesystem::path& path);
std::vector<std::filesystem::path> picturesIn(const std::filesystem::path& folder);   // PNG and JPEG, by name; at least one

// Of a folder of pictures, or what a file of statistics (.npz) holds.
service::FeatureSet featureSet(const service::FeatureNetwork& network, const std::filesystem::path& path);

}  // namespace quantspot::cli
