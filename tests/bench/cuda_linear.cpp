// Prints what one Linear costs on a CUDA device, for each precision whose packed weight has kernels there: the whole layer, the two
// ways to multiply more than 16 rows, and torch's bf16. The faster way for M > 16 is for a person with a device to choose.
// Usage: quantspot_bench_cuda_linear [id,id…]
#include "quant/device_products.h"
#include "quant/device_weights.h"
#include "quant/double_quant.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <cstdio>
#include <functional>

using namespace quantspot::quant;

namespace {

struct Shape {
  std::int64_t rows, in, out;
};

// Microseconds of one call: 50 in a row, so that the device is never idle, the best of five times.
double microseconds(const std::function<at::Tensor()>& body) {
  const c10::impl::VirtualGuardImpl device(at::kCUDA);
  const auto index = device.getDevice().index();
  double best = 1e30;
  for (int round = 0; round < 6; ++round) {  // the first one warms up
    constexpr int calls = 50;
    device.synchronizeDevice(index);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) body();
    device.synchronizeDevice(index);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    if (round > 0) best = std::min(best, time.count() / calls);
  }
  return best;
}

at::Tensor random(at::IntArrayRef sizes) { return at::randn(sizes, at::TensorOptions().device(at::kCUDA).dtype(at::kBFloat16)); }

// Formats with a fused product, at their default options.
std::optional<DeviceWeight> fusedWeight(const std::string& id, const QuantizedTensor& packed, const at::Tensor& map) {
  if (id.starts_with("bnb-nf4")) return fourBitWeight(packed, nf4Map(), 64, map);
  if (id.starts_with("bnb-fp4")) return fourBitWeight(packed, fp4Map(), 64, map);
  if (id == "torchao-int8wo" || id == "quanto-int8" || id.starts_with("fp8-layerwise")) return byteWeight(packed);
  if (id == "torchao-int4wo") return halvesWeight(packed, 128);
  if (id == "quanto-int4" || id == "quanto-int2") return fieldsWeight(packed, id == "quanto-int4" ? 4 : 2);
  return {};
}

void print(const Quantizer& q, const Shape& shape, double bf16) {
  const std::string id(q.name());
  QuantizedTensor packed = q.pack(at::randn({shape.out, shape.in}));
  for (auto& [name, part] : packed.parts) part = part.to(at::kCUDA);
  const at::Tensor x = random({shape.rows, shape.in}).to(q.computeType()), bias = random({shape.out}), map = dynamicMap().to(at::kCUDA);
  const auto layer = q.linear(packed, bias);
  const double whole = microseconds([&] { return layer->forward(x); });
  std::printf("%-18s %5ld x %5ld x %5ld %9.1f us %6.2f x bf16", id.c_str(), shape.rows, shape.in, shape.out, whole, bf16 / whole);
  if (const auto weight = fusedWeight(id, packed, map)) {
    const DeviceProducts& products = *deviceProducts(x);
    std::printf("   fused %9.1f us", microseconds([&] { return products.fused(*weight, x); }));
    std::printf("   expand + torch %9.1f us", microseconds([&] { return at::linear(x, products.expand(*weight, 0, weight->rows, x.options())); }));
  }
  std::printf("\n");
}

bool wanted(const std::string& list, std::string_view id) {
  return list.empty() || ("," + list + ",").find("," + std::string(id) + ",") != std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
  if (!at::hasCUDA() || !deviceProducts(at::empty({1}, at::kCUDA))) {
    std::fprintf(stderr, "no CUDA device, or a build without CUDA kernels (configure with QUANTSPOT_CUDA=ON)\n");
    return 1;
  }
  c10::InferenceMode guard;
  for (const Shape shape : {Shape{1, 3072, 3072}, {1, 3072, 12288}, {4, 3072, 12288}, {16, 3072, 12288}, {64, 3072, 3072}, {256, 3072, 12288},
                            {1024, 3072, 3072}, {4096, 3072, 12288}, {4608, 3072, 21504}}) {
    const at::Tensor x = random({shape.rows, shape.in}), weight = random({shape.out, shape.in}), bias = random({shape.out});
    const double bf16 = microseconds([&] { return at::linear(x, weight, bias); });
    for (const auto& q : quantizers())
      if (wanted(argc > 1 ? argv[1] : "", q->name()) && q->precisionFor({shape.out, shape.in}) == q->name()) print(*q, shape, bf16);
  }
}
