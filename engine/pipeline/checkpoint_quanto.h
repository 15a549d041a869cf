// Checkpoints of optimum-quanto 0.2.7, as diffusers' quantizer writes and loads them (quantizers/quanto).
#pragma once

#include "engine/pipeline/checkpoint.h"
#include "quant/calibration.h"

namespace quantspot::pipeline {

// Null for a precision that is not Quanto's. quanto-int8a8 is written as optimum-quanto itself stores it (QuantizedDiffusersModel: quanto_qmap.json,
// two scales per layer); diffusers loads Quanto's weights, but not its activations.
std::unique_ptr<CheckpointFormat> quantoCheckpoint(const std::string& precision);

// What a calibration found, by layer: "activation_scales" of a picture's report. Throws std::invalid_argument for what is not of that form.
using ActivationScales = std::map<std::string, quant::ActivationScales>;
ActivationScales activationScales(const nlohmann::json& scales);

// The two scales of one layer, as stored. Throws std::invalid_argument when the layer has none.
NamedTensors scaleTensors(const std::string& layer, const ActivationScales& scales);

}  // namespace quantspot::pipeline
