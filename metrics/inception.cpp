#include "metrics/inception.h"

#include "metrics/resize.h"

#include <ATen/ATen.h>

namespace quantspot::metrics {

at::Tensor Inception::Layer::operator()(const at::Tensor& x) const { return norm(convolution(x)).relu(); }

struct Inception::Loader {
  const WeightSource& weights;

  Layer layer(const std::string& name, std::int64_t in, std::int64_t out, std::vector<std::int64_t> kernel, std::int64_t stride = 1,
              bool padded = true) const {
    const auto read = [&](const std::string& tensor, const std::vector<std::int64_t>& shape) { return weights(name + tensor, shape).to(at::kFloat); };
    Layer layer;
    layer.convolution.weight = read(".conv.weight", {out, in, kernel[0], kernel[1]});
    layer.convolution.stride = {stride, stride};
    if (padded) layer.convolution.padding = {kernel[0] / 2, kernel[1] / 2};
    layer.norm = {read(".bn.weight", {out}), read(".bn.bias", {out}), read(".bn.running_mean", {out}), read(".bn.running_var", {out})};
    return layer;
  }

  Block a(const std::string& n, std::int64_t in, std::int64_t pooled) const {
    return {'A', {{layer(n + "branch1x1", in, 64, {1, 1})},
                  {layer(n + "branch5x5_1", in, 48, {1, 1}), layer(n + "branch5x5_2", 48, 64, {5, 5})},
                  {layer(n + "branch3x3dbl_1", in, 64, {1, 1}), layer(n + "branch3x3dbl_2", 64, 96, {3, 3}),
                   layer(n + "branch3x3dbl_3", 96, 96, {3, 3})},
                  {layer(n + "branch_pool", in, pooled, {1, 1})}}};
  }
  Block b(const std::string& n) const {
    return {'B', {{layer(n + "branch3x3", 288, 384, {3, 3}, 2, false)},
                  {layer(n + "branch3x3dbl_1", 288, 64, {1, 1}), layer(n + "branch3x3dbl_2", 64, 96, {3, 3}),
                   layer(n + "branch3x3dbl_3", 96, 96, {3, 3}, 2, false)}}};
  }
  Block c(const std::string& n, std::int64_t w) const {
    return {'C', {{layer(n + "branch1x1", 768, 192, {1, 1})},
                  {layer(n + "branch7x7_1", 768, w, {1, 1}), layer(n + "branch7x7_2", w, w, {1, 7}), layer(n + "branch7x7_3", w, 192, {7, 1})},
                  {layer(n + "branch7x7dbl_1", 768, w, {1, 1}), layer(n + "branch7x7dbl_2", w, w, {7, 1}), layer(n + "branch7x7dbl_3", w, w, {1, 7}),
                   layer(n + "branch7x7dbl_4", w, w, {7, 1}), layer(n + "branch7x7dbl_5", w, 192, {1, 7})},
                  {layer(n + "branch_pool", 768, 192, {1, 1})}}};
  }
  Block d(const std::string& n) const {
    return {'D', {{layer(n + "branch3x3_1", 768, 192, {1, 1}), layer(n + "branch3x3_2", 192, 320, {3, 3}, 2, false)},
                  {layer(n + "branch7x7x3_1", 768, 192, {1, 1}), layer(n + "branch7x7x3_2", 192, 192, {1, 7}),
                   layer(n + "branch7x7x3_3", 192, 192, {7, 1}),
                   layer(n + "branch7x7x3_4", 192, 192, {3, 3}, 2, false)}}};
  }
  // The last two layers of a chain stand side by side.
  Block e(const std::string& n, std::int64_t in, char kind) const {
    return {kind, {{layer(n + "branch1x1", in, 320, {1, 1})},
                   {layer(n + "branch3x3_1", in, 384, {1, 1}), layer(n + "branch3x3_2a", 384, 384, {1, 3}),
                    layer(n + "branch3x3_2b", 384, 384, {3, 1})},
                   {layer(n + "branch3x3dbl_1", in, 448, {1, 1}), layer(n + "branch3x3dbl_2", 448, 384, {3, 3}),
                    layer(n + "branch3x3dbl_3a", 384, 384, {1, 3}),
                    layer(n + "branch3x3dbl_3b", 384, 384, {3, 1})},
                   {layer(n + "branch_pool", in, 192, {1, 1})}}};
  }
};

Inception::Inception(const WeightSource& weights) {
  const Loader load{weights};
  stem_ = {load.layer("Conv2d_1a_3x3", 3, 32, {3, 3}, 2, false), load.layer("Conv2d_2a_3x3", 32, 32, {3, 3}, 1, false),
           load.layer("Conv2d_2b_3x3", 32, 64, {3, 3}),
           load.layer("Conv2d_3b_1x1", 64, 80, {1, 1}), load.layer("Conv2d_4a_3x3", 80, 192, {3, 3}, 1, false)};
  blocks_ = {load.a("Mixed_5b.", 192, 32), load.a("Mixed_5c.", 256, 64), load.a("Mixed_5d.", 288, 64), load.b("Mixed_6a."), load.c("Mixed_6b.", 128),
             load.c("Mixed_6c.", 160), load.c("Mixed_6d.", 160), load.c("Mixed_6e.", 192), load.d("Mixed_7a."), load.e("Mixed_7b.", 1280, 'E'),
                 load.e("Mixed_7c.", 2048, 'F')};
}

at::Tensor Inception::Block::operator()(const at::Tensor& x) const {
  const bool shrinks = kind == 'B' || kind == 'D', splits = kind == 'E' || kind == 'F';
  const at::Tensor pooled = shrinks ? maxPool(x, 3, 2) : kind == 'F' ? maxPool(x, 3, 1, 1) : at::avg_pool2d(x, {3, 3}, {1, 1}, {1, 1}, false, false);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const Chain& chain = branches[i];
    at::Tensor y = !shrinks && i + 1 == branches.size() ? pooled : x;
    const std::size_t joined = splits && chain.size() > 2 ? chain.size() - 2 : chain.size();
    for (std::size_t k = 0; k < joined; ++k) y = chain[k](y);
    if (joined == chain.size()) parts.push_back(y);
    for (std::size_t k = joined; k < chain.size(); ++k) parts.push_back(chain[k](y));
  }
  if (shrinks) parts.push_back(pooled);
  return at::cat(parts, 1);
}

at::Tensor Inception::features(const at::Tensor& pixels) const {
  at::Tensor x = (pixels - 128) / 128;
  for (std::size_t i = 0; i < stem_.size(); ++i) {
    x = stem_[i](x);
    if (i == 2 || i == 4) x = maxPool(x, 3, 2);
  }
  for (const Block& block : blocks_) x = block(x);
  return x.mean({2, 3});
}

at::Tensor inceptionPixels(ImageView image) { return resizeFloat(image, Inception::kSide, Inception::kSide).unsqueeze(0); }

}  // namespace quantspot::metrics
