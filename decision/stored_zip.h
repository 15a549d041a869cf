// One file out of a study's bundle, which is a ZIP of stored (not compressed) files.
#pragma once

#include <string>
#include <string_view>

namespace quantspot::decision {

// The contents of `name` in the ZIP file `zip`. Throws std::runtime_error: no ZIP, no such file in it, a file that is compressed or cut off.
std::string storedFile(std::string_view zip, std::string_view name);

}  // namespace quantspot::decision
