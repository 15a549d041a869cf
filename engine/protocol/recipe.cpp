#include "engine/protocol/messages.h"

namespace quantspot::protocol {

void to_json(nlohmann::json& json, const Recipe& r) {
  json = {{"prompt", r.prompt}, {"negative_prompt", r.negative_prompt}, {"seed", r.seed}, {"steps", r.steps},
          {"width", r.width}, {"height", r.height}, {"true_cfg", r.true_cfg}, {"scheduler", r.scheduler},
          {"max_sequence_length", r.max_sequence_length}};
  json["guidance"] = r.guidance ? nlohmann::json(*r.guidance) : nlohmann::json(nullptr);
}

void from_json(const nlohmann::json& json, Recipe& r) {
  const Recipe defaults;
  r.prompt = json.at("prompt").get<std::string>();
  r.negative_prompt = json.value("negative_prompt", defaults.negative_prompt);
  r.seed = json.value("seed", defaults.seed);
  r.steps = json.value("steps", defaults.steps);
  r.width = json.value("width", defaults.width);
  r.height = json.value("height", defaults.height);
  r.true_cfg = json.value("true_cfg", defaults.true_cfg);
  r.scheduler = json.value("scheduler", defaults.scheduler);
  r.max_sequence_length = json.value("max_sequence_length", defaults.max_sequence_length);
  if (json.contains("guidance") && !json["guidance"].is_null()) r.guidance = json["guidance"].get<double>();
}

}  // namespace quantspot::protocol
