// memory/estimate: the memory model for several precisions.
#pragma once

#include "engine/service/service.h"

namespace quantspot::service {

// A precision that does not fit the model has an error in its place. Progress stage "estimate". Throws when the model or the size is wrong,
// std::invalid_argument when no precision is named, Cancelled.
protocol::EstimateResult estimateMemory(const protocol::EstimateParams& params, const Control& control);

}  // namespace quantspot::service
