// Typed reading of the JSON files beside the weights. Every failure is a ModelError with file and key.
#pragma once

#include "engine/model/folder.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::model {

nlohmann::json readJson(const std::filesystem::path& path);  // missing or not JSON: ModelError

class Config {
 public:
  explicit Config(const std::filesystem::path& path);
  Config(std::filesystem::path path, nlohmann::json json);

  // The value of a key, or the fallback where the key is absent or null (the references' defaults).
  template <class T>
  T get(const std::string& key, const T& fallback) const {
    return has(key) ? convert<T>(key) : fallback;
  }
  template <class T>
  T need(const std::string& key) const {
    if (!has(key)) fail(key, "is missing");
    return convert<T>(key);
  }
  // Sizes and counts: ModelError when they are below 1 (count: below 0) or beyond what any model has.
  std::int64_t positive(const std::string& key, std::int64_t fallback) const;
  std::int64_t count(const std::string& key, std::int64_t fallback) const;
  bool has(const std::string& key) const { return json_.contains(key) && !json_[key].is_null(); }
  const nlohmann::json& json() const { return json_; }
  const std::filesystem::path& path() const { return path_; }
  // Throws "<file>: <key>=<value> <what>".
  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  template <class T>
  T convert(const std::string& key) const {
    try {
      return json_.at(key).get<T>();
    } catch (const nlohmann::json::exception&) {
      fail(key, "has the wrong type");
    }
  }

  std::filesystem::path path_;
  nlohmann::json json_;
};

}  // namespace quantspot::model
