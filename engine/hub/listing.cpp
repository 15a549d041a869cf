#include "engine/hub/listing.h"

#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace quantspot::hub {
namespace {

using nlohmann::json;

std::string escaped(const std::string& revision) {
  std::string text;
  for (const char c : revision) text += c == '/' ? "%2F" : std::string(1, c);
  return text;
}

std::string textOf(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// A server must not choose where files go.
void checkPath(const std::string& path, const RepoName& repo) {
  const std::filesystem::path inside(path);
  const bool climbs = std::ranges::any_of(inside, [](const auto& part) { return part == ".." || part == "." || part.empty(); });
  if (path.empty() || inside.is_absolute() || climbs || path.find('\\') != path.npos)
    throw HubError(repo.repo + ": the hub lists a file with the impossible name '" + path + "'");
}

bool isBusy(int status) { return status == 429 || status == 408 || status == 500 || status == 502 || status == 503 || status == 504; }

bool endsWithAny(const std::string& path, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return path.ends_with(end); });
}

bool inComponentFolder(const std::string& path) { return std::ranges::count(path, '/') == 1; }

// "vae/diffusion_pytorch_model.fp16.safetensors" is a variant of the same name without ".fp16"; of shards
// "model.fp16-00001-of-00002.safetensors".
std::string withoutVariant(const std::string& path) {
  for (const char* variant : {".fp16", ".bf16", ".non_ema"})
    if (const std::size_t at = path.find(variant); at != path.npos) return path.substr(0, at);
  return {};
}

bool isVariant(const std::string& path, const std::vector<RemoteFile>& all) {
  const std::string stem = withoutVariant(path);
  return !stem.empty() && std::ranges::any_of(all, [&](const RemoteFile& file) {
    return file.path.starts_with(stem) && file.path.ends_with(".safetensors") && withoutVariant(file.path).empty();
  });
}

bool ofPipeline(const std::string& path, const std::vector<RemoteFile>& all) {
  if (path == "model_index.json" || path == "quantspot.json" || path.starts_with("LICENSE") || path == "README.md") return true;
  if (!inComponentFolder(path) || isVariant(path, all)) return false;
  return endsWithAny(path, {".json", ".txt", ".model", ".safetensors"}) && !endsWithAny(path, {"_openvino_model.json", "flax_model.json"});
}

}  // namespace

std::vector<std::string> HubClient::headers() const {
  if (settings.token.empty()) return {};
  return {"Authorization: Bearer " + settings.token};
}

void HubClient::pause(int attempt, const std::string& retryAfter) const {
  std::int64_t ms = std::int64_t{pauseMs} << std::min(attempt, 6);
  if (!retryAfter.empty() && std::ranges::all_of(retryAfter, [](unsigned char c) { return std::isdigit(c) != 0; }) && retryAfter.size() < 6)
    ms = 1000 * std::stoll(retryAfter);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (std::chrono::steady_clock::now() < until) {
    if (cancel && *cancel) throw Cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::int64_t>(ms, 50)));
  }
}

void HubClient::fail(const HttpResponse& response, const RepoName& repo, const std::string& what) const {
  const std::string page = settings.endpoint + "/" + repo.repo, code = response.header("x-error-code");
  const std::string status = " (HTTP " + std::to_string(response.status) + ")";
  if (code == "GatedRepo" || response.status == 403)
    throw HubError(repo.repo + " is gated" + (license.empty() ? "" : ", licence " + license) + status + ": " + (settings.token.empty() ? "" : "this token has no access; ") + "accept its licence at " + page +
                   (settings.token.empty() ? " and set HF_TOKEN to your access token" : " with the token's account"));
  if (code == "RevisionNotFound") throw HubError(repo.repo + " has no revision '" + repo.revision + "'" + status + "; see " + page);
  if (code == "EntryNotFound") throw HubError(repo.repo + ": " + what + " is not there" + status + "; see " + page);
  if (response.status == 401)
    throw HubError(repo.repo + (settings.token.empty() ? " does not exist, or is private and needs a token in HF_TOKEN" : ": the token in HF_TOKEN was refused") + status +
                   "; see " + page);
  if (response.status == 404) throw HubError(repo.repo + ": " + what + " was not found" + status + "; is the name spelt as at " + page + "?");
  if (response.status == 429)
    throw HubError(settings.endpoint + " asks to wait" + status + (response.header("retry-after").empty() ? "" : ", for " + response.header("retry-after") + " s") +
                   "; try again later");
  throw HubError(repo.repo + ": " + what + " could not be fetched" + status + " from " + settings.endpoint);
}

