#include "app/quantspot-cli/pictures.h"

#include "app/quantspot-cli/files.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::cli {

namespace fs = std::filesystem;

metrics::Image readImage(const fs::path& path) try {
  return metrics::decodeImage(readFile(path));
} catch (const std::invalid_argument& error) {
  throw std::runtime_error(path.string() + ": " + error.what());
}

std::vector<fs::path> picturesIn(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + " is not a folder");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  if (found.empty()) throw std::runtime_error(folder.string() + " holds no picture (PNG, JPEG)");
  return found;
}

service::FeatureSet featureSet(const service::FeatureNetwork& network, const fs::path& path) {
  if (!fs::is_directory(path)) return service::readFeatureSet(path);
  std::vector<at::Tensor> rows;
  for (const fs::path& picture : picturesIn(path)) rows.push_back(network.features(readImage(picture)));
  return {at::cat(rows), {}};
}

}  // namespace quantspot::cli
