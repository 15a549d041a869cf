#include "engine/hub/download.h"

#include "engine/hub/file_fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>

namespace quantspot::hub {
namespace {

namespace fs = std::filesystem;

// Runs body(i) for 0…count-1 on some threads. The first failure stops the others (through `stop`, which body's requests watch) and is thrown.
template <class Body>
void inParallel(std::size_t count, int threads, std::atomic<bool>& stop, Body body) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i; !stop && (i = next++) < count;) try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        stop = true;
      }
  };
  {
    std::vector<std::jthread> pool;
    for (int i = 0; i < std::min<int>(threads, static_cast<int>(count)); ++i) pool.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
}

std::string inGiB(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GiB", static_cast<double>(bytes) / (1 << 30));
  return text;
}

class Download {
 public:
  Download(const HubSettings& settings, const DownloadOptions& options) : options_(options), client_{settings, &stop_, options.attempts, options.pauseMs}, cache_(settings.cache) {}

  DownloadResult run() {
    const Listing listing = listFiles(client_, options_.repo);
    client_.license = listing.license;
    auto files = chooseFiles(listing, options_.repo, options_.include);
    std::ranges::stable_sort(files, std::greater{}, &RemoteFile::bytes);   // the longest first
    const fs::path folder = cache_.folder(options_.repo.repo);
    folders_ = {folder / "blobs", folder / "snapshots" / listing.commit, cache_.root() / ".locks" / folder.filename()};
    std::vector<FileMeta> metas(files.size());
    watched(files.size(), [&](std::size_t i) { metas[i] = describeFile(client_, options_.repo, listing.commit, files[i]); });
    prepare(metas);
    std::atomic<std::uint64_t> fetched = 0;
    watched(metas.size(), [&](std::size_t i) {
      fetchFile(client_, options_.repo, folders_, metas[i], [&](std::int64_t bytes) {
        if (bytes > 0) fetched += static_cast<std::uint64_t>(bytes);
        tell(metas[i].path, bytes);
      });
    });
    writeRef(folder, listing.commit);
    return {folders_.snapshot, listing.commit, listing.license, metas.size(), progress_.total, fetched};
  }

 private:
  // The user's cancelling and a failure of one file stop all.
  template <class Body>
  void watched(std::size_t count, Body body) {
    std::jthread watch([&](const std::stop_token& done) {
      while (!done.stop_requested() && !stop_) {
        if (options_.cancel && *options_.cancel) stop_ = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    inParallel(count, options_.parallel, stop_, body);
    if (options_.cancel && *options_.cancel) throw Cancelled();
  }

  void prepare(const std::vector<FileMeta>& metas) {
    std::uint64_t there = 0;
    for (const FileMeta& meta : metas) {
      progress_.total += meta.bytes;
      there += bytesThere(folders_, meta);
    }
    std::error_code error;
    fs::create_directories(folders_.snapshot, error);
    if (error) throw HubError("cannot make the folder " + folders_.snapshot.string() + ": " + error.message());
    const std::uint64_t missing = progress_.total - there, room = fs::space(cache_.root()).available;
    if (missing > room)
      throw HubError(options_.repo.repo + " needs " + inGiB(missing) + " more, " + cache_.root().string() + " has room for " + inGiB(room) +
                     "; make room, set HF_HUB_CACHE to another disk, or choose files with --include");
    progress_.bytes = there;
    if (const fs::path tag = cache_.root() / "CACHEDIR.TAG"; !fs::exists(tag))
      std::ofstream(tag) << "Signature: 8a477f597d28d172789f06886806bc55\n# Models of a hub: backups may leave this folder out.\n";
  }

  void tell(const std::string& file, std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    progress_.file = file;
    progress_.bytes += static_cast<std::uint64_t>(bytes);
    if (options_.progress) options_.progress(progress_);
  }

  void writeRef(const fs::path& folder, const std::string& commit) const {
    if (isCommit(options_.repo.revision)) return;
    const fs::path ref = folder / "refs" / options_.repo.revision, made = ref.string() + "." + std::to_string(::getpid()) + ".tmp";
    fs::create_directories(ref.parent_path());
    std::ofstream out(made);
    out << commit;
    out.close();
    if (!out) throw HubError("cannot write " + made.string());
    fs::rename(made, ref);
  }

  const DownloadOptions& options_;
  std::atomic<bool> stop_ = false;
  HubClient client_;
  Cache cache_;
  RepoFolders folders_;
  std::mutex mutex_;
  DownloadProgress progress_;
};

}  // namespace

DownloadResult download(const HubSettings& settings, const DownloadOptions& options) {
  if (settings.offline) throw HubError("HF_HUB_OFFLINE is set: nothing is downloaded; unset it to fetch " + options.repo.repo);
  try {
    return Download(settings, options).run();
  } catch (const std::filesystem::filesystem_error& error) {
    throw HubError(std::string("the cache cannot be written: ") + error.what());
  }
}

}  // namespace quantspot::hub
