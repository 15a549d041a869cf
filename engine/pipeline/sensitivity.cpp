#include "engine/pipeline/sensitivity.h"

#include "engine/pipeline/memory.h"
#include "engine/pipeline/phases.h"
#include "engine/pipeline/recipe.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace quantspot::pipeline {
namespace {

constexpr std::size_t kTogether = 4;     // prompts drawn in one pass

// A layer that is at one of two precisions. Only that form is held: the other is read and packed anew when it is asked for.
class Switch {
 public:
  Switch(std::string layer, quant::LayerKind kind) : layer_(std::move(layer)), kind_(kind) {}
  virtual ~Switch() = default;
  void set(bool low) {
    if (std::exchange(low_, low) != low) change();
  }
  const std::string& layer() const { return layer_; }
  quant::LayerKind kind() const { return kind_; }
  virtual std::int64_t bytes() const = 0;   // of the form at hand

 protected:
  virtual void change() = 0;
  bool low_ = false;

 private:
  std::string layer_;
  quant::LayerKind kind_;
};
using Switches = std::vector<std::shared_ptr<Switch>>;

template <class Layer>
class SwitchOf final : public Switch {
 public:
  using Make = std::function<std::unique_ptr<Layer>(bool low)>;
  SwitchOf(std::string layer, quant::LayerKind kind, Make make) : Switch(std::move(layer), kind), make_(std::move(make)), now_(make_(false)) {}
  const Layer& now() const { return *now_; }
  std::int64_t bytes() const override { return now_->bytes(); }

 private:
  void change() override {
    now_.reset();                        // first: never both
    now_ = make_(low_);
  }

  Make make_;
  std::unique_ptr<Layer> now_;
};

class SwitchedLinear final : public quant::Linear {
 public:
  explicit SwitchedLinear(std::shared_ptr<const SwitchOf<quant::Linear>> which) : switch_(std::move(which)) {}

  at::Tensor forward(const at::Tensor& x) const override { return switch_->now().forward(x); }
  std::string_view precision() const override { return switch_->now().precision(); }
  std::int64_t bytes() const override { return switch_->now().bytes(); }
  std::int64_t inFeatures() const override { return switch_->now().inFeatures(); }
  std::int64_t outFeatures() const override { return switch_->now().outFeatures(); }

 private:
  std::shared_ptr<const SwitchOf<quant::Linear>> switch_;
};

class SwitchedConvolution final : public quant::Convolution {
 public:
  explicit SwitchedConvolution(std::shared_ptr<const SwitchOf<quant::Convolution>> which) : switch_(std::move(which)) {}

  at::Tensor forward(const at::Tensor& x) const override { return switch_->now().forward(x); }
  std::string_view precision() const override { return switch_->now().precision(); }
  std::int64_t bytes() const override { return switch_->now().bytes(); }

 private:
  std::shared_ptr<const SwitchOf<quant::Convolution>> switch_;
};

// Loads the denoiser at the reference, every layer that `low` changes behind a switch. Must outlive the switches.
class Loader {
 public:
  Loader(const ScanRequest& request, Switches& switches) : request_(request), switches_(switches) {
    packLayers(reference_, request.sample.policy, notes_);
    packLayers(low_, request.low, notes_);
  }

  std::unique_ptr<model::Denoiser> load(model::LoadOptions options) {
    options.linear = [this](const model::LayerWeight& weight, const std::optional<at::Tensor>& bias) { return linear(weight, bias); };
    options.convolution = [this](const model::LayerWeight& weight, const std::optional<at::Tensor>& bias, const quant::Conv2dOptions& how) {
      return convolution(weight, bias, how);
    };
    const TightHeap tight;
    return model::loadDenoiser(request_.sample.model, options);
  }

 private:
  bool changes(const model::LayerWeight& weight) const {
    return &quantizerFor(request_.sample.policy, weight.name, weight.shape) != &quantizerFor(request_.low, weight.name, weight.shape);
  }

