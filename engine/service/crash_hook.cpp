#include "engine/service/crash_hook.h"

#include <csignal>
#include <cstdlib>

namespace quantspot::service {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Progress crashHook(const std::string& precision, Progress progress) {
  const std::string crash = environment("QUANTSPOT_TEST_CRASH_AT"), stop = environment("QUANTSPOT_TEST_STOP_AT");
  if (crash.empty() && stop.empty()) return progress;
  return [crash, stop, precision, progress = std::move(progress)](const std::string& stage, int step, int steps) {
    if (progress) progress(stage, step, steps);
    const std::string here = stage + ":" + std::to_string(step);
    const auto isHere = [&](const std::string& at) { return at == here || at == here + ":" + precision; };
    if (isHere(crash)) std::raise(SIGKILL);
    if (isHere(stop)) std::raise(SIGSTOP);   // stops the whole process, this thread before it returns
  };
}

}  // namespace quantspot::service
