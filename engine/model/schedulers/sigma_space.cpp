#include "engine/model/schedulers/sigma_space.h"

#include <ATen/ATen.h>

namespace quantspot::model {

double startingSigma(const at::Tensor& sigmas, bool leading) {
  const at::Tensor most = sigmas.max();
  return (leading ? (most.pow(2) + 1).pow(0.5) : most).item<float>();
}

at::Tensor scaledBySigma(const at::Tensor& sample, const at::Tensor& sigma) { return sample / (sigma.pow(2) + 1).pow(0.5); }

at::Tensor originalAtSigma(Prediction prediction, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& sigma) {
  switch (prediction) {
    case Prediction::Epsilon: return sample - sigma * output;
    case Prediction::Velocity: return output * (-sigma / (sigma.pow(2) + 1).pow(0.5)) + sample / (sigma.pow(2) + 1);
    default: return output;
  }
}

at::Tensor PathPoint::logRatio() const { return alpha.log() - sigma.log(); }

PathPoint pathPoint(const at::Tensor& ratio, bool flow) {
  if (flow) return {1 - ratio, ratio};
  const at::Tensor alpha = (ratio.pow(2) + 1).pow(0.5).reciprocal();
  return {alpha, ratio * alpha};
}

at::Tensor noisedOnPath(const at::Tensor& original, const at::Tensor& noise, const at::Tensor& ratio, bool flow) {
  const PathPoint point = pathPoint(ratio.to(original.scalar_type()), flow);
  return point.alpha * original + point.sigma * noise;
}

at::Tensor convertedOutput(Prediction prediction, bool toNoise, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& ratio,
                           bool flow) {
  const PathPoint at = pathPoint(ratio, flow);
  switch (prediction) {
    case Prediction::Epsilon: return toNoise ? output : (sample - at.sigma * output) / at.alpha;
    case Prediction::Sample: return toNoise ? (sample - at.alpha * output) / at.sigma : output;
    case Prediction::Velocity: return toNoise ? at.alpha * output + at.sigma * sample : at.alpha * sample - at.sigma * output;
    case Prediction::Flow: break;
  }
  return sample - ratio * output;
}

}  // namespace quantspot::model
