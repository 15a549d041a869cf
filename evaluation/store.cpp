#include "evaluation/store.h"

#include "engine/model/sha256.h"

#include <cstring>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::ptrdiff_t kHashDigits = 64;

std::string hashOf(const Bytes& bytes) { return model::sha256Hex(bytes.data(), bytes.size()); }

// A file of the store may be whole JSON of another shape: what has the wrong type counts as absent.
std::string textAt(const json& object, const char* key, const std::string& otherwise = "") {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

std::size_t countAt(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

bool holds(const fs::path& path, const std::string& hash) {
  try {
    return hashOf(readBytes(path)) == hash;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

Store::Store(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_ / "objects", error);
  if (error) throw WriteError("cannot make " + (folder_ / "objects").string() + ": " + error.message());
}

double Store::room() const {
  std::error_code error;
  const fs::space_info space = fs::space(folder_, error);
  return error ? std::numeric_limits<double>::infinity() : static_cast<double>(space.available);
}

fs::path Store::object(const std::string& key, const char* ending) const { return folder_ / "objects" / key.substr(0, 2) / (key + ending); }

bool Store::whole(const std::string& key, bool latents) const {
  const auto entry = readJson(object(key, ".json"));
  if (!entry || !entry->is_object() || !entry->contains("report") || textAt(*entry, "key") != key) return false;
  if (!holds(object(key, ".png"), textAt(*entry, "png_sha256"))) return false;
  return !latents || (countAt(*entry, "latent_calls") > 0 && holds(object(key, ".latents"), textAt(*entry, "latents_sha256")));
}

bool Store::finished(const std::string& key, bool latents) {
  if (!fs::exists(object(key, ".json"))) return false;
  if (whole(key, latents)) return true;
  if (latents && whole(key, false)) return false;   // good for others
  std::error_code ignored;
  for (const char* ending : {".json", ".png", ".latents"}) fs::remove(object(key, ending), ignored);
  const std::lock_guard lock(remembered_->mutex);
  remembered_->pixels.erase(key);
  return false;
}

std::optional<json> Store::report(const std::string& key) const {
  const auto entry = readJson(object(key, ".json"));
  if (!entry || !entry->is_object() || !entry->contains("report")) return std::nullopt;
  return (*entry)["report"];
}

Bytes Store::png(const std::string& key) const { return readBytes(object(key, ".png")); }

std::string Store::pixels(const std::string& key) const {
  {
    const std::lock_guard lock(remembered_->mutex);
    if (const auto found = remembered_->pixels.find(key); found != remembered_->pixels.end()) return found->second;
  }
  const auto report = this->report(key);
  if (!report) return "";
  const std::string hash = textAt(*report, "image_sha256", key);
  const std::lock_guard lock(remembered_->mutex);
  return remembered_->pixels[key] = hash;
}

std::vector<std::vector<float>> Store::latents(const std::string& key) const {
  const auto entry = readJson(object(key, ".json"));
  const std::size_t calls = entry ? countAt(*entry, "latent_calls") : 0;
  if (calls == 0) return {};
  const Bytes bytes = readBytes(object(key, ".latents"));
  if (calls > bytes.size()) return {};
  const std::size_t each = bytes.size() / calls;
  std::vector<std::vector<float>> all(calls, std::vector<float>(each / sizeof(float)));
  for (std::size_t i = 0; i < calls; ++i) std::memcpy(all[i].data(), bytes.data() + i * each, all[i].size() * sizeof(float));
  return all;
}

void Store::put(const std::string& key, const Drawn& drawn) {
  json entry = {{"key", key}, {"png_sha256", hashOf(drawn.png)}, {"latent_calls", drawn.latentCalls}, {"report", drawn.report}};
  writeWhole(object(key, ".png"), drawn.png);
  if (drawn.latentCalls > 0) {
    entry["latents_sha256"] = hashOf(drawn.latents);
    writeWhole(object(key, ".latents"), drawn.latents);
  }
  writeJson(object(key, ".json"), entry);
}

void Store::place(const std::string& key, const fs::path& at) const {
  std::error_code error;
  fs::create_directories(at.parent_path(), error);
  if (fs::is_directory(at)) throw std::runtime_error("cannot write " + at.string() + ": it is a folder");
  if (fs::equivalent(object(key, ".png"), at, error)) return;
  fs::remove(at, error);
  fs::create_hard_link(object(key, ".png"), at, error);
  if (error) writeWhole(at, png(key));
}

std::optional<json> Store::score(const std::string& key) const { return readJson(folder_ / "scores" / key.substr(0, 2) / (key + ".json")); }
void Store::putScore(const std::string& key, const json& score) { writeJson(folder_ / "scores" / key.substr(0, 2) / (key + ".json"), score); }

// 64 digits, the hash of what follows: little-endian float32, as on every machine that this runs on.
std::optional<std::vector<float>> Store::features(const std::string& key) const try {
  const Bytes bytes = readBytes(folder_ / "features" / key.substr(0, 2) / key);
  if (std::ssize(bytes) < kHashDigits || (bytes.size() - std::size_t{kHashDigits}) % sizeof(float) != 0) return std::nullopt;
  const Bytes body(bytes.begin() + kHashDigits, bytes.end());
  if (hashOf(body) != std::string(bytes.begin(), bytes.begin() + kHashDigits)) return std::nullopt;
  std::vector<float> values(body.size() / sizeof(float));
  std::memcpy(values.data(), body.data(), body.size());
  return values;
} catch (const std::runtime_error&) {
  return std::nullopt;                   // not there
}

void Store::putFeatures(const std::string& key, const std::vector<float>& features) {
  Bytes body(features.size() * sizeof(float));
  std::memcpy(body.data(), features.data(), body.size());
  const std::string hash = hashOf(body);
  body.insert(body.begin(), hash.begin(), hash.end());
  writeWhole(folder_ / "features" / key.substr(0, 2) / key, body);
}

void Store::fail(const std::string& key, const std::string& run, const std::string& why) {
  writeJson(folder_ / "failures" / (key + ".json"), {{"run", run}, {"why", why}});
}

std::optional<std::string> Store::failure(const std::string& key, const std::string& run) const {
  const auto found = readJson(folder_ / "failures" / (key + ".json"));
  if (!found || textAt(*found, "run") != run) return std::nullopt;
  return textAt(*found, "why");
}

std::string scoreKey(const std::string& metric, const std::string& image, const std::string& against, const std::string& by) {
  const std::string text = json({metric, image, against, by}).dump(-1, ' ', true, json::error_handler_t::replace);
  return model::sha256Hex(text.data(), text.size());
}

}  // namespace quantspot::evaluation
