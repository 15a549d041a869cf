// For tests of programs that must outlive the engine. Does nothing unless QUANTSPOT_TEST_CRASH_AT or QUANTSPOT_TEST_STOP_AT is set.
#pragma once

#include <functional>
#include <string>

namespace quantspot::service {

using Progress = std::function<void(const std::string& stage, int step, int steps)>;

// QUANTSPOT_TEST_CRASH_AT=stage:step[:precision] kills this process (SIGKILL, as the kernel does when memory ends) when a
// generation reaches that step of that stage: "denoise:3", "load:1:bnb-int8". The step's notification is sent first.
// QUANTSPOT_TEST_STOP_AT, of the same form, stops it there (SIGSTOP) until it is told to go on.
Progress crashHook(const std::string& precision, Progress progress);

}  // namespace quantspot::service
