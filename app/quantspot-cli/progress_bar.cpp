#include "app/quantspot-cli/progress_bar.h"

#include <unistd.h>

#include <cstdio>

namespace quantspot::cli {

ProgressBar::ProgressBar(std::string title) : title_(std::move(title)), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::show(const std::string& stage, int step, int steps) {
  if (!terminal_) return;
  constexpr int kWidth = 24;
  const int full = steps > 0 ? kWidth * step / steps : 0;
  const std::string bar = std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kWidth - full), '.');
  std::fprintf(stderr, "\r\033[K%s %-7s [%s] %d/%d", title_.c_str(), stage.c_str(), bar.c_str(), step, steps);
  std::fflush(stderr);
}

}  // namespace quantspot::cli
