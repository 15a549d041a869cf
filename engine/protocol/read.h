// Messages of messages.h out of JSON that another program sent.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace quantspot::protocol {

// Every field as the struct declares it: whole numbers whole and in range, numbers finite, strings strings. Fields that the struct does not know are
// passed over, as a later version may send them. Throws FieldError (fields.h): one line that names the field.
template <class Message>
Message readMessage(const nlohmann::json& json);

// As readMessage does it of the message that answers this method; a method that is not in schema.json is not checked.
void checkResult(std::string_view method, const nlohmann::json& result);

// Absent where there is none, or none that this program can hold.
std::optional<std::int64_t> readId(const nlohmann::json& message);

}  // namespace quantspot::protocol
