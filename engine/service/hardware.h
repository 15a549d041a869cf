// What the machine has: memory, and GPUs by the driver's own library, whether or not this build computes on them.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace quantspot::service {

// {"cpu": name, "ram", "ram_free": bytes, "gpus": [{"name", "memory": bytes, "capability": 89, "bandwidth": bytes per second}]}. What is not found is absent;
// without a driver there are no GPUs. `driver`: the library to ask, for tests.
nlohmann::json hardwareBlock(const std::string& driver = "libcuda.so.1");

}  // namespace quantspot::service
