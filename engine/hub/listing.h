// What a hub says of a repository: its files and its terms.
#pragma once

#include "engine/hub/http.h"

#include <vector>

namespace quantspot::hub {

struct RemoteFile {
  std::string path;                      // inside the repository
  std::uint64_t bytes = 0;
};
struct Listing {
  std::string commit, license;           // license: of the model card; empty: not told
  std::vector<RemoteFile> files;
};

struct HubClient {
  HubSettings settings;
  const std::atomic<bool>* cancel = nullptr;
  int attempts = 5;                      // of a request that the hub was too busy for or whose connection failed
  int pauseMs = 500;                     // before the second attempt, doubled for each that follows; Retry-After goes before
  std::string license = {};              // told where access is refused

  std::vector<std::string> headers() const;
  // perform() with attempts (where write is set, not after a broken connection: some bytes came); any other status than 200, 206 and 302…308 (where nothing follows) throws HubError with what it means.
  HttpResponse request(HttpRequest request, const RepoName& repo, const std::string& what) const;
  void pause(int attempt, const std::string& retryAfter) const;   // throws Cancelled
  // What a status means, as one line: gated, forbidden, not there, busy.
  [[noreturn]] void fail(const HttpResponse& response, const RepoName& repo, const std::string& what) const;
};

// One request: GET <endpoint>/api/models/<repo>/revision/<revision>?blobs=true. Throws HubError.
Listing listFiles(const HubClient& client, const RepoName& repo);

// What a pipeline is loaded from: of a repository with model_index.json that file and those of its components' folders, without weights in
// other formats than safetensors and without variants ("….fp16.safetensors") where the plain ones are there; of others everything. With
// globs (as fnmatch(3); * also matches slashes) what any of them matches. Throws HubError when nothing is left.
std::vector<RemoteFile> chooseFiles(const Listing& listing, const RepoName& repo, const std::vector<std::string>& include);

}  // namespace quantspot::hub