  std::unique_ptr<quant::Linear> linear(const model::LayerWeight& weight, const std::optional<at::Tensor>& bias) {
    if (!changes(weight)) return reference_.linear(weight, bias);
    const auto make = [this, weight, bias](bool low) { return (low ? low_ : reference_).linear(weight, bias); };
    auto made = std::make_shared<SwitchOf<quant::Linear>>(weight.name, quant::LayerKind::Linear, make);
    switches_.push_back(made);
    return std::make_unique<SwitchedLinear>(std::move(made));
  }

  std::unique_ptr<quant::Convolution> convolution(const model::LayerWeight& weight, const std::optional<at::Tensor>& bias, const quant::Conv2dOptions& how) {
    if (!changes(weight)) return reference_.convolution(weight, bias, how);
    const auto make = [this, weight, bias, how](bool low) -> std::unique_ptr<quant::Convolution> {
      if (auto made = (low ? low_ : reference_).convolution(weight, bias, how)) return made;
      const at::ScalarType plain = computeType(low ? request_.low : request_.sample.policy);
      return std::make_unique<quant::Conv2d>(quant::quantizer(quant::plainPrecision(plain)), weight.read(), bias, how);
    };
    auto made = std::make_shared<SwitchOf<quant::Convolution>>(weight.name, quant::LayerKind::Convolution, make);
    switches_.push_back(made);
    return std::make_unique<SwitchedConvolution>(std::move(made));
  }

  const ScanRequest& request_;
  Switches& switches_;
  model::LoadOptions reference_, low_;
  PackingNotes notes_;
};

// ‖x − r‖² / ‖r‖² of every picture, added up.
double squaredErrors(const at::Tensor& x, const at::Tensor& reference) {
  const at::Tensor r = reference.to(at::kDouble).flatten(1), off = x.to(at::kDouble).flatten(1) - r;
  return (off.square().sum(1) / r.square().sum(1)).sum().item<double>();
}

}  // namespace

struct Sensitivity::State {
  ScanRequest request;
  Switches switches;
  std::vector<Switches> members;         // of each group
  std::vector<SampleRequest> chunks;     // some prompts each
  std::vector<std::unique_ptr<Phases>> phases;
  std::vector<Encoded> encoded;
  std::unique_ptr<Loader> loader;
  std::unique_ptr<model::Denoiser> denoiser;
  std::vector<at::Tensor> reference;     // final latents of each chunk
  Scan scan;
  int done = 0, total = 0;

  explicit State(const ScanRequest& given) : request(given) {}

  void tell() {
    if (request.sample.cancel && *request.sample.cancel) throw Cancelled();
    if (request.sample.progress) request.sample.progress("scan", done, total);
  }

  void encode() {
    for (std::size_t first = 0; first < request.prompts.size(); first += kTogether) {
      SampleRequest& chunk = chunks.emplace_back(request.sample);
      for (std::size_t i = first; i < std::min(first + kTogether, request.prompts.size()); ++i) {
        protocol::Recipe recipe = request.sample.recipe;
        recipe.prompt = request.prompts[i];
        recipe.seed += i;
        recipe = completeRecipe(std::move(recipe), request.sample.model);
        checkRecipe(recipe, model::familyOf(request.sample.model).info());
        i == first ? void(chunk.recipe = recipe) : chunk.more.push_back(recipe);
      }
    }
    for (const SampleRequest& chunk : chunks) {   // they stay where they are from here on
      phases.push_back(std::make_unique<Phases>(chunk));
      encoded.push_back(phases.back()->encode());
    }
  }

  void load() {
    model::LoadOptions options;
    options.compute = computeType(request.sample.policy);
    options.device = at::Device(request.sample.device);
    options.onLayer = [this](std::size_t, std::size_t) { tell(); };
    options.softmax = softmaxType(request.sample.policy);
    loader = std::make_unique<Loader>(request, switches);
    denoiser = loader->load(options);
    if (switches.empty())
      throw std::invalid_argument(fmt::format("{} holds every layer as {} does: there is nothing to scan", request.low.text(), request.sample.policy.text()));
  }

