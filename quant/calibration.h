// Activations in 8 bits need a scale before they are seen: a calibration runs the model over given prompts and takes it
// from what passes each layer (optimum-quanto, calibrate.py).
//
//   {
//     Calibration watching(layers);       // every CalibratedLinear of the model
//     for (prompt : prompts) generate(prompt);
//   }                                     // the scales stay as they are from here on
#pragma once

#include "quant/quantizer.h"

#include <vector>

namespace quantspot::quant {

// What a layer's activations are divided by; bf16 numbers. 1 means "not found yet", as in the reference.
struct ActivationScales {
  float input = 1, output = 1;
  bool quantizeOutput = false;  // round the output, too: the reference does where the next operation takes 8-bit activations
};

// A Linear that rounds its activations. It can be used before it was calibrated: each input then gets the scale that a
// calibration with this input alone would find. (The reference takes 1 and gives noise.)
class CalibratedLinear {
 public:
  virtual ~CalibratedLinear() = default;
  virtual ActivationScales scales() const = 0;
  // From a checkpoint, or ActivationScales{} to forget. Throws std::invalid_argument unless both are finite and above 0.
  virtual void setScales(const ActivationScales& scales) = 0;
  // While it is on, every forward() moves the scales by what it sees, with a momentum of 0.9; one thread at a time.
  virtual void watch(bool on) = 0;
};

// Null when the layer's activations have no scales.
CalibratedLinear* calibratedLinear(Linear& layer);

// Watches for as long as it lives; the layers must live longer. Scales found before are forgotten.
class Calibration {
 public:
  explicit Calibration(std::vector<CalibratedLinear*> layers);
  ~Calibration();
  Calibration(const Calibration&) = delete;
  Calibration& operator=(const Calibration&) = delete;

 private:
  std::vector<CalibratedLinear*> layers_;
};

}  // namespace quantspot::quant
