// A policy, as the models ask for it. Text encoders have their part in front of the layer names.
#pragma once

#include "engine/model/layers.h"
#include "quant/policy.h"

namespace quantspot::pipeline {

// What packs this layer: the policy's choice, or what that one names in its place where it cannot hold the shape.
const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape);

// Packs every Linear weight at the precision that the policy gives its layer; biases go in its compute type. A layer whose
// compute type is not the policy's casts its activations to it and back. Adds the
// time that this takes to *seconds when given. `policy` and `seconds` must outlive the factory.
model::LinearFactory packingFactory(const quant::Policy& policy, double* seconds = nullptr);

// Layers that know their precision and resident bytes but hold nothing and cannot multiply: for weights on the meta device.
model::LinearFactory measuringFactory(const quant::Policy& policy);

}  // namespace quantspot::pipeline
