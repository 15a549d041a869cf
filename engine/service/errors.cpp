#include "engine/service/errors.h"

#include "engine/hub/settings.h"
#include "engine/pipeline/sampler.h"
#include "engine/protocol/address_space.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>

namespace quantspot::service {
namespace {

using protocol::RpcError;

std::string firstLine(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

// Names in damaged files may hold anything, line ends and terminal codes among it.
std::string oneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

// Most of what runs out of memory says so in words only: libtorch's CPU allocator, oneDNN, mmap, threads that cannot be started.
bool saysMemory(std::string_view line) {
  for (const char* words : {"not enough memory", "can't allocate memory", "Cannot allocate memory", "could not create a memory", "out of memory", "bad_alloc",
                            "Resource temporarily unavailable"})
    if (line.find(words) != line.npos) return true;
  return line == "could not create a primitive";   // of oneDNN, whose code finds no room; what it cannot do at all is said of a "primitive descriptor"
}

// line: what found no room; empty: nobody says.
RpcError outOfMemory(const std::string& line) {
  const std::string limit = protocol::addressSpaceText();
  return {protocol::OutOfMemory, "out of memory" + (line.empty() ? "" : ": " + line) + "; " + (limit.empty() ? "" : limit + ": raise it, or ") +
                                     "use a smaller size or a smaller precision"};
}

RpcError describeTorch(const c10::Error& error) {
  const std::string line = firstLine(error.what_without_backtrace());
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) || saysMemory(line) ? outOfMemory(line) : RpcError(protocol::InternalError, "libtorch: " + line);
}

}  // namespace

RpcError describe(const std::exception_ptr& error) try {
  std::rethrow_exception(error);
} catch (const RpcError& known) {
  return known;
} catch (const pipeline::Cancelled& cancelled) {
  return {protocol::Cancelled, cancelled.what()};
} catch (const hub::Cancelled& cancelled) {
  return {protocol::Cancelled, cancelled.what()};
} catch (const std::bad_alloc&) {
  return outOfMemory("");
} catch (const c10::Error& torch) {
  return describeTorch(torch);
} catch (const nlohmann::json::exception& json) {
  return {protocol::InvalidParams, oneLine(json.what())};
} catch (const std::invalid_argument& invalid) {
  return {protocol::InvalidParams, oneLine(invalid.what())};
} catch (const std::exception& other) {
  return saysMemory(other.what()) ? outOfMemory(oneLine(other.what())) : RpcError(protocol::InternalError, oneLine(other.what()));
} catch (...) {
  return {protocol::InternalError, "an error that tells nothing about itself"};
}

}  // namespace quantspot::service