  void group() {
    for (const auto& one : switches) {
      const std::string name = request.byBlock ? blockOf(one->layer()) : one->layer();
      if (scan.groups.empty() || scan.groups.back().name != name) {
        scan.groups.push_back({.name = name, .layers = {}});
        members.emplace_back();
      }
      ScannedGroup& group = scan.groups.back();
      group.layers.push_back({one->layer(), one->kind()});
      group.before += one->bytes();
      members.back().push_back(one);
    }
    scan.bytesBefore = denoiser->bytes();
  }

  std::vector<at::Tensor> draw() {
    std::vector<at::Tensor> latents;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      tell();
      latents.push_back(phases[i]->draw(*denoiser, encoded[i].conditioning, seedsOf(chunks[i]), [this] { tell(); }));
    }
    ++done;
    return latents;
  }

  double errorWith(const std::vector<bool>& low) {
    for (const bool to : {false, true})   // first those that go back: what they leave is free then
      for (std::size_t i = 0; i < members.size(); ++i)
        for (const auto& one : members[i])
          if (low[i] == to) one->set(to), tell();
    const std::vector<at::Tensor> drawn = draw();
    double sum = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) sum += squaredErrors(drawn[i], reference[i]);
    return std::sqrt(sum / static_cast<double>(request.prompts.size()));
  }

  // What an earlier scan said of it. One of another size was another scan's.
  bool takeKnown(ScannedGroup& group) const {
    const auto known = request.known.find(group.name);
    if (known == request.known.end()) return false;
    if (known->second.before != group.before)
      throw std::invalid_argument(fmt::format("{} takes {} bytes, not {} as in the earlier scan; scan again", group.name, group.before, known->second.before));
    group.after = known->second.after;
    group.error = known->second.error;
    return true;
  }

  void measure() {
    const std::size_t groups = scan.groups.size();
    total = static_cast<int>(groups - std::min(groups, request.known.size())) + 2;
    reference = draw();
    for (std::size_t i = 0; i < groups; ++i) {
      std::vector<bool> alone(groups, false);
      alone[i] = true;
      if (takeKnown(scan.groups[i])) continue;
      scan.groups[i].error = errorWith(alone);
      for (const auto& one : members[i]) scan.groups[i].after += one->bytes();
    }
    scan.all = errorWith(std::vector<bool>(groups, true));
    scan.bytesAfter = scan.bytesBefore;
    for (const ScannedGroup& group : scan.groups) scan.bytesAfter += group.after - group.before;
    tell();
  }

  std::int64_t bytesWith(const std::vector<bool>& low) const {
    std::int64_t bytes = scan.bytesBefore;
    for (std::size_t i = 0; i < low.size(); ++i)
      if (low[i]) bytes += scan.groups[i].after - scan.groups[i].before;
    return bytes;
  }

  // Groups that save something, those first that cost least error for it.
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < scan.groups.size(); ++i)
      if (scan.groups[i].after < scan.groups[i].before) all.push_back(i);
    const auto cost = [&](std::size_t i) { return scan.groups[i].error * scan.groups[i].error / static_cast<double>(scan.groups[i].before - scan.groups[i].after); };
    std::ranges::stable_sort(all, {}, cost);
    return all;
  }

  double predicted(const std::vector<bool>& low) const {
    double sum = 0;
    for (std::size_t i = 0; i < low.size(); ++i)
      if (low[i]) sum += scan.groups[i].error * scan.groups[i].error;
    return std::sqrt(sum);
  }

  // As many groups as the predicted error allows; a dear one does not bar the way of cheaper ones behind it.
  std::vector<bool> within(double error) const {
    std::vector<bool> low(scan.groups.size(), false);
    for (const std::size_t i : order()) {
      low[i] = true;
      if (predicted(low) > error) low[i] = false;
    }
    return low;
  }

  std::vector<bool> downTo(std::int64_t bytes) const {
    std::vector<bool> low(scan.groups.size(), false);
    for (const std::size_t i : order()) {
      if (bytesWith(low) <= bytes) break;
      low[i] = true;
    }
    return low;
  }

  FoundPolicy found(const std::vector<bool>& low, double measured, int checks) const {
    FoundPolicy result{mixedPolicy(request.sample.policy, request.low, scan.groups, low), {}, predicted(low), measured, bytesWith(low), checks};
    for (std::size_t i = 0; i < low.size(); ++i)
      if (low[i]) result.low.push_back(scan.groups[i].name);
    return result;
  }

  FoundPolicy underError(double budget) {
    constexpr int most = 6;
    std::vector<bool> best(scan.groups.size(), false);
    double bestError = 0, allowed = budget;
    int checks = 0;
    while (checks < most) {
      const std::vector<bool> low = within(allowed);
      if (low == best || std::ranges::none_of(low, std::identity())) break;
      const double measured = errorWith(low), expected = predicted(low);
      ++checks;
      if (measured <= budget && bytesWith(low) < bytesWith(best)) {
        best = low;
        bestError = measured;
      }
      // Errors of layers add up otherwise than independent ones would; what this one was off is expected of the next.
      const double next = expected * budget / std::max(measured, 1e-12);
      allowed = measured > budget ? std::min(next, 0.98 * expected) : std::max(next, allowed);
      if (measured > budget && bytesWith(low) >= bytesWith(best) && std::ranges::any_of(best, std::identity())) break;
    }
    return found(best, bestError, checks);
  }
};

