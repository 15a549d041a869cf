// The limit of a process's address space (`ulimit -v`, RLIMIT_AS; batch systems set it). What libraries do without room is not ours to choose: libtorch
// ends in std::terminate while it sets itself up, and oneDNN writes through a null pointer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace quantspot::protocol {

// What libtorch takes to set itself up (69 MiB), a thread's stack, and what the libraries take while a first picture computes.
inline constexpr std::int64_t kLibrariesTake = 144 << 20;

struct AddressSpace {
  std::int64_t limit = 0, taken = 0;     // bytes
  std::int64_t left() const { return limit - taken; }
};

// Of this process, now. Absent: there is no limit, or the system does not tell what is taken. Two system calls; allocates nothing.
std::optional<AddressSpace> addressSpace();

// "the limit of address space is 620 MiB (ulimit -v)"; empty without a limit.
std::string addressSpaceText();

// Ends the program with exit code 1 and one line where the limit leaves less than `bytes` beside what is mapped already. Only system calls: it can run
// before the libraries of the program are set up.
void endWithoutAddressSpace(const char* program, std::int64_t bytes);

}  // namespace quantspot::protocol

// In a program's main.cpp: the check runs before anything else of it and of its libraries, for what they take to set themselves up.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QUANTSPOT_NEEDS_ADDRESS_SPACE(program, bytes)   // which take terabytes
#else
#define QUANTSPOT_NEEDS_ADDRESS_SPACE(program, bytes)                                                                   \
  static void checkAddressSpace() { quantspot::protocol::endWithoutAddressSpace(program, bytes); }                      \
  __attribute__((used, section(".preinit_array"))) static void (*const checkAddressSpaceFirst)() = checkAddressSpace
#endif
