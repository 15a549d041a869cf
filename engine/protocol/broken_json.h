// Where a text stops to be JSON: "NaN", a number that no double holds, a text that was cut.
#pragma once

#include <string>
#include <string_view>

namespace quantspot::protocol {

// " at byte 41, in params.max_error: 'NaN' does not belong there"; what is after "no JSON" in a sentence. Empty when the text is JSON.
std::string whereBroken(std::string_view text);

}  // namespace quantspot::protocol
