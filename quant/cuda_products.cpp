// The kernels in kernels/*.cu on torch's tensors; built where torch has CUDA.
#include "quant/cuda_stream.h"
#include "quant/device_products.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace quantspot::quant {
namespace {

void check(int error, const char* what) {
  if (error) throw std::runtime_error(std::string("CUDA kernel \"") + what + "\" could not be started: " + cudaMessage(error));
}

const Bf16* bf16Numbers(const at::Tensor& x) { return static_cast<const Bf16*>(x.const_data_ptr()); }

DeviceType deviceType(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return DeviceType::Fp32;
    case at::kHalf: return DeviceType::Fp16;
    case at::kBFloat16: return DeviceType::Bf16;
    default: throw std::invalid_argument(std::string("packed weights cannot be expanded to ") + c10::toString(type) + "; use bf16, fp16 or fp32");
  }
}

at::Tensor expand(const DeviceWeight& weight, std::int64_t begin, std::int64_t count, const at::TensorOptions& options) {
  const at::Tensor to = at::empty({count, weight.columns}, options);
  const OnDevice on(to);
  check(cudaExpand(weight, {begin, count, deviceType(to.scalar_type()), to.mutable_data_ptr()}, on.stream()), "expand");
  return to;
}

using Sums = int (*)(const DeviceWeight&, const FewJob&, CudaStream);

at::Tensor sumsOf(const DeviceWeight& weight, const at::Tensor& x, Sums kernel, const char* name) {
  const OnDevice on(x);
  const at::Tensor from = x.contiguous(), sums = at::empty({x.size(0), weight.rows}, x.options().dtype(at::kFloat));
  if (x.size(0) > 0) check(kernel(weight, {bf16Numbers(from), x.size(0), sums.mutable_data_ptr<float>()}, on.stream()), name);
  return sums;
}

at::Tensor few(const DeviceWeight& weight, const at::Tensor& x) { return sumsOf(weight, x, cudaFew, "few rows"); }
at::Tensor fused(const DeviceWeight& weight, const at::Tensor& x) { return sumsOf(weight, x, cudaFused, "fused"); }

RowRule ruleOf(Int8Finish finish) {
  switch (finish) {
    case Int8Finish::Bnb: return RowRule::Bnb;
    case Int8Finish::TorchAo: return RowRule::TorchAo;
    case Int8Finish::Quanto: return RowRule::Quanto;
    case Int8Finish::Fbgemm: break;
  }
  return RowRule::Fbgemm;
}

struct Rows {
  at::Tensor codes, scales, outliers;  // (M, in) of the type asked for; (M) f32; (in) u8 or undefined
};

Rows quantizeRows(const at::Tensor& x, RowsJob job, at::ScalarType type, CudaStream stream) {
  Rows rows{at::empty(x.sizes(), x.options().dtype(type)), at::empty({x.size(0)}, x.options().dtype(at::kFloat)), {}};
  job.x = x.const_data_ptr();
  job.rows = x.size(0);
  job.columns = x.size(1);
  job.scales = rows.scales.mutable_data_ptr<float>();
  job.codes = static_cast<std::uint8_t*>(rows.codes.mutable_data_ptr());
  if (job.threshold > 0) {
    rows.outliers = at::zeros({x.size(1)}, x.options().dtype(at::kByte));
    job.outliers = rows.outliers.mutable_data_ptr<std::uint8_t>();
  }
  if (job.rule != RowRule::Quanto && job.rule != RowRule::Fbgemm) check(cudaRowScales(job, stream), "row scales");
  check(cudaRowCodes(job, stream), "row codes");
  return rows;
}

// What torch's integer product asks for; others have a kernel here.
bool torchTakes(const at::Tensor& x, const at::Tensor& weight) {
  return x.size(0) > DeviceProducts::fewRows && x.size(1) % 8 == 0 && weight.size(0) % 8 == 0;
}

at::Tensor exactSums(const at::Tensor& x, const at::Tensor& weight, CudaStream stream) {
  if (torchTakes(x, weight)) return at::_int_mm(x, weight.t());
  const at::Tensor sums = at::empty({x.size(0), weight.size(0)}, x.options().dtype(at::kInt));
  const Int8SumsJob job{x.const_data_ptr<std::int8_t>(), weight.const_data_ptr<std::int8_t>(), x.size(0), weight.size(0), x.size(1),
                        sums.mutable_data_ptr<std::int32_t>()};
  check(cudaInt8Sums(job, stream), "integer sums");
  return sums;
}

Int8Result int8(const at::Tensor& x, const Int8Layer& layer) {
  const OnDevice on(x);
  RowsJob job;
  job.rule = ruleOf(layer.finish);
  job.threshold = job.rule == RowRule::Bnb ? layer.threshold : 0;
  job.scale = layer.scale;
  job.zero = layer.zero;
  const Rows rows = quantizeRows(x.contiguous(), job, at::kChar, on.stream());
  const at::Tensor sums = exactSums(rows.codes, layer.codes.contiguous(), on.stream()).contiguous();
  const at::Tensor columnScales = layer.columnScales.contiguous(), bias = layer.bias.defined() ? layer.bias.to(at::kFloat).contiguous() : layer.bias;
  const bool wide = layer.finish == Int8Finish::Fbgemm, given = wide || layer.finish == Int8Finish::Quanto;
  const at::Tensor y = at::empty(sums.sizes(), x.options().dtype(wide ? at::kFloat : at::kBFloat16));
  FinishJob finish{layer.finish, sums.const_data_ptr<std::int32_t>(), given ? nullptr : rows.scales.const_data_ptr<float>(), layer.scale,
                   columnScales.const_data_ptr<float>(), bias.defined() ? bias.const_data_ptr<float>() : nullptr, y.size(0), y.size(1),
                   y.mutable_data_ptr()};
  check(cudaFinish(finish, on.stream()), "finish");
  return {y, rows.outliers};
}

// Whether torch's product of 8-bit floats takes a scale for each row there: Hopper and later.
bool hasFp8() {
  int major = 0;
  return cudaMajor(&major) == 0 && major >= 9;
}

at::Tensor fp8(const at::Tensor& x, const at::Tensor& codes, const at::Tensor& scales, const at::Tensor& bias) {
  const OnDevice on(x);
  RowsJob job;
  job.rule = RowRule::Fp8;
  const Rows rows = quantizeRows(x.contiguous(), job, at::kFloat8_e4m3fn, on.stream());
  const at::Tensor rowScales = rows.scales.view({-1, 1}), columnScales = scales.view({1, -1});
  if (hasFp8() && x.size(0) > 0) {
    const std::optional<at::Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
    return at::_scaled_mm(rows.codes, codes.t(), rowScales, columnScales, added, {}, at::kBFloat16);
  }
  const at::Tensor sums = at::mm(rows.codes.to(at::kBFloat16), codes.to(at::kBFloat16).t(), at::kFloat).mul_(rowScales * columnScales);
  return (bias.defined() ? sums.add_(bias) : sums).to(at::kBFloat16);
}

}  // namespace

const DeviceProducts* deviceProducts(const at::Tensor& on) {
  static constexpr DeviceProducts products{expand, few, fused, int8, fp8};
  return OnDevice::takes(on) ? &products : nullptr;
}

}  // namespace quantspot::quant
