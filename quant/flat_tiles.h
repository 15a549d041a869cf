// Tiled layers that can expand any run of their weight, and round between the steps of their reference.
#pragma once

#include "quant/expand.h"
#include "quant/packed_linear.h"

namespace quantspot::quant {

// The product is finished after it was taken: by default it is rounded to bf16, and the bias added in bf16.
class FinishedTiles : public TiledLinear {
 public:
  using TiledLinear::TiledLinear;

 protected:
  // product (M, count) of any floating type, of the rows from `begin` on → the output's bf16. May change `product`.
  virtual at::Tensor finish(const at::Tensor& product, std::int64_t begin) const {
    return roundThenAdd(product, biasRows(begin, product.size(1)));
  }

  at::Tensor multiplyTile(const at::Tensor& x, const at::Tensor& rows, std::int64_t begin) const override { return finish(timesRows(x, rows), begin); }
  at::Tensor finishSums(const at::Tensor& sums) const override { return finish(sums, 0); }

  // y rounded to bf16, then the bias, if there is one, added in bf16.
  static at::Tensor roundThenAdd(const at::Tensor& y, const at::Tensor& bias) {
    const at::Tensor rounded = y.to(at::kBFloat16);
    return bias.defined() ? rounded.add(bias) : rounded;
  }
};

// Self has `template <class To> void expandFlat(first, count, To* to) const`, To being Bf16 or float: the elements from `first`
// on of the flattened weight, without torch.
template <class Self>
class FlatTiles : public FinishedTiles {
 public:
  using FinishedTiles::FinishedTiles;

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override {
    expandInto(to, [&](std::int64_t first, std::int64_t count, auto* out) { self().expandFlat(begin * inFeatures() + first, count, out); });
  }
  bool hasPieces() const override { return true; }
  void expandPiece(const Piece& piece, float* to) const override { self().expandFlat(piece.row * inFeatures() + piece.column, piece.count, to); }
  void expandPiece(const Piece& piece, Bf16* to) const override { self().expandFlat(piece.row * inFeatures() + piece.column, piece.count, to); }
  PackedRows packedRows() const override {  // formats with whole bytes in the order of the rows
    const at::Tensor& codes = weight().part("");
    return {static_cast<const std::uint8_t*>(codes.const_data_ptr()), static_cast<std::int64_t>(codes.nbytes()) / outFeatures()};
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace quantspot::quant
