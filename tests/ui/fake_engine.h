// How tests start the fake engine.
#pragma once

#include "ui/client/engine_client.h"

namespace quantspot::ui {

inline EngineCommand fakeEngine(QStringList flags = {}) { return {QStringLiteral(FAKE_ENGINE), std::move(flags)}; }

inline protocol::Recipe foxRecipe() {
  protocol::Recipe recipe;
  recipe.prompt = "a fox";
  recipe.seed = 7;
  return recipe;
}

}  // namespace quantspot::ui
