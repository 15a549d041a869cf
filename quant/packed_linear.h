// What all Linear layers share: shapes, bias, activation types, and where the product runs.
#pragma once

#include "quant/kernels/device_weight.h"
#include "quant/quantizer.h"

namespace quantspot::quant {

class PackedLinear : public Linear {
 public:
  // `bias` (out) rests as given; bias.to(compute type) is what is added. Throws std::invalid_argument when its length is
  // not the number of the weight's rows.
  PackedLinear(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias);

  // Activations of another type are cast to the compute type and the result back, as a layer that a policy keeps in
  // another precision needs it.
  at::Tensor forward(const at::Tensor& x) const override;
  std::string_view precision() const override { return owner_.name(); }
  std::int64_t bytes() const override;
  std::int64_t inFeatures() const override { return weight_.shape[1]; }
  std::int64_t outFeatures() const override { return weight_.shape[0]; }

 protected:
  virtual at::Tensor multiply(const at::Tensor& x) const = 0;         // on the CPU: x (M, in), compute type, contiguous → (M, out)
  virtual at::Tensor multiplyElsewhere(const at::Tensor& x) const;    // on another device: the unpacked weight and at::linear

  const QuantizedTensor& weight() const { return weight_; }
  at::Tensor bias() const { return bias_.defined() ? bias_.to(weight_.dtype) : bias_; }  // undefined: none

 private:
  const Quantizer& owner_;
  QuantizedTensor weight_;
  at::Tensor bias_;
};

// A weight that is expanded before it is multiplied: row tiles go to a small scratch, never the whole weight, unless it is
// that small.
class TiledLinear : public PackedLinear {
 public:
  using PackedLinear::PackedLinear;

  // The packed bytes of a row's whole numbers, which lie one row after the other; they are fetched ahead of use. Null: unknown.
  struct PackedRows {
    const std::uint8_t* bytes = nullptr;
    std::int64_t perRow = 0;
    std::int64_t rows = 0;  // where that many lie, and the next ones share their bytes; 0: all of them
  };

 protected:
  // Fills `to` (rows, in), contiguous on the CPU, bf16 or fp32, with the weight's rows from `begin` on.
  virtual void expandRows(std::int64_t begin, const at::Tensor& to) const = 0;
  // x (M, in) and rows (count, in) of productType() → their part of the output, (M, count) of any type, bias included.
  // Here: one rounding, after the bias.
  virtual at::Tensor multiplyTile(const at::Tensor& x, const at::Tensor& rows, std::int64_t begin) const;
  // Torch multiplies bf16 quickly only with bf16 instructions, and fp16 only with fp16 ones. Elsewhere the product runs in
  // fp32 and is rounded once, which is what torch's own low-precision product does.
  virtual at::ScalarType productType() const;
  at::Tensor multiply(const at::Tensor& x) const override;
  // With kernels for the device: few rows of x by one that reads the packed weight once, more by a tile and torch's product.
  at::Tensor multiplyElsewhere(const at::Tensor& x) const override;
  // What those kernels expand to, the same as expandRows(); nothing: they do not know the weight.
  virtual std::optional<DeviceWeight> deviceWeight() const { return {}; }

  at::Tensor biasRows(std::int64_t begin, std::int64_t count) const;                 // undefined: none
  static at::Tensor timesRows(const at::Tensor& x, const at::Tensor& rows);          // x·rowsᵀ in their own type

  // For few activations: whether expandPiece() is there. It fills `to` with values of one row, the same as expandRows(). It runs
  // on pool threads and must not use torch.
  struct Piece {
    std::int64_t row, column, count;  // column is a multiple of 256
  };
  virtual bool hasPieces() const { return false; }
  // With pieces and an fp32 product of numbers that bf16 holds: how many bf16 numbers make one of the weight. 1: it is one; 2: all of
  // it but 2^-17, which is what summing in another order changes. bf16 instructions are then used for the product. 0: they are not.
  virtual int bf16Parts() const { return 0; }
  // The sums of a whole product (M, out), fp32 → the output, of any type. Here: plus the bias.
  virtual at::Tensor finishSums(const at::Tensor& sums) const;
  virtual PackedRows packedRows() const { return {}; }
  virtual void expandPiece(const Piece& /*piece*/, float* /*to*/) const {}
  virtual void expandPiece(const Piece& /*piece*/, std::uint16_t* /*to*/) const {}  // bits of bf16

 private:
  template <class Number, class Dots>
  at::Tensor multiplyFew(const at::Tensor& x, Dots dots) const;
  at::Tensor multiplyInParts(const at::Tensor& x) const;
};

}  // namespace quantspot::quant
