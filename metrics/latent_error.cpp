#include "metrics/latent_error.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace quantspot::metrics {

LatentError latentError(const at::Tensor& x, const at::Tensor& reference) {
  if (x.sizes() != reference.sizes()) {
    std::ostringstream sizes;
    sizes << x.sizes() << " and " << reference.sizes();
    throw std::invalid_argument("the latents differ in shape: " + sizes.str());
  }
  const at::Tensor a = x.to(at::kDouble).flatten(), b = reference.to(at::kDouble).flatten();
  if (!a.isfinite().all().item<bool>() || !b.isfinite().all().item<bool>())
    throw std::invalid_argument("the latents hold values that are no finite numbers");
  const double na = a.norm().item<double>(), nb = b.norm().item<double>(), distance = (a - b).norm().item<double>();
  LatentError error;
  error.relative = distance == 0 ? 0 : nb == 0 ? std::numeric_limits<double>::infinity() : distance / nb;
  if (na > 0 || nb > 0) error.cosine = na == 0 || nb == 0 ? 0 : std::clamp(a.dot(b).item<double>() / (na * nb), -1.0, 1.0);
  return error;
}

std::vector<LatentError> latentErrors(const at::Tensor& steps, const at::Tensor& reference) {
  if (steps.dim() < 1 || steps.sizes() != reference.sizes()) latentError(steps, reference);
  std::vector<LatentError> errors;
  for (std::int64_t i = 0; i < steps.size(0); ++i) errors.push_back(latentError(steps[i], reference[i]));
  return errors;
}

}  // namespace quantspot::metrics
