// One file by its address, outside of any hub.
#pragma once

#include "engine/hub/http.h"

#include <filesystem>

namespace quantspot::hub {

struct UrlFetch {
  std::string url;
  std::filesystem::path path;            // where it goes; nothing is fetched when it is there
  std::string sha256;                    // first digits of its hash; empty: unknown
  std::function<void(std::uint64_t bytes, std::uint64_t total)> progress = {};   // total: 0 where the server does not say
  const std::atomic<bool>* cancel = nullptr;
  int attempts = 5, pauseMs = 500;       // as in HubClient
};

// Fetches into <path>.part, goes on where an earlier try ended, and gives the file its name when it is whole and its hash is right; a wrong one
// is deleted. Throws HubError, Cancelled.
void fetchUrl(const UrlFetch& fetch);

}  // namespace quantspot::hub
