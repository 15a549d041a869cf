#include "engine/hub/url_fetch.h"

#include "engine/model/sha256.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

namespace quantspot::hub {
namespace {

namespace fs = std::filesystem;

std::string hashOf(const fs::path& path) {
  model::Sha256 hash;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 20);
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0)
    hash.add(buffer.data(), static_cast<std::size_t>(file.gcount()));
  return hash.hex();
}

// One request; true when the server gave everything that was left.
bool fetchOnce(const UrlFetch& fetch, const fs::path& part) {
  std::error_code none;
  const std::uint64_t before = fs::exists(part, none) ? fs::file_size(part) : 0;
  std::ofstream out(part, std::ios::binary | std::ios::app);
  if (!out) throw HubError(part.string() + " cannot be written");
  std::uint64_t bytes = before;
  HttpRequest request{.url = fetch.url, .headers = {}, .offset = before, .cancel = fetch.cancel};
  request.write = [&](int status, const char* data, std::size_t count) {
    if (bytes == before && before > 0 && status == 200) {   // the server starts anew
      out.close();
      out.open(part, std::ios::binary | std::ios::trunc);
      bytes = 0;
    }
    bytes += count;
    if (fetch.progress) fetch.progress(bytes, 0);
    return static_cast<bool>(out.write(data, static_cast<std::streamsize>(count)));
  };
  const HttpResponse response = perform(request);
  out.close();
  if (!out) throw HubError(part.string() + " cannot be written: is the disk full?");
  if (response.status == 200 || response.status == 206 || (response.status == 416 && before > 0)) return true;
  if (response.status == 429 || response.status >= 500) return false;
  throw HubError(fetch.url + ": the server answered " + std::to_string(response.status) + "; fetch the file by hand and put it at " + fetch.path.string());
}

}  // namespace

void fetchUrl(const UrlFetch& fetch) {
  std::error_code none;
  if (fs::is_regular_file(fetch.path, none)) return;
  fs::path part = fetch.path;
  part += ".part";
  for (int attempt = 1;; ++attempt) {
    const std::uint64_t before = fs::exists(part, none) ? fs::file_size(part) : 0;
    try {
      if (fetchOnce(fetch, part)) break;
      if (attempt >= fetch.attempts) throw HubError(fetch.url + ": the server is too busy; try again later");
    } catch (const ConnectionError&) {
      if (fs::exists(part, none) && fs::file_size(part) > before) attempt = 0;   // it got on
      if (attempt >= fetch.attempts) throw;
    }
    for (int waited = 0; waited < fetch.pauseMs << std::max(attempt - 1, 0); waited += 50) {
      if (fetch.cancel && *fetch.cancel) throw Cancelled();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  if (const std::string hash = hashOf(part); !hash.starts_with(fetch.sha256)) {
    fs::remove(part, none);
    throw HubError(fetch.url + ": the file's SHA-256 is " + hash + ", but must begin with " + fetch.sha256 + "; it was deleted");
  }
  fs::rename(part, fetch.path);
}

}  // namespace quantspot::hub
