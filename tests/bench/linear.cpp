// Prints what one Linear costs at each precision: id, shape, milliseconds, ratio to fp32 (above 1 is faster).
// Usage: quantspot_bench_linear [threads [id,id… [reference.json]]]; "" names all ids. QUANTSPOT_NO_BF16=1 shows a CPU without bf16 instructions;
// QUANTSPOT_CPU=avx2 with MKL_ENABLE_INSTRUCTIONS=AVX2, ONEDNN_MAX_CPU_ISA=AVX2 and ATEN_CPU_CAPABILITY=avx2 one without AVX-512.
// With a file of reference_linear.py: also the ratio to the reference package, where that was measured.
#include "quant/cpu_features.h"
#include "quant/quantizer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

using namespace quantspot::quant;

namespace {

// With one thread: its processor time, which other programs disturb less than the clock on the wall.
double now() {
  timespec time{};
  clock_gettime(at::get_num_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

// The fastest of several calls: other programs on the machine only ever add time.
template <class Body>
double milliseconds(Body&& body) {
  body();
  double best = 1e30;
  const double end = now() + 300;
  for (int i = 0; i < 3 || now() < end; ++i) {
    const double start = now();
    body();
    best = std::min(best, now() - start);
  }
  return best;
}

struct Shape {
  std::int64_t rows, in, out;
};

// `large`: share of input columns with values beyond the outlier threshold of LLM.int8().
double measure(const Quantizer& q, const Shape& shape, double large = 0) {
  const at::Tensor weight = at::randn({shape.out, shape.in}), bias = at::randn({shape.out});
  const at::Tensor x = at::randn({shape.rows, shape.in}).to(q.computeType());
  if (large > 0) x.narrow(1, 0, static_cast<std::int64_t>(large * static_cast<double>(shape.in))).mul_(10);
  const auto linear = q.linear(q.pack(weight), bias);
  return milliseconds([&] { linear->forward(x); });
}

// Whether the list names the id; an empty one names all.
bool wanted(std::string_view list, std::string_view id) {
  if (list.empty()) return true;
  std::string all(1, ','), one(1, ',');   // g++ 12 warns of "," + string
  all.append(list).append(1, ',');
  one.append(id).append(1, ',');
  return all.find(one) != std::string::npos;
}

double torchBf16(const Shape& shape) {
  const auto random = [](at::IntArrayRef sizes) { return at::randn(sizes).to(at::kBFloat16); };
  const at::Tensor x = random({shape.rows, shape.in}), weight = random({shape.out, shape.in}), bias = random({shape.out});
  return milliseconds([&] { at::linear(x, weight, bias); });
}

// Milliseconds of the reference package, by id and "rowsxinxout".
using Reference = nlohmann::json;

void printRow(const char* id, const Shape& shape, double time, double fp32, const Reference& reference) {
  std::printf("%-18s %5ld x %5ld x %5ld %9.3f ms %6.2f x fp32 %8.0f GFLOP/s", id, shape.rows, shape.in, shape.out, time, fp32 / time,
              2e-6 * static_cast<double>(shape.rows * shape.in * shape.out) / time);
  const std::string key = std::to_string(shape.rows) + "x" + std::to_string(shape.in) + "x" + std::to_string(shape.out);
  if (reference.contains(id) && reference[id].contains(key)) std::printf(" %7.2f x reference", reference[id][key].get<double>() / time);
  std::printf("\n");
}

// As reference_linear.py has them.
constexpr Shape shapes[] = {{1, 3072, 3072}, {1, 3072, 12288}, {4, 1536, 6144}, {16, 3072, 3072}, {64, 384, 1536}, {256, 384, 1536},
                            {64, 1536, 1536}, {256, 1536, 6144}, {1024, 1536, 6144}, {1024, 3072, 3072}, {4096, 1536, 6144}};

}  // namespace

int main(int argc, char** argv) {
  c10::InferenceMode guard;
  if (argc > 1) at::set_num_threads(std::atoi(argv[1]));
  const Reference reference = argc > 3 ? Reference::parse(std::ifstream(argv[3])).at("ms") : Reference::object();
  for (const std::string& name : cpuFeatureNames()) std::printf("%s ", name.c_str());
  std::printf("| %d threads | bf16 product: %s\n", at::get_num_threads(), hasBf16Gemm() ? "bf16" : "fp32 tiles");
  for (const Shape& shape : shapes) {
    const double fp32 = measure(quantizer("fp32"), shape);
    for (const auto& q : quantizers())
      if (wanted(argc > 2 ? argv[2] : "", q->name()) && q->precisionFor({shape.out, shape.in}) == q->name())
        printRow(q->name().data(), shape, q->name() == "fp32" ? fp32 : measure(*q, shape), fp32, reference);
    if (argc > 2 && *argv[2] != 0) continue;
    printRow("bnb-int8, 5 % out", shape, measure(quantizer("bnb-int8"), shape, 0.05), fp32, {});
    printRow("(torch bf16)", shape, torchBf16(shape), fp32, {});
  }
}
