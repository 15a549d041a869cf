// Reads tests/parity/golden/quant and compares products with it.
#pragma once

#include "engine/model/safetensors.h"

#include <ATen/ATen.h>
#include <QTest>

namespace quantspot::quant::test {

class Golden {
 public:
  explicit Golden(const char* name) : file_(std::string(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/quant/") + name + ".safetensors") {}
  at::Tensor operator[](const std::string& key) const { return file_.copy(file_.entries().at(key)); }
  bool has(const std::string& key) const { return file_.entries().contains(key); }

 private:
  model::SafeTensors file_;
};

// bf16 sums in another order may round to a neighbour: rarely, and never further.
inline void compareProducts(const at::Tensor& got, const at::Tensor& wanted) {
  QVERIFY(got.sizes() == wanted.sizes());
  const at::Tensor difference = (got.to(at::kFloat) - wanted.to(at::kFloat)).abs();
  QVERIFY((difference <= wanted.to(at::kFloat).abs() * 0x1p-7).all().item<bool>());
  QVERIFY(got.ne(wanted).to(at::kFloat).mean().item<double>() <= 0.02);
}

}  // namespace quantspot::quant::test
