// The functions of the CUDA driver that hardware.cpp asks, for two GPUs.
#include <cstdio>
#include <cstddef>

extern "C" {
int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int* count) { return *count = 2, 0; }
int cuDeviceGet(int* device, int index) { return *device = index, 0; }
int cuDeviceGetName(char* name, int size, int device) { return std::snprintf(name, static_cast<std::size_t>(size), "Fake GPU %d", device), 0; }
int cuDeviceTotalMem_v2(std::size_t* bytes, int) { return *bytes = std::size_t{24} << 30, 0; }
int cuDeviceGetAttribute(int* value, int which, int) {
  *value = which == 36 ? 10'500'000 : which == 37 ? 384 : which == 75 ? 8 : which == 76 ? 9 : 0;
  return 0;
}
}
