#include "engine/model/config.h"

#include "engine/model/parse_json.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>

namespace quantspot::model {

namespace {

constexpr int kDeepest = 100;                       // no configuration or tokenizer lies deeper; copies and dumps of JSON recurse
constexpr std::uintmax_t kLongest = 256 << 20;      // bytes; tokenizer.json of large vocabularies have 30 million

std::string readText(const std::filesystem::path& path) {
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file || !regular) throw ModelError(fmt::format("{}: is missing or cannot be read", path.string()));
  if (const auto bytes = std::filesystem::file_size(path, error); !error && bytes > kLongest)
    throw ModelError(fmt::format("{}: has {} bytes, which no configuration needs", path.string(), bytes));
  std::stringstream whole;
  whole << file.rdbuf();
  return whole.str();
}

// No integer holds it, and converting it to one is undefined.
bool isBeyondIntegers(const nlohmann::json& value) {
  constexpr double kMost = 9.2e18;
  if (value.is_structured()) return std::ranges::any_of(value, isBeyondIntegers);
  return value.is_number_float() && !(std::abs(value.get<double>()) < kMost);
}

}  // namespace

nlohmann::json parseJson(std::string_view text, const std::function<void(const std::string& what)>& fail) {
  const auto checked = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json&) {
    using Event = nlohmann::json::parse_event_t;
    if ((event == Event::object_start || event == Event::array_start) && depth > kDeepest) fail("is nested too deeply");
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), checked);
  } catch (const nlohmann::json::exception& error) {
    fail(fmt::format("is not valid JSON ({})", error.what()));
  }
  return {};
}

nlohmann::json readJson(const std::filesystem::path& path) {
  std::string text = readText(path);
  // Python writes an infinite default as -Infinity, which is no JSON: lambda_min_clipped of most DPM++ schedulers. It is taken as absent.
  constexpr std::string_view infinite = ": -Infinity";
  for (auto at = text.find(infinite); at != std::string::npos; at = text.find(infinite, at)) text.replace(at, infinite.size(), ": null");
  return parseJson(text, [&](const std::string& what) { throw ModelError(fmt::format("{}: {}", path.string(), what)); });
}

Config::Config(const std::filesystem::path& path) : Config(path, readJson(path)) {}

Config::Config(std::filesystem::path path, nlohmann::json json) : path_(std::move(path)), json_(std::move(json)) {
  if (!json_.is_object()) throw ModelError(fmt::format("{}: must hold a JSON object", path_.string()));
  for (const auto& [key, value] : json_.items())
    if (isBeyondIntegers(value)) fail(key, "is beyond what any model has");
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
  constexpr std::size_t most = 80;
  std::string value = json_.contains(key) ? "=" + json_[key].dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) : "";
  if (value.size() > most) value = value.substr(0, most) + "…";
  throw ModelError(fmt::format("{}: {}{} {}", path_.string(), key, value, what));
}

}  // namespace quantspot::model
