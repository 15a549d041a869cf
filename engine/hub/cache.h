// The cache folder that huggingface_hub keeps: models--owner--name/{refs,snapshots,blobs}. Only reads; nothing here uses the network.
#pragma once

#include "engine/hub/settings.h"

#include <vector>

namespace quantspot::hub {

struct CachedSnapshot {
  std::string repo, revision, commit;    // revision: "main" and the like, or the commit where no ref names it
  std::filesystem::path path;            // …/snapshots/<commit>
};

// What keeps a repository's folder from being used: one line, with what to do.
struct CacheProblem {
  std::string repo;
  std::filesystem::path path;            // the repository's folder
  std::string what;
};

class Cache {
 public:
  explicit Cache(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path folder(const std::string& repo) const;
  // Every snapshot of every model, "main" before the other revisions of a repository. An absent or unreadable cache is empty.
  std::vector<CachedSnapshot> snapshots() const;
  // Interrupted downloads, refs without their snapshot, folders without permission; of all repositories of models.
  std::vector<CacheProblem> problems() const;
  // Of one model's folder, wherever it lies.
  static std::vector<CachedSnapshot> snapshotsOf(const std::filesystem::path& folder);
  // Throws HubError: not in the cache (what there is, and how it is fetched, is told), a ref whose snapshot is gone.
  std::filesystem::path snapshot(const RepoName& name) const;

 private:
  std::filesystem::path root_;
};

// The revision's commit as refs/ tells it, or the revision itself where it is one; empty: unknown.
std::string commitOf(const std::filesystem::path& folder, const std::string& revision);
bool isCommit(std::string_view text);    // 40 hexadecimal digits

}  // namespace quantspot::hub
