// What models and precisions can do, before anything is loaded.
#pragma once

#include "engine/protocol/messages.h"

namespace quantspot::service {

// Reads configuration files alone. Safe from any thread. Throws ModelError as resolveModel() and reading the folder do.
protocol::ModelTraits modelTraits(const protocol::TraitsParams& params);
// The answer of every precision for each shape, (out, in) or of a convolution (out, in, height, width). Throws invalid_argument for a
// shape that is neither.
protocol::FitResult fittingPrecisions(const protocol::FitParams& params);

}  // namespace quantspot::service
