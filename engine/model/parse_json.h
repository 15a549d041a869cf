// JSON of files that nobody has vouched for.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace quantspot::model {

// Calls fail, which throws, with "is not valid JSON (…)" or "is nested too deeply": nlohmann's copies and dumps recurse.
nlohmann::json parseJson(std::string_view text, const std::function<void(const std::string& what)>& fail);

}  // namespace quantspot::model
