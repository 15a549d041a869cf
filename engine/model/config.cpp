#include "engine/model/config.h"

#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <sstream>
#include <string_view>

namespace quantspot::model {

nlohmann::json readJson(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw ModelError(fmt::format("{}: is missing or cannot be read", path.string()));
  std::stringstream whole;
  whole << file.rdbuf();
  std::string text = whole.str();
  // Python writes an infinite default as -Infinity, which is no JSON: lambda_min_clipped of most DPM++ schedulers. It is taken as absent.
  constexpr std::string_view infinite = ": -Infinity";
  for (auto at = text.find(infinite); at != std::string::npos; at = text.find(infinite, at)) text.replace(at, infinite.size(), ": null");
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(fmt::format("{}: is not valid JSON ({})", path.string(), error.what()));
  }
}

Config::Config(const std::filesystem::path& path) : Config(path, readJson(path)) {}

Config::Config(std::filesystem::path path, nlohmann::json json) : path_(std::move(path)), json_(std::move(json)) {
  if (!json_.is_object()) throw ModelError(fmt::format("{}: must hold a JSON object", path_.string()));
}

std::int64_t Config::positive(const std::string& key, std::int64_t fallback) const {
  const std::int64_t value = count(key, fallback);
  if (value < 1) fail(key, "must be at least 1");
  return value;
}

std::int64_t Config::count(const std::string& key, std::int64_t fallback) const {
  constexpr std::int64_t kMost = 1 << 24;  // so that no product of sizes overflows
  const auto value = get<std::int64_t>(key, fallback);
  if (value < 0 || value > kMost) fail(key, fmt::format("must lie between 0 and {}", kMost));
  return value;
}

void Config::fail(const std::string& key, const std::string& what) const {
  const std::string value = json_.contains(key) ? "=" + json_[key].dump() : "";
  throw ModelError(fmt::format("{}: {}{} {}", path_.string(), key, value, what));
}

}  // namespace quantspot::model
