// A policy, as the models ask for it.
#pragma once

#include "engine/model/layers.h"
#include "quant/policy.h"

namespace quantspot::pipeline {

// Packs every Linear weight at the precision that the policy gives its layer; biases go in the policy's compute type. Adds the
// time that this takes to *seconds when given. `policy` and `seconds` must outlive the factory.
model::LinearFactory packingFactory(const quant::Policy& policy, double* seconds = nullptr);

// For LoadOptions::keeps: a layer of a GGUF file stays as it is stored when the policy asks for that very precision, or for the one
// that most of the file has (files such as Q4_K_M mix several). Everything else is made anew from its values.
std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy);

}  // namespace quantspot::pipeline
