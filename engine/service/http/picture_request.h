// What clients ask for over HTTP, checked strictly: an unknown key or a wrong type is an error, never ignored.
#pragma once

#include "engine/model/family.h"
#include "engine/protocol/messages.h"

#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace quantspot::service {

struct PictureLimits {
  int steps = 100, side = 1024;          // largest
  int pictures = 10;                     // of one request
  std::size_t promptBytes = 8192;
};

struct PictureRules {
  protocol::Recipe defaults;             // what a request leaves out; complete
  const model::FamilyInfo* family = nullptr;
  PictureLimits limits;
};

// POST /generate: {prompt, negative_prompt, width, height, steps, guidance_scale, true_cfg, seed, scheduler}; a seed is drawn when none is given.
// Throws std::invalid_argument with the key, its value and what is possible.
protocol::Recipe generateRequest(std::string_view body, const PictureRules& rules);
// POST /v1/images/generations: {prompt, n, size, response_format, seed, model, user}: a recipe for each of n pictures, with seeds one after another.
std::vector<protocol::Recipe> imagesRequest(std::string_view body, const PictureRules& rules);

}  // namespace quantspot::service
