// Where the hub is, who asks, and where its files are kept: the environment variables that huggingface_hub reads.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace quantspot::hub {

// One clear line: what failed, on which repository or file, what to do.
struct HubError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

struct RepoName {
  std::string repo;                      // "black-forest-labs/FLUX.1-dev"
  std::string revision = "main";         // branch, tag or commit
  bool operator==(const RepoName&) const = default;
};
// "owner/name" or "owner/name@revision"; nothing for what a hub would not take as such (paths among them).
std::optional<RepoName> parseRepo(std::string_view text);

// The variable's value; "" when it is not set.
std::string environment(const char* name);

struct HubSettings {
  std::filesystem::path cache;           // HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub
  std::string endpoint;                  // HF_ENDPOINT, else https://huggingface.co; no slash at the end
  std::string token;                     // HF_TOKEN, HUGGING_FACE_HUB_TOKEN, the file HF_TOKEN_PATH or $HF_HOME/token; empty: none
  bool offline = false;                  // HF_HUB_OFFLINE
};
HubSettings settingsFromEnvironment();

}  // namespace quantspot::hub
