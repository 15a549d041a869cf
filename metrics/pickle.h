// Python's pickle, of which only plain data and torch's tensors are understood: a small interpreter that calls nothing. Every name that a
// pickle wants to import must be on a short list; anything else is refused, so that a weight file can never run code.
#pragma once

#include "metrics/zip_archive.h"

#include <ATen/core/ScalarType.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace quantspot::metrics {

struct Pickled;
using PickledPtr = Pickled*;             // owned by the Pickle

// A value of a pickle; a list may hold itself, so readers limit their depth.
struct Pickled {
  enum class Kind { None, Number, Text, List, Dict, Global, Storage, Tensor, Object } kind = Kind::None;
  std::int64_t number = 0;
  std::string text;                                       // Text; Global: "module name"; Storage: its key
  std::vector<PickledPtr> items;                          // List (tuples, too)
  std::vector<std::pair<PickledPtr, PickledPtr>> pairs;   // Dict; Object: its state
  // Storage: type and number of values. Tensor: a window into `storage`.
  at::ScalarType dtype = at::kFloat;
  PickledPtr storage = nullptr;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes, strides;
};

struct Pickle {                          // movable: the values stay where they are
  std::deque<Pickled> values;
  const Pickled* root = nullptr;
};

// Reads one pickle from `position` on, which then lies behind it. `path` is for messages. Throws FileError: truncated, an import that is not
// on the list (it is named), a step that plain data do not need.
Pickle readPickle(const std::filesystem::path& path, std::span<const std::uint8_t> bytes, std::size_t& position);

}  // namespace quantspot::metrics
