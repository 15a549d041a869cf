// One file of a repository into the cache: blobs/<etag>, named in snapshots/<commit>/ by a link.
#pragma once

#include "engine/hub/cache.h"
#include "engine/hub/listing.h"

namespace quantspot::hub {

struct FileMeta {
  std::string path, url, etag, commit;   // etag: the SHA-256 where the file is kept in large file storage
  std::uint64_t bytes = 0;
  bool isHash() const { return etag.size() == 64; }
};

// HEAD <endpoint>/<repo>/resolve/<revision>/<path>. Throws HubError.
FileMeta describeFile(const HubClient& client, const RepoName& repo, const std::string& commit, const RemoteFile& file);

struct RepoFolders {
  std::filesystem::path blobs, snapshot, locks;
};

// How many of the blob's bytes are there already, whole or begun.
std::uint64_t bytesThere(const RepoFolders& folders, const FileMeta& meta);

// Fetches what is missing of the blob, goes on where a broken download ended, checks size and SHA-256 and makes the link. Another program that
// fetches the same file (also huggingface_hub) is waited for. `onBytes` hears of bytes as they come; negative: some were of no use.
// Throws HubError, Cancelled; what came so far stays as <etag>.incomplete unless its hash is wrong.
void fetchFile(const HubClient& client, const RepoName& repo, const RepoFolders& folders, const FileMeta& meta,
               const std::function<void(std::int64_t)>& onBytes);

}  // namespace quantspot::hub
