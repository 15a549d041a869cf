// Counts what a denoiser computes, from the shapes of its layers, attention and convolutions: the same at every precision.
#pragma once

#include "quant/quantizer.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <memory>

namespace quantspot::pipeline {

// A multiplication and an addition are two operations, as torch.utils.flop_counter counts. Norms, activations and additions are left out, as
// there. Layers may outlive the scope that counts, not the counter: they share it.
class FlopCounter : public std::enable_shared_from_this<FlopCounter> {
 public:
  // The layer, counted while a Scope lives.
  std::unique_ptr<quant::Linear> around(std::unique_ptr<quant::Linear> layer);
  nlohmann::json counts() const;         // linear, attention, convolution, total

  // Counts what the calling thread computes; nothing for a null pointer.
  class Scope {
   public:
    explicit Scope(FlopCounter* counter);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    FlopCounter* counter_;
    std::uint64_t handle_ = 0;
  };

  void addLinear(std::int64_t operations) { if (counting_) linear_ += operations; }
  void addAttention(std::int64_t operations) { attention_ += operations; }
  void addConvolution(std::int64_t operations) { convolution_ += operations; }

 private:
  std::atomic<bool> counting_ = false;
  std::atomic<std::int64_t> linear_ = 0, attention_ = 0, convolution_ = 0;
};

}  // namespace quantspot::pipeline
