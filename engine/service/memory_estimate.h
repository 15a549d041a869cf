// memory/estimate: the memory model for several precisions.
#pragma once

#include "engine/service/service.h"

namespace quantspot::service {

// What the engine holds without any model, its libraries at work: measured once, so before the first model is loaded by whoever asks. 0 where
// /proc does not tell. Thread-safe.
std::int64_t processFloor();

// A precision that does not fit the model has an error in its place. Progress stage "estimate". Throws when the model or the size is wrong,
// std::invalid_argument when no precision is named, Cancelled.
protocol::EstimateResult estimateMemory(const protocol::EstimateParams& params, const Control& control);

}  // namespace quantspot::service
