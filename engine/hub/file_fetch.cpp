#include "engine/hub/file_fetch.h"

#include "engine/model/sha256.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace quantspot::hub {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void failSystem(const std::string& what, const fs::path& path) {
  throw HubError(what + " " + path.string() + ": " + std::strerror(errno));
}

// A file descriptor with what may go wrong with it.
class File {
 public:
  File(fs::path path, int flags) : path_(std::move(path)), fd_(::open(path_.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) failSystem("cannot open", path_);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const char* data, std::size_t bytes) const {
    while (bytes > 0) {
      const ssize_t done = ::write(fd_, data, bytes);
      if (done < 0 && errno != EINTR) failSystem("cannot write", path_);
      if (done < 0) continue;
      data += done;
      bytes -= static_cast<std::size_t>(done);
    }
  }
  void truncate() const {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) < 0) failSystem("cannot empty", path_);
  }
  void lock(const std::atomic<bool>* cancel) const {   // as filelock does for huggingface_hub
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) failSystem("cannot lock", path_);
      if (cancel && *cancel) throw Cancelled();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  std::uint64_t size() const { return fs::file_size(path_); }
  std::string sha256(const std::atomic<bool>* cancel) const {
    std::vector<char> buffer(std::size_t{1} << 20);
    model::Sha256 hash;
    const File in(path_, O_RDONLY);
    for (ssize_t got; (got = ::read(in.fd_, buffer.data(), buffer.size())) != 0;) {
      if (got < 0 && errno != EINTR) failSystem("cannot read", path_);
      if (cancel && *cancel) throw Cancelled();
      if (got > 0) hash.add(buffer.data(), static_cast<std::size_t>(got));
    }
    return hash.hex();
  }

 private:
  fs::path path_;
  int fd_;
};

std::string plainTag(std::string tag) {
  if (tag.starts_with("W/")) tag.erase(0, 2);
  std::erase(tag, '"');
  return tag;
}

std::string urlOf(const HubClient& client, const RepoName& repo, const std::string& commit, const std::string& path) {
  constexpr std::string_view plain = "-_.~/";
  constexpr char digits[] = "0123456789ABCDEF";
  std::string url = client.settings.endpoint + "/" + repo.repo + "/resolve/" + commit + "/";
  for (const unsigned char c : path)
    if (std::isalnum(c) || plain.find(static_cast<char>(c)) != plain.npos) url += static_cast<char>(c);
    else url += {'%', digits[c >> 4], digits[c & 15]};
  return url;
}

fs::path incompleteOf(const fs::path& blob) { return blob.string() + ".incomplete"; }

std::uint64_t sizeOf(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  return error ? 0 : bytes;
}

// One request for the rest. False: the connection broke, and more may come with the next.
bool fetchRest(const HubClient& client, const RepoName& repo, const FileMeta& meta, const File& file, const std::function<void(std::int64_t)>& onBytes) {
  std::uint64_t have = file.size();
  HttpRequest request{.url = meta.url, .headers = {}, .offset = have};
  bool first = true;
  request.write = [&](int status, const char* data, std::size_t bytes) {
    if (std::exchange(first, false) && status == 200 && have > 0) {   // the whole file: this server knows no ranges
      onBytes(-static_cast<std::int64_t>(have));
      file.truncate();
      have = 0;
    }
    file.write(data, bytes);
    have += bytes;
    onBytes(static_cast<std::int64_t>(bytes));
    return have <= meta.bytes;
  };
  try {
    client.request(request, repo, meta.path);
  } catch (const ConnectionError&) {
    return false;
  }
  return have == meta.bytes;
}

// Each attempt begins where the last one ended; as long as bytes come, the attempts are not counted.
void fetchAll(const HubClient& client, const RepoName& repo, const FileMeta& meta, const File& file, const std::function<void(std::int64_t)>& onBytes) {
  for (int attempt = 0; file.size() < meta.bytes;) {
    const std::uint64_t before = file.size();
    if (fetchRest(client, repo, meta, file, onBytes)) return;
    if (file.size() > before) attempt = 0;
    if (++attempt >= client.attempts)
      throw HubError(repo.repo + ": the connection for " + meta.path + " broke after " + std::to_string(file.size()) + " of " + std::to_string(meta.bytes) +
                     " bytes; run the command again to go on from there");
    client.pause(attempt - 1, {});
  }
}

