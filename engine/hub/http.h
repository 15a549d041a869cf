// One HTTP request with libcurl. Any thread; every call has a handle of its own.
#pragma once

#include "engine/hub/settings.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace quantspot::hub {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;      // "Authorization: …": not sent on to other hosts
  bool head = false;
  bool follow = true;                    // redirects, to any http or https address
  std::uint64_t offset = 0;              // asks for the bytes from here on
  // Takes the body of an answer of 200 or 206 as it comes; false stops, and what it throws perform() throws. Empty: the body is kept.
  std::function<bool(int status, const char* data, std::size_t bytes)> write = {};
  const std::atomic<bool>* cancel = nullptr;
};
struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;   // of the last answer; names in lower case
  std::string body;
  std::string header(const std::string& name) const;   // empty: not there
};

// The connection failed or broke: worth another try.
struct ConnectionError : HubError {
  using HubError::HubError;
};

// Throws ConnectionError, Cancelled. Connecting may take 10 s, silence 60 s.
HttpResponse perform(const HttpRequest& request);

}  // namespace quantspot::hub
