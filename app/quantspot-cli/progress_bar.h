// One line on stderr that is drawn over; nothing at all when stderr is no terminal.
#pragma once

#include <string>

namespace quantspot::cli {

class ProgressBar {
 public:
  explicit ProgressBar(std::string title = {});
  ~ProgressBar();                        // clears the line
  void show(const std::string& stage, int step, int steps);

 private:
  std::string title_;
  bool terminal_;
};

}  // namespace quantspot::cli
