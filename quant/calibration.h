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
  ActivationScales scales() const { return state_->scales; }
  // From a checkpoint, or ActivationScales{} to forget. Throws std::invalid_argument unless both are finite and not below 0;
  // 0: the layer saw nothing but zeros.
  void setScales(const ActivationScales& scales);
  // While it is on, every forward() moves the scales by what it sees, with a momentum of 0.9; one thread at a time.
  void watch(bool on) { state_->watching = on; }
  // From now on both have the scales of `other`: for a layer that comes and goes, and one that stays in its place.
  void follow(const CalibratedLinear& other) { state_ = other.state_; }

 protected:
  struct State {
    ActivationScales scales;
    bool watching = false;
  };
  State& state() const { return *state_; }   // forward() writes the scales, only while watching

 private:
  std::shared_ptr<State> state_ = std::make_shared<State>();
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
