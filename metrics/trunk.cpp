#include "metrics/trunk.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace quantspot::metrics {
namespace {

Convolution read(const WeightSource& weights, const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                 std::int64_t stride, std::int64_t padding) {
  return {weights(name + ".weight", {out, in, kernel, kernel}).to(at::kFloat), weights(name + ".bias", {out}).to(at::kFloat), {stride, stride},
          {padding, padding}};
}

// The root of the mean square under a Hann window of 3 × 3, every second pixel (Hénaff and Simoncelli 2016), as piq 0.8 writes it.
at::Tensor pooledSquares(const at::Tensor& x) {
  const std::int64_t channels = x.size(1);
  const at::Tensor row = at::tensor({0.25, 0.5, 0.25}, x.options());
  const at::Tensor window = at::outer(row, row).expand({channels, 1, 3, 3}).contiguous();
  return (at::conv2d(x * x, window, {}, {2, 2}, {1, 1}, {1, 1}, channels) + 1e-12).sqrt();
}

}  // namespace

void Trunk::add(const WeightSource& weights, int index, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                std::int64_t padding) {
  steps_.push_back(Relu{read(weights, "features." + std::to_string(index), in, out, kernel, stride, padding)});
}

void Trunk::addFire(const WeightSource& weights, int index, std::int64_t in, std::int64_t squeezed, std::int64_t wide) {
  const std::string name = "features." + std::to_string(index) + ".";
  steps_.push_back(Fire{read(weights, name + "squeeze", in, squeezed, 1, 1, 0), read(weights, name + "expand1x1", squeezed, wide, 1, 1, 0),
                        read(weights, name + "expand3x3", squeezed, wide, 3, 1, 1)});
}

Trunk::Trunk(TrunkKind kind, const WeightSource& w) {
  const auto tap = [&] { steps_.push_back(Tap{}); };
  const auto pool = [&](std::int64_t kernel, bool ceil) { steps_.push_back(Pool{kernel, ceil}); };
  if (kind == TrunkKind::Alex) {
    channels_ = {64, 192, 384, 256, 256};
    smallest_ = 31;
    add(w, 0, 3, 64, 11, 4, 2), tap(), pool(3, false);
    add(w, 3, 64, 192, 5, 1, 2), tap(), pool(3, false);
    add(w, 6, 192, 384, 3, 1, 1), tap();
    add(w, 8, 384, 256, 3, 1, 1), tap();
    add(w, 10, 256, 256, 3, 1, 1), tap();
  } else if (kind == TrunkKind::Vgg) {
    channels_ = {64, 128, 256, 512, 512};
    smallest_ = 16;
    const std::vector<std::vector<int>> groups = {{0, 2}, {5, 7}, {10, 12, 14}, {17, 19, 21}, {24, 26, 28}};
    std::int64_t in = 3;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (g > 0) pool(2, false);
      for (const int index : groups[g]) add(w, index, std::exchange(in, channels_[g]), channels_[g], 3, 1, 1);
      tap();
    }
  } else {
    channels_ = {64, 128, 256, 384, 384, 512, 512};
    smallest_ = 17;
    add(w, 0, 3, 64, 3, 2, 0), tap(), pool(3, true);
    addFire(w, 3, 64, 16, 64), addFire(w, 4, 128, 16, 64), tap(), pool(3, true);
    addFire(w, 6, 128, 32, 128), addFire(w, 7, 256, 32, 128), tap(), pool(3, true);
    addFire(w, 9, 256, 48, 192), tap();
    addFire(w, 10, 384, 48, 192), tap();
    addFire(w, 11, 384, 64, 256), tap();
    addFire(w, 12, 512, 64, 256), tap();
  }
}

std::vector<at::Tensor> Trunk::operator()(const at::Tensor& pixels, bool softPool) const {
  if (pixels.size(2) < smallest_ || pixels.size(3) < smallest_)
    throw std::invalid_argument("this network needs pictures of at least " + std::to_string(smallest_) + " pixels a side");
  at::Tensor x = pixels;
  std::vector<at::Tensor> outputs;
  for (const Step& step : steps_) {
    if (const auto* relu = std::get_if<Relu>(&step)) x = relu->convolution(x).relu();
    if (const auto* pool = std::get_if<Pool>(&step)) x = softPool ? pooledSquares(x) : maxPool(x, pool->kernel, 2, 0, pool->ceil);
    if (const auto* fire = std::get_if<Fire>(&step)) {
      const at::Tensor narrow = fire->squeeze(x).relu();
      x = at::cat({fire->narrow(narrow).relu(), fire->wide(narrow).relu()}, 1);
    }
    if (std::get_if<Tap>(&step)) outputs.push_back(x);
  }
  return outputs;
}

}  // namespace quantspot::metrics
