// What can be measured here: every metric of the comparisons with the weights that it would take now.
#pragma once

#include "engine/protocol/messages.h"

namespace quantspot::service {

// For pictures of this model (a name that resolveModel() takes), in display order. Real weights go before those that stand in for them: a CLIP that
// was downloaded before the model's own small one. Hashes of weights are remembered. Throws ModelError (no such model).
protocol::OfferedResult offeredMetrics(const protocol::OfferedParams& params);

}  // namespace quantspot::service
