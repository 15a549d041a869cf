// Fields of a JSON object as what they are declared to be: nlohmann's own conversions make 2 of 2.5, 1 of true and a negative number of a large one,
// and tell a wrong type without its field.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quantspot::protocol {

// One line: path and what is wrong there ("recipe.steps = 3.7 is not a whole number"). A JSON exception, so that whoever reads files that may be
// damaged catches it with the library's own.
class FieldError : public nlohmann::json::exception {
 public:
  FieldError(std::string path, std::string wrong);
  FieldError in(const std::string& outer) const;   // the same, of a field inside `outer`

 private:
  std::string path_, wrong_;
};

// Throws: value is not `wanted` ("a string"). Its text is cut.
[[noreturn]] void refuse(const nlohmann::json& value, const std::string& wanted);

template <class Value>
void readValue(const nlohmann::json& from, Value& value);

template <std::integral Whole>
Whole readWhole(const nlohmann::json& from) {
  if (!from.is_number_integer()) refuse(from, "a whole number");
  const bool fits = from.is_number_unsigned() ? std::in_range<Whole>(from.get<std::uint64_t>()) : std::in_range<Whole>(from.get<std::int64_t>());
  if (!fits) refuse(from, "within " + std::to_string(std::numeric_limits<Whole>::min()) + " to " + std::to_string(std::numeric_limits<Whole>::max()));
  return from.get<Whole>();
}

template <std::floating_point Number>
Number readNumber(const nlohmann::json& from) {
  if (!from.is_number()) refuse(from, "a number");
  const auto wide = from.get<double>();
  if (!(std::abs(wide) <= std::numeric_limits<Number>::max())) refuse(from, "a number of this size");
  return static_cast<Number>(wide);
}

template <class List>
void readList(const nlohmann::json& from, List& list) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    try {
      readValue(from[i], list[i]);
    } catch (const FieldError& error) {
      throw error.in('[' + std::to_string(i) + ']');
    }
  }
}

template <class Value>
void readAs(const nlohmann::json& from, std::vector<Value>& list) {
  if (!from.is_array()) refuse(from, "a list");
  list.assign(from.size(), Value{});
  readList(from, list);
}

template <class Value, std::size_t Count>
void readAs(const nlohmann::json& from, std::array<Value, Count>& list) {
  if (!from.is_array() || from.size() != Count) refuse(from, "a list of " + std::to_string(Count));
  readList(from, list);
}

template <class Value>
void readAs(const nlohmann::json& from, std::map<std::string, Value>& table) {
  if (!from.is_object()) refuse(from, "an object");
  table.clear();
  for (const auto& [key, value] : from.items()) {
    try {
      readValue(value, table[key]);
    } catch (const FieldError& error) {
      throw error.in(key);
    }
  }
}

template <class Value>
void readAs(const nlohmann::json& from, std::optional<Value>& value) {
  value.reset();
  if (!from.is_null()) readValue(from, value.emplace());
}

// A message: readFields(json, Message&) is found beside its type.
template <class Message>
void readAs(const nlohmann::json& from, Message& message) {
  if (!from.is_object()) refuse(from, "an object");
  readFields(from, message);
}

template <class Value>
void readValue(const nlohmann::json& from, Value& value) {
  if constexpr (std::same_as<Value, nlohmann::json>) {
    value = from;
  } else if constexpr (std::same_as<Value, bool>) {
    if (!from.is_boolean()) refuse(from, "true or false");
    value = from.get<bool>();
  } else if constexpr (std::integral<Value>) {
    value = readWhole<Value>(from);
  } else if constexpr (std::floating_point<Value>) {
    value = readNumber<Value>(from);
  } else if constexpr (std::same_as<Value, std::string>) {
    if (!from.is_string()) refuse(from, "a string");
    value = from.get_ref<const std::string&>();
  } else {
    readAs(from, value);
  }
}

// Absent: the value stays. Throws FieldError.
template <class Value>
void readField(const nlohmann::json& object, const char* key, Value& value) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  try {
    readValue(*found, value);
  } catch (const FieldError& error) {
    throw error.in(key);
  }
}

template <class Value>
void needField(const nlohmann::json& object, const char* key, Value& value) {
  if (!object.contains(key)) throw FieldError(key, " is missing");
  readField(object, key, value);
}

}  // namespace quantspot::protocol

// The reader of a struct whose fields may be absent.
#define QUANTSPOT_READ_FIELD(field) readField(json, #field, message.field);
#define QUANTSPOT_READS_FIELDS(Type, ...) \
  static void readFields(const nlohmann::json& json, Type& message) { NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(QUANTSPOT_READ_FIELD, __VA_ARGS__)) }
