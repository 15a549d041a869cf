// Which precision fits a given memory: from shapes alone, before anything is read.
#pragma once

#include "engine/protocol/messages.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::pipeline {

struct MemoryNeed {                      // bytes
  std::int64_t encode = 0, denoise = 0, decode = 0;   // weights and activations of each phase, which follow one another
  std::int64_t highest() const;
};

// Of memoryModel(), parts in turn. `batch` pictures. Throws ModelError as loading would.
MemoryNeed memoryNeed(const std::filesystem::path& model, const std::string& policy, const protocol::Recipe& recipe, std::size_t batch);

struct AutoChoice {
  std::string precision;
  std::string why;                       // one sentence for the report
  std::int64_t limit = 0, needs = 0;     // bytes, the process's own included
};

// What `auto` tries, from the highest precision down.
const std::vector<std::string>& autoLadder();

// The first of the ladder from `from` on that fits `limit` with a reserve of a tenth; limit 0: what the system has free. Throws
// std::runtime_error that says what the smallest one needs when none fits.
AutoChoice choosePrecision(const std::filesystem::path& model, const protocol::Recipe& recipe, std::size_t batch, std::int64_t limit, std::size_t from = 0);

// "6GiB", "500 MB", "1.5G" → bytes. Throws std::invalid_argument.
std::int64_t parseBytes(const std::string& text);

}  // namespace quantspot::pipeline
