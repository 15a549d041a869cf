#include "engine/pipeline/offload.h"

#include "quant/calibration.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace quantspot::pipeline {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

template <class Layer>
struct LayerSlot final : Slot {
  explicit LayerSlot(LayerSource<Layer> from) : source(std::move(from)) {}
  void fetch() override { if (!layer) layer = source.load(); }
  void drop() override { layer.reset(); }
  void willNeed() override { if (source.willNeed) source.willNeed(); }

  LayerSource<Layer> source;
  std::unique_ptr<Layer> layer;
};

}  // namespace

// Decides what comes when.
struct LayerStream::Plan {
  Plan(Offload how, MakeTransfer make, std::function<void()> checking) : mode(how), makeTransfer(std::move(make)), check(std::move(checking)) {}
  ~Plan() {
    try {
      rest();
    } catch (...) {                      // a device that is lost; there is nothing left to order
    }
  }

  std::size_t add(const std::string& layer, std::shared_ptr<Slot> slot) {
    const std::string block = mode == Offload::Group ? blockOf(layer) : layer;
    const bool joins = !groups.empty() && (mode == Offload::Model || (mode == Offload::Group && groups.back().name == block));
    if (!joins) groups.push_back({block});
    groups.back().slots.push_back(std::move(slot));
    return groups.size() - 1;
  }

  // Before a layer of this group works: what was there goes, this one comes if it has not, and the next one is sent for.
  void enter(std::size_t group) {
    if (check) check();
    if (group == current) return;
    if (!transfer) transfer = makeTransfer(groups);
    learn(group);
    if (current != kNone) transfer->release(std::exchange(current, kNone));
    if (coming != kNone && coming != group) transfer->release(coming);
    coming = kNone;
    transfer->wait(group);
    current = group;
    const std::size_t next = following(group);
    if (next == group) return;
    if (mode == Offload::Sequential) transfer->announce(next);
    if (mode != Offload::Group) return;
    transfer->start(next);
    coming = next;
  }

  void leave() {
    if (mode == Offload::Sequential && current != kNone) transfer->release(std::exchange(current, kNone));
  }

  // While an error is on its way: another one is nobody's.
  void abandon() noexcept {
    try {
      leave();
    } catch (...) {
    }
  }

  void rest() {
    for (std::size_t* const there : {&coming, &current})
      if (*there != kNone) transfer->release(std::exchange(*there, kNone));
  }

 private:
  // The order of loading is a guess; what came after it once will do so again.
  std::size_t following(std::size_t group) const {
    const auto seen = group < successors.size() ? successors[group] : kNone;
    return seen != kNone ? seen : (group + 1) % groups.size();
  }
  void learn(std::size_t group) {
    if (last != kNone && last != group) {
      if (successors.size() <= last) successors.resize(groups.size(), kNone);
      successors[last] = group;
    }
    last = group;
  }

  const Offload mode;
  const MakeTransfer makeTransfer;
  const std::function<void()> check;
  Groups groups;
  std::unique_ptr<Transfer> transfer;    // when the first layer works
  std::size_t current = kNone, coming = kNone, last = kNone;
  std::vector<std::size_t> successors;
};

namespace {

// A layer that comes into its slot when it is used.
template <class Layer>
class Streamed : public Layer {
 public:
  using Slot = LayerSlot<Layer>;
  Streamed(std::shared_ptr<LayerStream::Plan> plan, std::size_t group, std::shared_ptr<Slot> slot, std::string_view precision, std::int64_t bytes)
      : plan_(std::move(plan)), group_(group), slot_(std::move(slot)), precision_(precision), bytes_(bytes) {}

  at::Tensor forward(const at::Tensor& x) const override {
    plan_->enter(group_);
    try {
      prepare(*slot_->layer);
      at::Tensor y = slot_->layer->forward(x);
      plan_->leave();
      return y;
    } catch (...) {
      plan_->abandon();
      throw;
    }
  }
  std::string_view precision() const override { return precision_; }
  std::int64_t bytes() const override { return bytes_; }