std::string mixedPolicy(const quant::Policy& reference, const quant::Policy& low, const std::vector<ScannedGroup>& groups, const std::vector<bool>& isLow) {
  const auto add = [](quant::Policy& to, const quant::Policy& from, const ScannedLayer& layer, const std::string& pattern) {
    const bool convolution = layer.kind == quant::LayerKind::Convolution;
    const std::pair<std::string, std::string> rule((convolution ? "conv:^" : "^") + pattern, from.precisionOf(layer.name, layer.kind));
    if (std::ranges::find(to.layers, rule) == to.layers.end()) to.layers.push_back(rule);
  };
  quant::Policy mostlyLow = low, mostlyReference = reference;
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const ScannedLayer& layer : groups[i].layers) {
      if (isLow[i]) add(mostlyReference, low, layer, layer.name + "$");
      else add(mostlyLow, reference, layer, groups[i].name == layer.name ? layer.name + "$" : groups[i].name + ".");
    }
  const auto rules = [](const quant::Policy& of, const quant::Policy& from) { return of.layers.size() - from.layers.size(); };
  return rules(mostlyLow, low) <= rules(mostlyReference, reference) ? mostlyLow.text() : mostlyReference.text();
}

Sensitivity::Sensitivity(const ScanRequest& request) : state_(std::make_unique<State>(request)) {
  const c10::InferenceMode inference;
  if (request.prompts.empty()) throw std::invalid_argument("a scan needs a prompt");
  state_->encode();
  state_->load();
  state_->group();
  state_->measure();
}

Sensitivity::~Sensitivity() = default;

const Scan& Sensitivity::scan() const { return state_->scan; }

FoundPolicy Sensitivity::find(const PolicyBudget& budget) {
  const c10::InferenceMode inference;
  if (budget.error > 0) {
    if (state_->scan.all <= budget.error) return state_->found(std::vector<bool>(state_->scan.groups.size(), true), state_->scan.all, 0);
    return state_->underError(budget.error);
  }
  const std::vector<bool> low = state_->downTo(budget.bytes);
  if (state_->bytesWith(low) > budget.bytes)
    throw std::invalid_argument(fmt::format("no policy of {} and {} holds the denoiser in {} bytes: it takes {} at least", state_->request.sample.policy.text(),
                                            state_->request.low.text(), budget.bytes, state_->bytesWith(low)));
  return state_->found(low, state_->errorWith(low), 1);
}

}  // namespace quantspot::pipeline
