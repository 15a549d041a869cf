#include "engine/model/schedulers/dpm_solver_multistep.h"

#include <ATen/ATen.h>

namespace quantspot::model {

struct DpmSolverMultistep::Factors {
  at::Tensor sample, d0, d1, d2, noise;   // undefined: not used
};

DpmSolverMultistep::DpmSolverMultistep(const Config& config)
    : schedule_(config, MultistepSchedule::Solver::Dpm),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity, Prediction::Flow})),
      clipping_(config, Clipping::Default::None), solverOrder_(static_cast<int>(config.positive("solver_order", 2))),
      lowerOrderFinal_(config.get("lower_order_final", true)), eulerAtFinal_(config.get("euler_at_final", false)),
      endsLow_(endsAtLowestSigma(config)) {
  const auto algorithm = config.get<std::string>("algorithm_type", "dpmsolver++"), solver = config.get<std::string>("solver_type", "midpoint");
  const auto variance = config.get<std::string>("variance_type", "");
  stochastic_ = algorithm.starts_with("sde-");
  plusPlus_ = algorithm.ends_with("++") || algorithm == "deis";
  if (algorithm != "deis" && algorithm != "dpmsolver" && algorithm != "dpmsolver++" && algorithm != "sde-dpmsolver" && algorithm != "sde-dpmsolver++")
    config.fail("algorithm_type", "must be dpmsolver, dpmsolver++, sde-dpmsolver or sde-dpmsolver++");
  midpoint_ = solver != "heun";
  if (midpoint_ && solver != "midpoint" && solver != "logrho" && solver != "bh1" && solver != "bh2")
    config.fail("solver_type", "must be midpoint or heun");
  if (solverOrder_ > 3) config.fail("solver_order", "must be 1, 2 or 3");
  if (solverOrder_ == 3 && stochastic_ && !plusPlus_) config.fail("solver_order", "must be 1 or 2 with sde-dpmsolver");
  if (!plusPlus_ && !endsLow_) config.fail("final_sigmas_type", "must be sigma_min with algorithm_type dpmsolver and sde-dpmsolver");
  if (!plusPlus_ && prediction_ == Prediction::Flow)
    config.fail("prediction_type", "is not supported with algorithm_type dpmsolver and sde-dpmsolver");
  // Of DDPM's kinds only these mean that an output holds more than the noise.
  learnedVariance_ = variance == "learned" || variance == "learned_range";
}

void DpmSolverMultistep::setTimesteps(int steps, const ImageTokens& tokens) {
  times_ = schedule_.times(steps, tokens.count);
  outputs_.clear();
}

int DpmSolverMultistep::orderAt(std::size_t call) const {
  const std::size_t left = times_.timesteps.size() - call;
  const bool few = lowerOrderFinal_ && times_.timesteps.size() < 15;
  if (left == 1 && (eulerAtFinal_ || few || !endsLow_)) return 1;
  return std::min(static_cast<int>(outputs_.size()), left == 2 && few ? 2 : 3);
}

at::Tensor DpmSolverMultistep::converted(const at::Tensor& output, const at::Tensor& sample, const at::Tensor& ratio) const {
  const bool epsilonOnly = learnedVariance_ && prediction_ == Prediction::Epsilon;
  at::Tensor made = convertedOutput(prediction_, !plusPlus_, epsilonOnly ? output.slice(1, 0, 3) : output, sample, ratio, schedule_.flow());
  if (!clipping_.thresholds()) return made;
  if (plusPlus_) return clipping_(made);
  const PathPoint at = pathPoint(ratio, schedule_.flow());
  return (sample - at.alpha * clipping_((sample - at.sigma * made) / at.alpha)) / at.sigma;
}

// Source: arXiv 2211.01095; h is the step in log(alpha / sigma).
void DpmSolverMultistep::firstOrder(Factors& f, const PathPoint& now, const PathPoint& next, const at::Tensor& h) const {
  if (plusPlus_ && stochastic_) {
    f.sample = next.sigma / now.sigma * (-h).exp();
    f.d0 = next.alpha * (1 - (-2.0 * h).exp());
    f.noise = next.sigma * (1.0 - (-2 * h).exp()).sqrt();
  } else if (plusPlus_) {
    f.sample = next.sigma / now.sigma;
    f.d0 = -(next.alpha * ((-h).exp() - 1.0));
  } else {
    f.sample = next.alpha / now.alpha;
    f.d0 = -(next.sigma * (h.exp() - 1.0));
    if (!stochastic_) return;
    f.d0 = 2.0 * f.d0;
    f.noise = next.sigma * ((2 * h).exp() - 1.0).sqrt();
  }
}

