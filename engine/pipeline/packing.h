// A policy, as the models ask for it.
#pragma once

#include "engine/model/layers.h"
#include "quant/policy.h"

namespace quantspot::pipeline {

// Packs every Linear weight at the precision that the policy gives its layer; biases go in the policy's compute type. Adds the
// time that this takes to *seconds when given. `policy` and `seconds` must outlive the factory.
model::LinearFactory packingFactory(const quant::Policy& policy, double* seconds = nullptr);

}  // namespace quantspot::pipeline
