// Which file lies behind a range of memory: for reads past the mapping, and for one line in place of a crash where the file has nothing any more.
#pragma once

#include <cstddef>
#include <filesystem>

namespace quantspot::model {

// From the first range on, a thread that reads a known range where its file was cut, or whose disk fails, writes "PROGRAM: FILE: …" to stderr and ends
// the process with exit code 1; bus errors elsewhere go to whoever handled them before. All three may be called from any thread.
void rememberMapping(const void* begin, std::size_t bytes, int descriptor, const std::filesystem::path& path);
// The descriptor that was remembered with the range that begins there.
int descriptorBehind(const void* begin);
// The same for the last time: before the range is unmapped.
int forgetMapping(const void* begin);

}  // namespace quantspot::model
