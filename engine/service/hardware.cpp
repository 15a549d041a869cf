#include "engine/service/hardware.h"

#include <dlfcn.h>

#include <cstdint>
#include <fstream>
#include <memory>

namespace quantspot::service {
namespace {

using nlohmann::json;

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};

// The driver's interface, as cuda.h declares it; results of 0 are success.
class Driver {
 public:
  explicit Driver(const std::string& name) : library_(::dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL)) {}

  json gpus() const {
    json all = json::array();
    int count = 0;
    if (!library_ || !call<int(unsigned)>("cuInit", 0u) || !call<int(int*)>("cuDeviceGetCount", &count)) return all;
    for (int i = 0; i < count; ++i)
      if (json one = gpu(i); !one.is_null()) all.push_back(std::move(one));
    return all;
  }

 private:
  template <class Function, class... Arguments>
  bool call(const char* name, Arguments... arguments) const {
    const auto function = reinterpret_cast<Function*>(::dlsym(library_.get(), name));
    return function && function(arguments...) == 0;
  }

  int attribute(int which, int device) const {
    int value = 0;
    return call<int(int*, int, int)>("cuDeviceGetAttribute", &value, which, device) ? value : 0;
  }

  json gpu(int index) const {
    constexpr int clockRate = 36, busWidth = 37, major = 75, minor = 76;   // CU_DEVICE_ATTRIBUTE_…: kHz of the memory, its bits, the capability
    int device = 0;
    char name[256] = {};
    std::size_t memory = 0;
    if (!call<int(int*, int)>("cuDeviceGet", &device, index) || !call<int(char*, int, int)>("cuDeviceGetName", name, 255, device) ||
        !call<int(std::size_t*, int)>("cuDeviceTotalMem_v2", &memory, device))
      return nullptr;
    json found = {{"name", name}, {"memory", memory}, {"capability", 10 * attribute(major, device) + attribute(minor, device)}};
    const double bandwidth = 2e3 * attribute(clockRate, device) * attribute(busWidth, device) / 8;   // two transfers per clock
    if (bandwidth > 0) found["bandwidth"] = bandwidth;
    return found;
  }

  std::unique_ptr<void, CloseLibrary> library_;
};

std::int64_t memoryLine(const std::string& key) {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with(key)) return std::stoll(line.substr(key.size())) * 1024;
  return 0;
}

std::string cpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
  return {};
}

}  // namespace

json hardwareBlock(const std::string& driver) {
  json found = json::object();
  if (const std::string name = cpuName(); !name.empty()) found["cpu"] = name;
  if (const std::int64_t all = memoryLine("MemTotal:"); all > 0) found["ram"] = all;
  if (const std::int64_t free = memoryLine("MemAvailable:"); free > 0) found["ram_free"] = free;
  found["gpus"] = Driver(driver).gpus();
  return found;
}

}  // namespace quantspot::service
