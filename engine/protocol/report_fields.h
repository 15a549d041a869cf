// The report of a sample, which programs keep as JSON.
#pragma once

#include <nlohmann/json.hpp>

namespace quantspot::protocol {

// What schema.json declares of it but the recipe, where it is there: reports of older engines lack parts. Throws FieldError.
void checkReport(const nlohmann::json& report);

}  // namespace quantspot::protocol
