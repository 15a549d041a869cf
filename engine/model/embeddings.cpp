#include "engine/model/embeddings.h"

#include <ATen/ATen.h>

#include <cmath>

namespace quantspot::model {

at::Tensor sinusoid(const at::Tensor& values, std::int64_t channels, const SinusoidOptions& options) {
  const std::int64_t half = channels / 2;
  const auto numbers = at::arange(0, half, values.options().dtype(at::kFloat));
  const auto exponents = -std::log(10000.0) * numbers / (static_cast<double>(half) - options.freqShift);
  const auto angles = values.to(at::kFloat).unsqueeze(1) * at::exp(exponents).unsqueeze(0);
  auto both = options.cosFirst ? at::cat({at::cos(angles), at::sin(angles)}, -1) : at::cat({at::sin(angles), at::cos(angles)}, -1);
  return channels % 2 == 0 ? both : at::constant_pad_nd(both, {0, 1});
}

at::Tensor Embedder::operator()(const at::Tensor& x) const {
  const at::Tensor hidden = first(x);
  const at::Tensor out = second(act ? act(hidden) : at::silu(hidden));
  return after ? after(out) : out;
}

Embedder loadEmbedder(Parameters& p, const std::string& name, std::int64_t in, std::int64_t out) {
  return {p.linear(name + ".linear_1", in, out), p.linear(name + ".linear_2", out, out)};
}

}  // namespace quantspot::model
