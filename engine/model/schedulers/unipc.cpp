#include "engine/model/schedulers/unipc.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::model {

// Source: arXiv 2302.04867, with B(h) of either kind.
struct UniPc::Expansion {
  PathPoint from, to;
  at::Tensor growth, scale;               // h·phi_1(h); B(h)
  at::Tensor quotients;                   // (B, order − 1, …) of older outputs; undefined for order 1
  at::Tensor matrix, right;               // of the weights: (order, order), (order)
};

UniPc::UniPc(const Config& config)
    : schedule_(config, MultistepSchedule::Solver::UniPc), predictsOriginal_(config.get("predict_x0", true)),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity, Prediction::Flow})),
      clipping_(config, Clipping::Default::None), solverOrder_(static_cast<int>(config.positive("solver_order", 2))),
      lowerOrderFinal_(config.get("lower_order_final", true)), uncorrected_(config.get("disable_corrector", std::vector<int>())) {
  const auto solver = config.get<std::string>("solver_type", "bh2");
  bh2_ = solver != "bh1";
  if (bh2_ && solver != "bh2" && solver != "midpoint" && solver != "heun" && solver != "logrho") config.fail("solver_type", "must be bh1 or bh2");
  if (config.has("solver_p")) config.fail("solver_p", "is not supported");
  if (!predictsOriginal_ && prediction_ == Prediction::Flow) config.fail("prediction_type", "needs predict_x0");
}

void UniPc::setTimesteps(int steps, const ImageTokens& tokens) {
  times_ = schedule_.times(steps, tokens.count);
  outputs_.clear();
  lastSample_ = at::Tensor();
  order_ = 1;
}

PathPoint UniPc::pointAt(std::size_t index) const { return pathPoint(times_.sigmas[static_cast<std::int64_t>(index)], schedule_.flow()); }

// From the point at `index`, where outputs_[0] was made, to the next one.
UniPc::Expansion UniPc::expanded(std::size_t index, int order) const {
  Expansion e{.from = pointAt(index), .to = pointAt(index + 1), .growth = {}, .scale = {}, .quotients = {}, .matrix = {}, .right = {}};
  const at::Tensor start = e.from.logRatio(), h = e.to.logRatio() - start, hh = predictsOriginal_ ? -h : h;
  std::vector<at::Tensor> ratios, quotients, rows, right;
  for (int i = 1; i < order; ++i) {
    ratios.push_back((pointAt(index - static_cast<std::size_t>(i)).logRatio() - start) / h);
    quotients.push_back((outputs_[static_cast<std::size_t>(i)] - outputs_[0]) / ratios.back());
  }
  ratios.push_back(at::ones({}));
  e.growth = hh.expm1();
  e.scale = bh2_ ? hh.expm1() : hh;
  at::Tensor phi = e.growth / hh - 1;
  double factorial = 1;
  for (int i = 1; i <= order; ++i) {
    rows.push_back(at::stack(ratios).pow(i - 1));
    right.push_back(phi * factorial / e.scale);
    factorial *= i + 1;
    phi = phi / hh - 1 / factorial;
  }
  e.matrix = at::stack(rows);
  e.right = at::stack(right);
  if (!quotients.empty()) e.quotients = at::stack(quotients, 1);
  return e;
}

namespace {

at::Tensor weighted(const at::Tensor& weights, const at::Tensor& quotients) {
  return quotients.defined() ? at::einsum("k,bkc...->bc...", {weights, quotients}) : at::zeros({});
}

}  // namespace

// The sample at the next point, before differences of outputs: linear in the sample and in the newest output.
at::Tensor UniPc::moved(const Expansion& e, const at::Tensor& sample, const at::Tensor& differences) const {
  const at::Tensor kept = predictsOriginal_ ? e.to.sigma / e.from.sigma : e.to.alpha / e.from.alpha;
  const at::Tensor& factor = predictsOriginal_ ? e.to.alpha : e.to.sigma;
  return (kept * sample - factor * e.growth * outputs_[0] - factor * e.scale * differences).to(sample.scalar_type());
}

at::Tensor UniPc::predicted(const at::Tensor& sample, std::size_t call) const {
  const Expansion e = expanded(call, order_);
  at::Tensor weights;
  if (order_ == 2) weights = at::ones({1}, sample.options()) * 0.5;
  if (order_ > 2) weights = at::linalg_solve(e.matrix.slice(0, 0, -1).slice(1, 0, -1), e.right.slice(0, 0, -1)).to(sample.options());
  return moved(e, sample, weighted(weights, e.quotients));
}

at::Tensor UniPc::corrected(const at::Tensor& output, std::size_t call) const {
  const Expansion e = expanded(call - 1, order_);
  const at::Tensor weights = order_ == 1 ? at::ones({1}, lastSample_.options()) * 0.5 : at::linalg_solve(e.matrix, e.right).to(lastSample_.options());
  const at::Tensor older = weighted(weights.slice(0, 0, -1), e.quotients);
  return moved(e, lastSample_, older + weights[-1] * (output - outputs_[0]));
}

at::Tensor UniPc::step(const at::Tensor& output, std::size_t call, const at::Tensor& given, const NoiseSource& /*noise*/) {
  at::Tensor sample = given;
  at::Tensor made = convertedOutput(prediction_, !predictsOriginal_, output, sample, times_.sigmas[static_cast<std::int64_t>(call)],
      schedule_.flow());
  if (predictsOriginal_) made = clipping_(made);
  if (lastSample_.defined() && std::ranges::find(uncorrected_, static_cast<int>(call) - 1) == uncorrected_.end()) sample = corrected(made, call);
  outputs_.insert(outputs_.begin(), made);
  if (outputs_.size() > static_cast<std::size_t>(solverOrder_)) outputs_.pop_back();
  const auto left = static_cast<int>(times_.timesteps.size() - call);
  order_ = std::min(lowerOrderFinal_ ? std::min(solverOrder_, left) : solverOrder_, static_cast<int>(outputs_.size()));
  lastSample_ = sample;
  return predicted(sample, call);
}

at::Tensor UniPc::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return noisedOnPath(original, noise, times_.sigmas[static_cast<std::int64_t>(call)], schedule_.flow());
}

}  // namespace quantspot::model