// Of the first difference quotient; the third order has no midpoint form.
at::Tensor DpmSolverMultistep::secondFactor(int order, const PathPoint& next, const at::Tensor& h) const {
  const bool midpoint = midpoint_ && order == 2;
  if (plusPlus_ && stochastic_) {
    const at::Tensor decay = (-2.0 * h).exp();
    return midpoint ? 0.5 * (next.alpha * (1 - decay)) : next.alpha * ((1.0 - decay) / (-2.0 * h) + 1.0);
  }
  if (plusPlus_) return midpoint ? -(0.5 * (next.alpha * ((-h).exp() - 1.0))) : next.alpha * (((-h).exp() - 1.0) / h + 1.0);
  const at::Tensor factor = midpoint ? 0.5 * (next.sigma * (h.exp() - 1.0)) : next.sigma * ((h.exp() - 1.0) / h - 1.0);
  return stochastic_ ? -(2.0 * factor) : -factor;
}

DpmSolverMultistep::Factors DpmSolverMultistep::factors(int order, const PathPoint& now, const PathPoint& next, const at::Tensor& h) const {
  Factors f;
  firstOrder(f, now, next, h);
  if (order > 1) f.d1 = secondFactor(order, next, h);
  if (order > 2) {
    const at::Tensor twice = 2.0 * h;
    if (plusPlus_ && stochastic_) f.d2 = next.alpha * ((1.0 - (-twice).exp() - twice) / twice.pow(2) - 0.5);
    else if (plusPlus_) f.d2 = -(next.alpha * (((-h).exp() - 1.0 + h) / h.pow(2) - 0.5));
    else f.d2 = -(next.sigma * ((h.exp() - 1.0 - h) / h.pow(2) - 0.5));
  }
  return f;
}

at::Tensor DpmSolverMultistep::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) {
  const auto i = static_cast<std::int64_t>(call);
  const at::Tensor& sigmas = times_.sigmas;
  outputs_.insert(outputs_.begin(), converted(output, sample, sigmas[i]));
  if (outputs_.size() > static_cast<std::size_t>(solverOrder_)) outputs_.pop_back();
  const int order = orderAt(call);
  const auto lambda = [&](std::int64_t index) { return pathPoint(sigmas[index], schedule_.flow()).logRatio(); };
  const PathPoint now = pathPoint(sigmas[i], schedule_.flow()), next = pathPoint(sigmas[i + 1], schedule_.flow());
  const at::Tensor h = next.logRatio() - now.logRatio(), wide = sample.to(at::kFloat), drawnNoise = stochastic_ ? drawn(noise, wide) : at::Tensor();
  const Factors f = factors(order, now, next, h);

  at::Tensor moved = f.sample * wide + f.d0 * outputs_[0], d1;
  if (order > 1) {
    const at::Tensor r0 = (now.logRatio() - lambda(i - 1)) / h;
    d1 = r0.reciprocal() * (outputs_[0] - outputs_[1]);
    if (order > 2) {
      const at::Tensor r1 = (lambda(i - 1) - lambda(i - 2)) / h, bend = d1 - r1.reciprocal() * (outputs_[1] - outputs_[2]);
      const at::Tensor d2 = (r0 + r1).reciprocal() * bend;
      moved = moved + f.d1 * (d1 + r0 / (r0 + r1) * bend) + f.d2 * d2;
    } else {
      moved = moved + f.d1 * d1;
    }
  }
  if (stochastic_) moved = moved + f.noise * drawnNoise;
  return moved.to(outputs_[0].scalar_type());
}

at::Tensor DpmSolverMultistep::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return noisedOnPath(original, noise, times_.sigmas[static_cast<std::int64_t>(call)], schedule_.flow());
}

}  // namespace quantspot::model
