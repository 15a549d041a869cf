#include "engine/service/http/picture_request.h"

#include "engine/pipeline/recipe.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <stdexcept>

namespace quantspot::service {
namespace {

using nlohmann::json;

constexpr int kDepth = 8;
constexpr double kGuidance = 1000;

// Bounded in depth: the text of an offending value is made by recursion.
json parsed(std::string_view text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > kDepth) throw std::invalid_argument("the body is nested too deeply; its values are plain");
    return true;
  };
  return json::parse(text, shallow, false);
}

// A JSON object of which every key must be asked for.
class Body {
 public:
  Body(std::string_view text, const std::vector<std::string_view>& known) : json_(parsed(text)) {
    if (json_.is_discarded()) throw std::invalid_argument("the body is no JSON");
    if (!json_.is_object()) throw std::invalid_argument("the body is no JSON object");
    for (const auto& [key, value] : json_.items())
      if (std::ranges::find(known, key) == known.end())
        throw std::invalid_argument(fmt::format("key '{}' is not known; known: {}", key.substr(0, 100), fmt::join(known, ", ")));
  }

  // Absent and null are the same.
  const json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  std::optional<std::string> text(const char* key) const {
    const json* value = find(key);
    if (!value) return {};
    if (!value->is_string()) fail(key, *value, "a string");
    return value->get<std::string>();
  }
  std::optional<double> number(const char* key) const {
    const json* value = find(key);
    if (!value) return {};
    if (!value->is_number() || value->get<double>() > kGuidance) fail(key, *value, fmt::format("a number up to {}", kGuidance));
    return value->get<double>();
  }
  int whole(const char* key, int fallback, int low, int high) const {
    const json* value = find(key);
    if (!value) return fallback;
    const bool fits = value->is_number_unsigned() && value->get<std::uint64_t>() >= static_cast<std::uint64_t>(low) &&
                      value->get<std::uint64_t>() <= static_cast<std::uint64_t>(high);
    if (!fits) fail(key, *value, fmt::format("a whole number from {} to {}", low, high));
    return value->get<int>();
  }
  std::uint64_t seed() const {
    const json* value = find("seed");
    if (!value) return std::random_device{}();
    if (!value->is_number_unsigned()) fail("seed", *value, "a whole number from 0");
    return value->get<std::uint64_t>();
  }
  [[noreturn]] static void fail(const char* key, const json& value, const std::string& wanted) {
    const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100);
    throw std::invalid_argument(fmt::format("{} = {} is not {}", key, text, wanted));
  }

 private:
  json json_;
};

std::string promptOf(const Body& body, const PictureLimits& limits) {
  const auto prompt = body.text("prompt");
  if (!prompt) throw std::invalid_argument("prompt is missing");
  if (prompt->size() > limits.promptBytes)
    throw std::invalid_argument(fmt::format("prompt has {} bytes; use at most {}", prompt->size(), limits.promptBytes));
  return *prompt;
}

void checkSize(const protocol::Recipe& recipe, const PictureRules& rules) {
  pipeline::checkRecipe(recipe, rules.family ? *rules.family : model::FamilyInfo{});
  for (const int side : {recipe.width, recipe.height})
    if (side > rules.limits.side)
      throw std::invalid_argument(fmt::format("{} x {} pixels: this server draws at most {} x {}", recipe.width, recipe.height, rules.limits.side,
                                              rules.limits.side));
}

}  // namespace

protocol::Recipe generateRequest(std::string_view text, const PictureRules& rules) {
  const Body body(text, {"prompt", "negative_prompt", "width", "height", "steps", "guidance_scale", "true_cfg", "seed", "scheduler"});
  protocol::Recipe recipe = rules.defaults;
  recipe.prompt = promptOf(body, rules.limits);
  if (const auto negative = body.text("negative_prompt")) recipe.negative_prompt = negative;
  if (recipe.negative_prompt && recipe.negative_prompt->size() > rules.limits.promptBytes)
    throw std::invalid_argument(fmt::format("negative_prompt has {} bytes; use at most {}", recipe.negative_prompt->size(),
                                            rules.limits.promptBytes));
  recipe.width = body.whole("width", recipe.width, 1, rules.limits.side);
  recipe.height = body.whole("height", recipe.height, 1, rules.limits.side);
  recipe.steps = body.whole("steps", recipe.steps, 1, rules.limits.steps);
  if (const auto guidance = body.number("guidance_scale")) recipe.guidance = guidance;
  recipe.true_cfg = body.number("true_cfg").value_or(recipe.true_cfg);
  recipe.scheduler = body.text("scheduler").value_or(recipe.scheduler);
  recipe.seed = body.seed();
  checkSize(recipe, rules);
  return recipe;
}

std::vector<protocol::Recipe> imagesRequest(std::string_view text, const PictureRules& rules) {
  const Body body(text, {"prompt", "n", "size", "response_format", "seed", "model", "user"});
  protocol::Recipe recipe = rules.defaults;
  recipe.prompt = promptOf(body, rules.limits);
  if (const auto format = body.text("response_format"); format && *format != "b64_json")
    throw std::invalid_argument(fmt::format("response_format = \"{}\": this server keeps no files to point at; use \"b64_json\"", *format));
  for (const char* ignored : {"model", "user"}) body.text(ignored);
  if (const auto size = body.text("size"); size && *size != "auto") {
    int read = 0;
    if (std::sscanf(size->c_str(), "%4dx%4d%n", &recipe.width, &recipe.height, &read) != 2 || static_cast<std::size_t>(read) != size->size() ||
        recipe.width < 1 || recipe.height < 1)
      throw std::invalid_argument(fmt::format("size = \"{}\" is not WIDTHxHEIGHT, such as \"{}x{}\"", *size, rules.defaults.width,
                                              rules.defaults.height));
  }
  checkSize(recipe, rules);
  recipe.seed = body.seed();
  std::vector<protocol::Recipe> recipes(static_cast<std::size_t>(body.whole("n", 1, 1, rules.limits.pictures)), recipe);
  for (std::size_t i = 0; i < recipes.size(); ++i) recipes[i].seed += i;
  return recipes;
}

}  // namespace quantspot::service