 protected:
  virtual void prepare(Layer& /*layer*/) const {}

 private:
  std::shared_ptr<LayerStream::Plan> plan_;
  std::size_t group_;
  std::shared_ptr<Slot> slot_;
  std::string precision_;
  std::int64_t bytes_;
};

using StreamedConvolution = Streamed<quant::Convolution>;

class StreamedLinear : public Streamed<quant::Linear> {
 public:
  StreamedLinear(std::shared_ptr<LayerStream::Plan> plan, std::size_t group, std::shared_ptr<Slot> slot, std::string_view precision,
                 std::int64_t bytes, at::IntArrayRef shape)
      : Streamed(std::move(plan), group, std::move(slot), precision, bytes), out_(shape[0]), in_(shape[1]) {}

  std::int64_t inFeatures() const override { return in_; }
  std::int64_t outFeatures() const override { return out_; }

 private:
  std::int64_t out_, in_;
};

// Keeps the scales while the layer is away.
class StreamedCalibrated final : public StreamedLinear, public quant::CalibratedLinear {
 public:
  using StreamedLinear::StreamedLinear;

 protected:
  void prepare(quant::Linear& layer) const override { quant::calibratedLinear(layer)->follow(*this); }
};

}  // namespace

Offload parseOffload(const std::string& text) {
  static constexpr std::pair<const char*, Offload> kModes[] = {
      {"none", Offload::None}, {"model", Offload::Model}, {"group", Offload::Group}, {"sequential", Offload::Sequential}};
  for (const auto& [name, mode] : kModes)
    if (text == name) return mode;
  throw std::invalid_argument("offload '" + text + "' is not known; use none, model, group or sequential");
}

std::string blockOf(const std::string& layer) {
  std::size_t cut = std::string::npos;   // behind the block's number
  for (std::size_t at = layer.find('.'); at != std::string::npos; at = layer.find('.', at + 1)) {
    const std::size_t end = std::min(layer.find_first_not_of("0123456789", at + 1), layer.size());
    const std::string_view before = std::string_view(layer).substr(0, at);
    const bool isPiece = before.ends_with(".resnets") || before.ends_with(".transformer_blocks");
    if (end != at + 1 && (cut == std::string::npos || isPiece)) cut = end;
  }
  return layer.substr(0, cut);
}

LayerStream::LayerStream(Offload mode, MakeTransfer make, std::function<void()> check)
    : plan_(std::make_shared<Plan>(mode, std::move(make), std::move(check))) {}
LayerStream::LayerStream(Offload mode) : LayerStream(mode, [](const Groups& groups) { return makeTransfer(groups, c10::kCPU); }) {}
LayerStream::~LayerStream() = default;

std::unique_ptr<quant::Linear> LayerStream::linear(const std::string& name, std::string_view precision, at::IntArrayRef shape, std::int64_t bytes,
                                                   LayerSource<quant::Linear> source, const quant::Linear* now) {
  auto slot = std::make_shared<LayerSlot<quant::Linear>>(std::move(source));
  const std::size_t group = plan_->add(name, slot);
  if (dynamic_cast<const quant::CalibratedLinear*>(now))
    return std::make_unique<StreamedCalibrated>(plan_, group, std::move(slot), precision, bytes, shape);
  return std::make_unique<StreamedLinear>(plan_, group, std::move(slot), precision, bytes, shape);
}

std::unique_ptr<quant::Convolution> LayerStream::convolution(const std::string& name, std::string_view precision, std::int64_t bytes,
                                                             LayerSource<quant::Convolution> source) {
  auto slot = std::make_shared<LayerSlot<quant::Convolution>>(std::move(source));
  const std::size_t group = plan_->add(name, slot);
  return std::make_unique<StreamedConvolution>(plan_, group, std::move(slot), precision, bytes);
}

void LayerStream::rest() { plan_->rest(); }

}  // namespace quantspot::pipeline
