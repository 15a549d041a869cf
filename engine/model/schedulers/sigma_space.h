// Arithmetic of schedulers whose sample carries noise of standard deviation sigma (Euler's), and of those that solve in log(alpha / sigma).
#pragma once

#include "engine/model/schedulers/diffusion.h"

namespace quantspot::model {

// The factor of the starting noise. leading: timestep_spacing, which starts below the highest sigma.
double startingSigma(const at::Tensor& sigmas, bool leading);
// What the model sees: sample / √(sigma² + 1).
at::Tensor scaledBySigma(const at::Tensor& sample, const at::Tensor& sigma);
// The finished sample that an output means where the sample is original + sigma · noise.
at::Tensor originalAtSigma(Prediction prediction, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& sigma);

// A point of the path alpha · original + sigma · noise; scalars.
struct PathPoint {
  at::Tensor alpha, sigma;
  at::Tensor logRatio() const;            // lambda: log(alpha) − log(sigma)
};
// ratio: sigma / alpha, or with flow sigma itself, and alpha = 1 − sigma.
PathPoint pathPoint(const at::Tensor& ratio, bool flow);
// alpha · original + sigma · noise with the sigma at a call, in the type of original.
at::Tensor noisedOnPath(const at::Tensor& original, const at::Tensor& noise, const at::Tensor& ratio, bool flow);

// As the multistep solvers need an output: the original it means, or (toNoise) the noise. ratio: of the current point.
at::Tensor convertedOutput(Prediction prediction, bool toNoise, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& ratio, bool flow);

}  // namespace quantspot::model
