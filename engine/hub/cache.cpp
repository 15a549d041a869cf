#include "engine/hub/cache.h"

#include <algorithm>
#include <fstream>
#include <map>

namespace quantspot::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStart = "models--";

// "models--owner--name" → "owner/name"; empty for other folders.
std::string repoOf(const std::string& folder) {
  if (!folder.starts_with(kStart)) return {};
  const std::string_view repo = std::string_view(folder).substr(kStart.size());
  const std::size_t dashes = repo.find("--");
  return dashes == repo.npos ? std::string(repo) : std::string(repo.substr(0, dashes)).append("/").append(repo.substr(dashes + 2));
}

std::vector<fs::path> entriesOf(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) all.push_back(it->path());
  std::ranges::sort(all);
  return all;
}

std::string readRef(const fs::path& file) {
  std::ifstream in(file);
  std::string commit;
  in >> commit;
  return commit;
}

// Names of refs (they may hold slashes: refs/pr/1) → commits.
std::map<std::string, std::string> refsOf(const fs::path& folder) {
  std::map<std::string, std::string> refs;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder / "refs", error), end; !error && it != end; it.increment(error)) {
    std::error_code dangling;
    if (it->is_regular_file(dangling)) refs[it->path().lexically_relative(folder / "refs").generic_string()] = readRef(it->path());
  }
  return refs;
}

// Empty: no problem.
std::string problemOf(const fs::path& folder, const std::string& repo) {
  const std::string again = "quantspot-cli models download " + repo;
  for (const fs::path& part : {folder, folder / "snapshots", folder / "blobs"}) {
    std::error_code error;
    fs::directory_iterator(part, error);
    if (error == std::errc::permission_denied) return part.string() + " cannot be read: permission denied; it belongs to another user";
  }
  const auto blobs = entriesOf(folder / "blobs");
  const auto incomplete = std::ranges::count_if(blobs, [](const fs::path& blob) { return blob.extension() == ".incomplete"; });
  if (incomplete > 0) return "its download was interrupted (incomplete files: " + std::to_string(incomplete) + "); go on with: " + again;
  for (const auto& [revision, commit] : refsOf(folder)) {
    std::error_code gone;
    if (!fs::is_directory(folder / "snapshots" / commit, gone) || commit.empty())
      return "its refs/" + revision + " names a snapshot that is not there; fetch it with: " + again +
             (revision == "main" ? "" : " --revision " + revision);
  }
  return {};
}

std::string known(const std::vector<CachedSnapshot>& snapshots) {
  std::string text;
  for (const CachedSnapshot& snapshot : snapshots) text += (text.empty() ? "" : ", ") + snapshot.revision;
  return text;
}

}  // namespace

bool isCommit(std::string_view text) {
  return text.size() == 40 && std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string commitOf(const fs::path& folder, const std::string& revision) {
  return isCommit(revision) ? revision : readRef(folder / "refs" / revision);
}

fs::path Cache::folder(const std::string& repo) const {
  std::string name(kStart);
  for (const char c : repo) c == '/' ? name.append("--") : name.append(1, c);
  return root_ / name;
}

std::vector<CachedSnapshot> Cache::snapshotsOf(const fs::path& folder) {
  const std::string repo = repoOf(folder.filename().string());
  const auto refs = refsOf(folder);
  std::vector<CachedSnapshot> named, others;
  for (const fs::path& path : entriesOf(folder / "snapshots")) {
    const std::string commit = path.filename().string();
    bool hasName = false;
    for (const auto& [revision, target] : refs)
      if (target == commit) {
        hasName = true;
        named.push_back({repo, revision, commit, path});
      }
    if (!hasName) others.push_back({repo, commit, commit, path});
  }
  std::ranges::stable_sort(named, {}, [](const CachedSnapshot& s) { return std::pair(s.revision != "main", s.revision); });
  named.insert(named.end(), others.begin(), others.end());
  return named;
}

std::vector<CachedSnapshot> Cache::snapshots() const {
  std::vector<CachedSnapshot> all;
  for (const fs::path& folder : entriesOf(root_)) {
    if (repoOf(folder.filename().string()).empty()) continue;
    const auto found = snapshotsOf(folder);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

std::vector<CacheProblem> Cache::problems() const {
  std::vector<CacheProblem> all;
  for (const fs::path& folder : entriesOf(root_)) {
    const std::string repo = repoOf(folder.filename().string());
    if (repo.empty()) continue;
    if (std::string what = problemOf(folder, repo); !what.empty()) all.push_back({repo, folder, std::move(what)});
  }
  return all;
}

fs::path Cache::snapshot(const RepoName& name) const {
  const fs::path own = folder(name.repo);
  std::error_code error;
  const std::string asked = name.revision == "main" ? name.repo : name.repo + " --revision " + name.revision;
  if (const auto there = snapshotsOf(own); there.empty())
    throw HubError(name.repo + " is not in the cache " + root_.string() + "; fetch it with: quantspot-cli models download " + asked);
  else if (const std::string commit = commitOf(own, name.revision); commit.empty())
    throw HubError("revision '" + name.revision + "' of " + name.repo + " is not in the cache, but: " + known(there) +
                   "; name one of them (" + name.repo + "@…) or fetch it with: quantspot-cli models download " + asked);
  else if (const fs::path path = own / "snapshots" / commit; fs::is_directory(path, error)) return path;
  else
    throw HubError("the snapshot of " + name.repo + "@" + name.revision + " is gone: " + path.string() + " does not exist; fetch it with: quantspot-cli models download " +
                   asked);
}

}  // namespace quantspot::hub
