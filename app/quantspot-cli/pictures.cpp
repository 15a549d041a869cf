#include "app/quantspot-cli/pictures.h"

#include "app/quantspot-cli/files.h"
#include "evaluation/picture_file.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::cli {

namespace fs = std::filesystem;

metrics::Image readImage(const fs::path& path) try {
  const std::vector<std::uint8_t> bytes = readFile(path);
  if (const std::string why = evaluation::unreadableReason(bytes); !why.empty()) throw std::invalid_argument("it " + why);
  return metrics::decodeImage(bytes);
} catch (const std::invalid_argument& error) {
  throw std::runtime_error(path.string() + ": " + error.what());
}

std::vector<fs::path> picturesIn(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + " is not a folder");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (evaluation::isPictureName(entry.path())) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  if (found.empty()) throw std::runtime_error(folder.string() + " holds no picture (PNG, JPEG, WebP)");
  return found;
}

service::FeatureSet featureSet(const service::FeatureNetwork& network, const fs::path& path) {
  if (evaluation::isPictureName(path) && fs::is_regular_file(path))
    throw std::runtime_error(path.string() + ": one picture is no set; give a folder of pictures or a .npz file");
  if (!fs::is_directory(path)) return service::readFeatureSet(path);
  std::vector<at::Tensor> rows;
  for (const fs::path& picture : picturesIn(path)) rows.push_back(network.features(readImage(picture)));
  return {at::cat(rows), {}};
}

}  // namespace quantspot::cli
