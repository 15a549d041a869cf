// A folder that appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>

namespace quantspot::pipeline {

// Writes go into path(), a folder beside the wanted one; publish() brings it to the disk and gives it its name. Without publish() nothing is
// left; after a crash what is left is called NAME.part, which the next run clears away.
class WholeFolder {
 public:
  // `replaces`: a folder that is there goes when the new one takes its place, in one step where the file system can. Throws
  // std::invalid_argument (it is there, its parent is not), std::runtime_error (somebody else is writing it, no rights).
  WholeFolder(const std::filesystem::path& out, bool replaces);
  ~WholeFolder();
  WholeFolder(const WholeFolder&) = delete;
  WholeFolder& operator=(const WholeFolder&) = delete;

  const std::filesystem::path& path() const { return partial_; }
  void publish();                        // throws std::runtime_error

 private:
  std::filesystem::path out_, partial_;
  bool replaces_;
  int lock_ = -1;
};

// Throws std::runtime_error when the file system of `folder` (or of the nearest one above that is there) has less than this many bytes free.
void checkRoom(const std::filesystem::path& folder, std::int64_t bytes);

}  // namespace quantspot::pipeline