HttpResponse HubClient::request(HttpRequest request, const RepoName& repo, const std::string& what) const {
  constexpr long kLongestWait = 300;     // seconds: beyond it the user decides
  request.headers = headers();
  request.cancel = cancel;
  for (int attempt = 0;; ++attempt) {
    const bool last = attempt + 1 >= attempts;
    try {
      HttpResponse response = perform(request);
      if (response.status == 200 || response.status == 206 || (!request.follow && response.status > 300 && response.status <= 308)) return response;
      const std::string after = response.header("retry-after");
      if (!isBusy(response.status) || last || std::strtol(after.c_str(), nullptr, 10) > kLongestWait) fail(response, repo, what);
      pause(attempt, after);
    } catch (const ConnectionError&) {
      if (last || request.write) throw;
      pause(attempt, {});
    }
  }
}

Listing listFiles(const HubClient& client, const RepoName& repo) {
  const std::string url = client.settings.endpoint + "/api/models/" + repo.repo + "/revision/" + escaped(repo.revision) + "?blobs=true";
  const HttpResponse response = client.request({.url = url, .headers = {}}, repo, "the list of its files");
  const json answer = json::parse(response.body, nullptr, false);
  const auto siblings = answer.is_object() ? answer.find("siblings") : answer.end();
  if (answer.is_discarded() || siblings == answer.end() || !siblings->is_array() || textOf(answer, "sha").empty())
    throw HubError(url + ": this is no answer of a Hugging Face hub; is HF_ENDPOINT right?");
  Listing listing{textOf(answer, "sha"), answer.contains("cardData") ? textOf(answer["cardData"], "license_name") : "", {}};
  if (listing.license.empty() && answer.contains("cardData")) listing.license = textOf(answer["cardData"], "license");
  for (const json& file : *siblings) {
    listing.files.push_back({textOf(file, "rfilename"), 0});
    checkPath(listing.files.back().path, repo);
    if (const auto size = file.find("size"); size != file.end() && size->is_number_unsigned()) listing.files.back().bytes = size->get<std::uint64_t>();
  }
  return listing;
}

std::vector<RemoteFile> chooseFiles(const Listing& listing, const RepoName& repo, const std::vector<std::string>& include) {
  const bool pipeline = std::ranges::any_of(listing.files, [](const RemoteFile& file) { return file.path == "model_index.json"; });
  const auto wanted = [&](const RemoteFile& file) {
    if (include.empty()) return !pipeline || ofPipeline(file.path, listing.files);
    return std::ranges::any_of(include, [&](std::string glob) {
      if (glob.ends_with('/')) glob += '*';
      return ::fnmatch(glob.c_str(), file.path.c_str(), 0) == 0;
    });
  };
  std::vector<RemoteFile> chosen;
  std::ranges::copy_if(listing.files, std::back_inserter(chosen), wanted);
  if (!chosen.empty()) return chosen;
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(listing.files.size(), 3); ++i) some += (i ? ", " : "") + listing.files[i].path;
  throw HubError(repo.repo + ": none of its " + std::to_string(listing.files.size()) + " files is meant by --include; it has " + some + (listing.files.size() > 3 ? ", …" : ""));
}

}  // namespace quantspot::hub
