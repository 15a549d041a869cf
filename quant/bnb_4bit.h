// bitsandbytes' 4-bit formats (functional.py:772-940, backends/default/ops.py:233-256): blocks over the flattened weight,
// one fp32 scale each, 16 fixed values.
#pragma once

#include "quant/quantizer.h"

#include <array>

namespace quantspot::quant {

// The 16 values of a format and how a number finds its code: code = order[how many bounds are below it].
struct FourBitMap {
  std::array<float, 16> values;
  std::array<std::uint8_t, 16> order;  // codes by rising value
  std::array<float, 15> bounds;        // midpoints; a tie goes to the lower value
};
const FourBitMap& nf4Map();
const FourBitMap& fp4Map();

struct Bnb4BitOptions {
  const FourBitMap* map = nullptr;
  bool doubleQuant = false;            // the scales in 8 bits, too
  std::int64_t block = 64;             // elements that share a scale: a power of two from 64 to 4096
};

// Parts: "" codes (⌈n/2⌉, 1) uint8, the even element in the high nibble; "absmax" (⌈n/block⌉) fp32. With double
// quantization "absmax" is u8 and "nested_absmax", "nested_offset" (fp32) undo it.
class Bnb4Bit final : public Quantizer {
 public:
  Bnb4Bit(std::string name, Bnb4BitOptions options) : name_(std::move(name)), options_(options) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  std::vector<std::string_view> options() const override { return {"blocksize"}; }
  std::unique_ptr<Quantizer> with(std::string_view option, std::string_view value) const override;

 private:
  std::string name_;
  Bnb4BitOptions options_;
};

}  // namespace quantspot::quant