void check(const RepoName& repo, const FileMeta& meta, const File& file, const fs::path& path, const HubClient& client) {
  std::string wrong;
  if (file.size() != meta.bytes) wrong = "has " + std::to_string(file.size()) + " bytes, the hub announced " + std::to_string(meta.bytes);
  else if (const std::string hash = meta.isHash() ? file.sha256(client.cancel) : meta.etag; hash != meta.etag)
    wrong = "has the SHA-256 " + hash.substr(0, 12) + "…, the hub announced " + meta.etag.substr(0, 12) + "…";
  if (wrong.empty()) return;
  fs::remove(path);
  throw HubError(repo.repo + ": " + meta.path + " " + wrong + "; it was damaged on its way and is deleted, run the command again");
}

void link(const fs::path& blob, const fs::path& pointer) {
  fs::create_directories(pointer.parent_path());
  std::error_code error;
  if (fs::exists(pointer, error)) return;
  const fs::path made = pointer.string() + "." + std::to_string(::getpid()) + ".tmp";
  fs::remove(made, error);
  fs::create_symlink(fs::absolute(blob).lexically_normal().lexically_relative(fs::absolute(pointer.parent_path()).lexically_normal()), made);
  fs::rename(made, pointer);
}

bool isRedirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// Where a redirect on the same host leads; empty: to another one, or nowhere. The hub sends renamed repositories and small files (resolve-cache) so.
std::string onSameHost(const std::string& url, const std::string& location) {
  const std::size_t host = url.find("://"), path = host == url.npos ? host : url.find('/', host + 3);
  const std::string origin = url.substr(0, path);
  if (location.starts_with("//")) return {};
  if (location.starts_with('/')) return origin + location;
  return location.starts_with(origin + "/") ? location : std::string();
}

// The hub's own answer carries the hash and the commit; that of the storage it redirects to does not.
HttpResponse askHub(const HubClient& client, const RepoName& repo, const std::string& url, const std::string& path) {
  constexpr int kMostRedirects = 5;
  std::string next = url, commit;
  for (int i = 0;; ++i) {
    HttpResponse response = client.request({.url = next, .headers = {}, .head = true, .follow = false}, repo, path);
    if (commit.empty()) commit = response.header("x-repo-commit");
    const bool known = !response.header("x-linked-etag").empty();
    next = isRedirect(response.status) && !known ? onSameHost(next, response.header("location")) : std::string();
    if (next.empty() || i == kMostRedirects) {
      response.headers["x-repo-commit"] = commit;
      return response;
    }
  }
}

}  // namespace

FileMeta describeFile(const HubClient& client, const RepoName& repo, const std::string& commit, const RemoteFile& file) {
  FileMeta meta{file.path, urlOf(client, repo, commit, file.path), {}, commit, file.bytes};
  const HttpResponse response = askHub(client, repo, meta.url, file.path);
  const std::string linked = response.header("x-linked-etag"), size = response.header(linked.empty() ? "content-length" : "x-linked-size");
  meta.etag = plainTag(linked.empty() ? response.header("etag") : linked);
  if (const std::string announced = response.header("x-repo-commit"); !announced.empty()) meta.commit = announced;
  const bool usable = std::ranges::all_of(meta.etag, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
  if (meta.etag.empty() || meta.etag.front() == '.' || !usable)
    throw HubError(meta.url + ": the answer has no usable ETag; is HF_ENDPOINT a Hugging Face hub?");
  if (response.status == 200 || !linked.empty())
    if (!size.empty()) meta.bytes = std::strtoull(size.c_str(), nullptr, 10);
  return meta;
}

std::uint64_t bytesThere(const RepoFolders& folders, const FileMeta& meta) {
  const fs::path blob = folders.blobs / meta.etag;
  std::error_code error;
  return fs::exists(blob, error) ? meta.bytes : std::min(sizeOf(incompleteOf(blob)), meta.bytes);
}

void fetchFile(const HubClient& client, const RepoName& repo, const RepoFolders& folders, const FileMeta& meta, const std::function<void(std::int64_t)>& onBytes) {
  const fs::path blob = folders.blobs / meta.etag, incomplete = incompleteOf(blob);
  fs::create_directories(folders.blobs);
  fs::create_directories(folders.locks);
  const File lock(folders.locks / (meta.etag + ".lock"), O_RDWR | O_CREAT);
  lock.lock(client.cancel);
  if (!fs::exists(blob)) {
    const File file(incomplete, O_RDWR | O_CREAT | O_APPEND);
    if (file.size() > meta.bytes) file.truncate();
    fetchAll(client, repo, meta, file, onBytes);
    check(repo, meta, file, incomplete, client);
    fs::rename(incomplete, blob);
  }
  link(blob, folders.snapshot / meta.path);
}

}  // namespace quantspot::hub
