#include "engine/model/links.h"

#include "engine/model/folder.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::model {

namespace fs = std::filesystem;

bool isThere(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return true;
  if (error == std::errc::too_many_symbolic_link_levels) throw ModelError(fmt::format("{}: its symbolic links lead in a circle; download the model again", path.string()));
  std::error_code none;
  if (const auto own = fs::symlink_status(path, none); fs::is_symlink(own))
    throw ModelError(fmt::format("{}: is a link to {}, which does not exist; download the model again", path.string(), fs::read_symlink(path, none).string()));
  return false;
}

}  // namespace quantspot::model
