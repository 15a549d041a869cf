#include "engine/pipeline/pinned.h"

#include <ATen/ATen.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

namespace quantspot::pipeline {
namespace {

constexpr std::int64_t kFirst = 16 << 20, kLargest = 256 << 20, kAlignment = 256;

at::Tensor pinnedBytes(std::int64_t bytes) try {
  return at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(true));
} catch (const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  spdlog::warn("no pinned memory ({}); ordinary memory is used, from which layers are copied more slowly", text.substr(0, text.find('\n')));
  return at::empty({bytes}, at::kByte);
}

}  // namespace

PinnedMemory::PinnedMemory(Allocate allocate) : allocate_(allocate ? std::move(allocate) : pinnedBytes), next_(kFirst) {}

at::Tensor PinnedMemory::place(const at::Tensor& tensor) {
  const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
  if (bytes == 0) return tensor.cpu();
  at::Tensor place;
  if (bytes > kLargest / 2) {            // would leave too much of a piece empty
    place = allocate_(bytes);
  } else {
    while (!piece_.defined() || used_ + bytes > piece_.numel()) {
      piece_ = allocate_(next_);
      used_ = 0;
      next_ = std::min(2 * next_, kLargest);
    }
    place = piece_.narrow(0, used_, bytes);
    used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  const at::Tensor copy = place.view(tensor.scalar_type()).view(tensor.sizes());
  copy.copy_(tensor);
  return copy;
}

}  // namespace quantspot::pipeline
