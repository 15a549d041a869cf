// A whole model from a hub into the cache.
#pragma once

#include "engine/hub/settings.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

namespace quantspot::hub {

struct DownloadProgress {
  std::string file;                      // that the last bytes are of
  std::uint64_t bytes = 0, total = 0;    // what was there before counts as done
};

struct DownloadOptions {
  RepoName repo;
  std::vector<std::string> include = {}; // globs; empty: what a pipeline needs, see chooseFiles()
  int parallel = 4;                      // files at a time
  std::function<void(const DownloadProgress&)> progress = {};   // one call at a time, from several threads
  const std::atomic<bool>* cancel = nullptr;
  int attempts = 5, pauseMs = 500;       // see HubClient
};

struct DownloadResult {
  std::filesystem::path snapshot;
  std::string commit, license;           // license: empty where the hub names none
  std::size_t files = 0;
  std::uint64_t bytes = 0, fetched = 0;  // of all files; that came over the network
};

// Asks the hub for the files, checks that the disk has room for them, fetches what is missing, several at a time, and writes refs/ last.
// What a broken or cancelled download left is used by the next. Throws HubError, Cancelled.
DownloadResult download(const HubSettings& settings, const DownloadOptions& options);

}  // namespace quantspot::hub
