// Files that are symbolic links, as all those in a hub's cache are.
#pragma once

#include <filesystem>

namespace quantspot::model {

// False: nothing is there. Throws ModelError for symbolic links that lead nowhere (a blob that was deleted) or in a circle.
bool isThere(const std::filesystem::path& path);

}  // namespace quantspot::model
