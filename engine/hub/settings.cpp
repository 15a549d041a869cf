#include "engine/hub/settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>

namespace quantspot::hub {
namespace {

namespace fs = std::filesystem;

// The first of the variables that is set, or the fallback; "~" at its beginning is the home folder.
fs::path folderOf(std::initializer_list<const char*> names, const fs::path& fallback) {
  for (const char* name : names) {
    const std::string value = environment(name);
    if (value == "~" || value.starts_with("~/")) return fs::path(environment("HOME") + value.substr(1));
    if (!value.empty()) return value;
  }
  return fallback;
}

std::string trimmed(std::string text) {
  const auto space = [](unsigned char c) { return std::isspace(c) != 0; };
  text.erase(text.begin(), std::ranges::find_if_not(text, space));
  while (!text.empty() && space(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

std::string tokenOf(const fs::path& file) {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
    if (std::string token = trimmed(environment(name)); !token.empty()) return token;
  std::ifstream in(file);
  std::string token;
  std::getline(in, token);
  return trimmed(token);
}

bool isNamePart(std::string_view part) {
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' && part.back() != '.' && part.back() != '-' &&
         part.find("--") == part.npos && part.find("..") == part.npos &&
         std::ranges::all_of(part, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

// A revision becomes part of a path and of an address.
bool isRevision(std::string_view text) {
  return !text.empty() && text.front() != '/' && text.back() != '/' && text.find("..") == text.npos && text.find("//") == text.npos &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/'; });
}

}  // namespace

std::optional<RepoName> parseRepo(std::string_view text) {
  RepoName name;
  if (const std::size_t at = text.find('@'); at != text.npos) {
    name.revision = text.substr(at + 1);
    text = text.substr(0, at);
    if (!isRevision(name.revision)) return {};
  }
  const std::size_t slash = text.find('/');
  if (slash == text.npos || !isNamePart(text.substr(0, slash)) || !isNamePart(text.substr(slash + 1))) return {};
  name.repo = text;
  return name;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

HubSettings settingsFromEnvironment() {
  const fs::path caches = folderOf({"XDG_CACHE_HOME"}, fs::path(environment("HOME")) / ".cache");
  const fs::path home = folderOf({"HF_HOME"}, caches / "huggingface");
  HubSettings settings;
  settings.cache = folderOf({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}, home / "hub");
  settings.endpoint = trimmed(environment("HF_ENDPOINT"));
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  settings.token = tokenOf(folderOf({"HF_TOKEN_PATH"}, home / "token"));
  std::string offline = environment("HF_HUB_OFFLINE");
  std::ranges::transform(offline, offline.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  settings.offline = offline == "1" || offline == "ON" || offline == "YES" || offline == "TRUE";
  return settings;
}

}  // namespace quantspot::hub
