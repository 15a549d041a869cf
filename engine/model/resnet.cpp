#include "engine/model/resnet.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Resnet::Resnet(Parameters& p, const std::string& name, std::int64_t in, std::int64_t out, const ResnetOptions& options)
    : options_(options), norm1_(p.groupNorm(name + "norm1", in, options.groups, options.eps)),
      norm2_(p.groupNorm(name + "norm2", out, options.groups, options.eps)),
      conv1_(p.conv(name + "conv1", in, out, 3)), conv2_(p.conv(name + "conv2", out, out, 3)) {
  if (options.timeChannels > 0) time_ = p.linear(name + "time_emb_proj", options.timeChannels, options.scaleShift ? 2 * out : out);
  if (in != out) shortcut_ = p.conv(name + "conv_shortcut", in, out, 1);
}

at::Tensor Resnet::operator()(const at::Tensor& x, const at::Tensor& time) const {
  auto hidden = conv1_(options_.act(norm1_(x)));
  const auto signal = time_ ? (*time_)(options_.act(time)).unsqueeze(2).unsqueeze(3) : at::Tensor();
  if (time_ && !options_.scaleShift) hidden = hidden + signal;
  hidden = norm2_(hidden);
  if (time_ && options_.scaleShift) {
    const auto parts = signal.chunk(2, 1);
    hidden = hidden * (1 + parts[0]) + parts[1];
  }
  const auto sum = (shortcut_ ? (*shortcut_)(x) : x) + conv2_(options_.act(hidden));
  return options_.outputScale == 1 ? sum : sum / options_.outputScale;
}

at::Tensor enlarged(const at::Tensor& x, std::optional<std::pair<std::int64_t, std::int64_t>> size) {
  const auto [height, width] = size.value_or(std::pair(2 * x.size(2), 2 * x.size(3)));
  return at::upsample_nearest2d(x, {height, width});
}

}  // namespace quantspot::model
