#include "engine/hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>
#include <mutex>

namespace quantspot::hub {
namespace {

struct Transfer {
  CURL* handle;
  const HttpRequest& request;
  HttpResponse response;
  bool stopped = false;                  // by write()
  std::exception_ptr failure;            // of a callback: libcurl is C, through which nothing may be thrown
};

int statusOf(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::size_t onBody(char* data, std::size_t size, std::size_t count, void* user) try {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  const int status = statusOf(transfer.handle);
  if (transfer.request.write && (status == 200 || status == 206)) {
    transfer.stopped = !transfer.request.write(status, data, bytes);
    return transfer.stopped ? 0 : bytes;
  }
  constexpr std::size_t kMost = std::size_t{64} << 20;   // no listing is longer
  if (transfer.response.body.size() + bytes > kMost) return 0;
  transfer.response.body.append(data, bytes);
  return bytes;
} catch (...) {
  static_cast<Transfer*>(user)->failure = std::current_exception();
  return 0;                              // ends the transfer
}

std::size_t onHeader(char* data, std::size_t size, std::size_t count, void* user) try {
  auto& headers = static_cast<Transfer*>(user)->response.headers;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();   // the next answer in a chain of redirects
  if (const std::size_t colon = line.find(':'); colon != line.npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1), end = line.find_last_not_of(" \t\r\n");
    headers[name] = begin == line.npos || begin > end ? "" : std::string(line.substr(begin, end - begin + 1));
  }
  return size * count;
} catch (...) {
  static_cast<Transfer*>(user)->failure = std::current_exception();
  return 0;
}

int onProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* cancel = static_cast<Transfer*>(user)->request.cancel;
  return cancel && *cancel ? 1 : 0;
}

void configure(Transfer& transfer, curl_slist* headers) {
  CURL* const c = transfer.handle;
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "quantspot/" QUANTSPOT_VERSION);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NOBODY, request.head ? 1L : 0L);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, request.follow ? 1L : 0L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
  if (request.offset > 0) curl_easy_setopt(c, CURLOPT_RANGE, (std::to_string(request.offset) + "-").c_str());
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, onBody);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, onHeader);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, onProgress);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpResponse perform(const HttpRequest& request) {
  static std::once_flag started;
  std::call_once(started, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) throw HubError("libcurl cannot be started");
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);
  Transfer transfer{handle.get(), request, {}};
  configure(transfer, list);
  const CURLcode code = curl_easy_perform(handle.get());
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  if (request.cancel && *request.cancel) throw Cancelled();
  transfer.response.status = statusOf(handle.get());
  if (transfer.stopped) return std::move(transfer.response);
  if (code != CURLE_OK) throw ConnectionError(request.url + ": " + curl_easy_strerror(code));
  return std::move(transfer.response);
}

}  // namespace quantspot::hub
