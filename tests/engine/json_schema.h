// The part of JSON Schema that engine/protocol/schema.json uses; any other keyword is an error, so that nothing goes unchecked.
#pragma once

#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>
#include <stdexcept>
#include <string>

namespace quantspot::test {

class JsonSchema {
 public:
  explicit JsonSchema(const std::string& path) : root_(nlohmann::json::parse(std::ifstream(path))) {}

  const nlohmann::json& root() const { return root_; }
  // Empty when the value fits the definition, else the first place that does not.
  std::string check(const nlohmann::json& value, const std::string& definition) const {
    return check(value, root_.at("$defs").at(definition), definition);
  }

 private:
  using json = nlohmann::json;

  static bool hasType(const json& value, const std::string& type) {
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) || (type == "string" && value.is_string()) ||
           (type == "integer" && value.is_number_integer()) || (type == "number" && value.is_number()) ||
           (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null());
  }

  std::string check(const json& value, const json& schema, const std::string& at) const {
    for (const auto& [keyword, rule] : schema.items())
      if (const std::string wrong = checkRule(value, keyword, rule, schema, at); !wrong.empty()) return wrong;
    return {};
  }

  std::string checkRule(const json& value, const std::string& keyword, const json& rule, const json& schema, const std::string& at) const {
    const auto unless = [&](bool fits) { return fits ? std::string() : at + " = " + value.dump().substr(0, 80) + " against " + keyword + " " + rule.dump(); };
    if (keyword == "$ref") return check(value, root_.at(json::json_pointer(rule.get<std::string>().substr(1))), at);
    if (keyword == "type") {
      bool any = false;
      for (const json& type : rule.is_array() ? rule : json::array({rule})) any = any || hasType(value, type);
      return unless(any);
    }
    if (keyword == "enum") return unless(std::find(rule.begin(), rule.end(), value) != rule.end());
    if (keyword == "const") return unless(value == rule);
    if (keyword == "minimum") return unless(!value.is_number() || value >= rule);
    if (keyword == "maximum") return unless(!value.is_number() || value <= rule);
    if (keyword == "minItems") return unless(!value.is_array() || value.size() >= rule.get<std::size_t>());
    if (keyword == "maxItems") return unless(!value.is_array() || value.size() <= rule.get<std::size_t>());
    if (keyword == "multipleOf") return unless(!value.is_number_integer() || value.get<std::int64_t>() % rule.get<std::int64_t>() == 0);
    if (keyword == "pattern") return unless(!value.is_string() || std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())));
    if (keyword == "items" && value.is_array()) return checkItems(value, rule, at);
    if (keyword == "properties" && value.is_object()) return checkProperties(value, rule, schema, at);
    if (keyword == "required" && value.is_object()) {
      for (const json& name : rule)
        if (!value.contains(name.get<std::string>())) return at + " lacks " + name.get<std::string>();
      return {};
    }
    static const std::vector<std::string> silent = {"description", "contentEncoding", "additionalProperties", "items", "properties", "required"};
    if (std::find(silent.begin(), silent.end(), keyword) == silent.end()) throw std::logic_error("schema keyword " + keyword + " is not checked");
    return {};
  }

  std::string checkItems(const json& value, const json& rule, const std::string& at) const {
    for (std::size_t i = 0; i < value.size(); ++i)
      if (const std::string wrong = check(value[i], rule, at + "[" + std::to_string(i) + "]"); !wrong.empty()) return wrong;
    return {};
  }

  std::string checkProperties(const json& value, const json& rule, const json& schema, const std::string& at) const {
    for (const auto& [name, part] : value.items()) {
      if (!rule.contains(name)) {
        if (!schema.value("additionalProperties", true)) return at + " has an unknown key " + name;
        continue;
      }
      if (const std::string wrong = check(part, rule[name], at + "." + name); !wrong.empty()) return wrong;
    }
    return {};
  }

  json root_;
};

}  // namespace quantspot::test
