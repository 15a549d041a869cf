// What shapes a picture, as options of every command that draws one.
#pragma once

#include "app/quantspot-cli/commands.h"

#include <CLI/CLI.hpp>

#include <string>

namespace quantspot::cli {

// What the drawing commands are told; each reads its part.
struct Arguments {
  service::ServiceOptions service;
  GenerateOptions generate{.params = {.model = "default", .precision = "bf16", .recipe = {}, .offload = "none"},
                           .out = {}, .report = {}, .latentsIn = {}, .latentsOut = {}};
  protocol::InspectParams inspect;
  protocol::ScanParams scan;
  QuantizeOptions quantize;
  CompareOptions compare;
  int batch = 1;
  std::string parts, out, promptsFile, precisions = "bf16,fp8-layerwise,bnb-int8,bnb-nf4", seeds = "0";
};

// --width and --height: 0, which is the model's own size, until they are given.
void addSize(CLI::App& command, protocol::Recipe& recipe);

// Makes `model` take what it lacks from `parts`; nothing for "". Throws std::invalid_argument when no model was named that could lack something.
void lendParts(std::string& model, const std::string& parts);

// Of model, recipe, offload, threads and device; sides are 0 until the model's own size is known.
void addRecipe(CLI::App& command, Arguments& a);

}  // namespace quantspot::cli
