#include "engine/pipeline/png.h"

#include <zlib.h>

#include <new>

namespace quantspot::pipeline {

std::vector<std::uint8_t> deflate(std::span<const std::uint8_t> bytes) {
  uLongf size = compressBound(bytes.size());
  std::vector<std::uint8_t> out(size);
  if (compress2(out.data(), &size, bytes.data(), bytes.size(), 6) != Z_OK) throw std::bad_alloc();
  out.resize(size);
  return out;
}

}  // namespace quantspot::pipeline
