#include "engine/service/crash_hook.h"

#include <csignal>
#include <cstdlib>

namespace quantspot::service {

Progress crashHook(const std::string& precision, Progress progress) {
  const char* at = std::getenv("QUANTSPOT_TEST_CRASH_AT");
  if (!at || !*at) return progress;
  return [at = std::string(at), precision, progress = std::move(progress)](const std::string& stage, int step, int steps) {
    if (progress) progress(stage, step, steps);
    const std::string here = stage + ":" + std::to_string(step);
    if (at == here || at == here + ":" + precision) std::raise(SIGKILL);
  };
}

}  // namespace quantspot::service
