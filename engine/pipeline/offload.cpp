#include "engine/pipeline/offload.h"

#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>

#include <future>
#include <stdexcept>
#include <utility>

namespace quantspot::pipeline {
namespace {

// A layer that comes and goes.
struct Slot {
  virtual ~Slot() = default;
  virtual void fetch() = 0;
  virtual void drop() = 0;
};

template <class Layer>
struct LayerSlot final : Slot {
  explicit LayerSlot(std::function<std::unique_ptr<Layer>()> how) : load(std::move(how)) {}
  void fetch() override { if (!layer) layer = load(); }
  void drop() override { layer.reset(); }

  std::function<std::unique_ptr<Layer>()> load;
  std::unique_ptr<Layer> layer;
};

}  // namespace

struct LayerStream::Plan {
  explicit Plan(bool inGroups) : groups(inGroups) {}

  struct Group {
    std::string name;
    std::vector<std::shared_ptr<Slot>> slots;
    void fetch() const {
      const c10::InferenceMode inference;
      for (const auto& slot : slots) slot->fetch();
    }
    void drop() const {
      for (const auto& slot : slots) slot->drop();
    }
  };

  std::size_t add(const std::string& layer, std::shared_ptr<Slot> slot) {
    const std::string block = blockOf(layer);
    if (!groups || all.empty() || all.back().name != block) all.push_back({block, {}});
    all.back().slots.push_back(std::move(slot));
    return all.size() - 1;
  }

  // Before a layer of this group works. What was there goes, and of blocks the next one is fetched beside the work.
  void enter(std::size_t group) {
    if (!groups || group == current) return all[group].fetch();
    if (current != kNone) all[current].drop();
    if (ahead.valid()) ahead.get();      // its error is that of its own fetch, below
    if (coming != kNone && coming != group) all[coming].drop();
    all[group].fetch();                  // nothing to do where it came ahead
    current = group;
    coming = (group + 1) % all.size();
    if (coming == group) coming = kNone;
    else ahead = std::async(std::launch::async, [this, next = coming] { fetchAhead(next); });
  }

  void leave(std::size_t group) {
    if (!groups) all[group].drop();
  }

  ~Plan() {
    if (ahead.valid()) ahead.wait();
  }

  bool groups;
  std::vector<Group> all;

 private:
  // What fails here fails again where somebody waits for it.
  void fetchAhead(std::size_t group) const {
    try {
      all[group].fetch();
    } catch (...) {
      all[group].drop();
    }
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t current = kNone, coming = kNone;
  std::future<void> ahead;
};

namespace {

// A layer that comes into its slot when it is used.
template <class Layer>
class Streamed : public Layer {
 public:
  Streamed(std::shared_ptr<LayerStream::Plan> plan, std::size_t group, std::shared_ptr<LayerSlot<Layer>> slot, std::string_view precision, std::int64_t bytes)
      : plan_(std::move(plan)), group_(group), slot_(std::move(slot)), precision_(precision), bytes_(bytes) {}

  at::Tensor forward(const at::Tensor& x) const override {
    plan_->enter(group_);
    at::Tensor y = slot_->layer->forward(x);
    plan_->leave(group_);
    return y;
  }
  std::string_view precision() const override { return precision_; }
  std::int64_t bytes() const override { return bytes_; }

 private:
  std::shared_ptr<LayerStream::Plan> plan_;
  std::size_t group_;
  std::shared_ptr<LayerSlot<Layer>> slot_;
  std::string precision_;
  std::int64_t bytes_;
};

using StreamedConvolution = Streamed<quant::Convolution>;

class StreamedLinear final : public Streamed<quant::Linear> {
 public:
  StreamedLinear(std::shared_ptr<LayerStream::Plan> plan, std::size_t group, std::shared_ptr<LayerSlot<quant::Linear>> slot, std::string_view precision,
                 at::IntArrayRef shape, std::int64_t bytes)
      : Streamed(std::move(plan), group, std::move(slot), precision, bytes), out_(shape[0]), in_(shape[1]) {}

  std::int64_t inFeatures() const override { return in_; }
  std::int64_t outFeatures() const override { return out_; }

 private:
  std::int64_t out_, in_;
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
  for (std::size_t at = layer.find('.'); at != std::string::npos; at = layer.find('.', at + 1)) {
    const std::size_t end = layer.find_first_not_of("0123456789", at + 1);
    if (end != at + 1) return layer.substr(0, end);
  }
  return layer;
}

LayerStream::LayerStream(Offload mode) : plan_(std::make_shared<Plan>(mode == Offload::Group)) {}
LayerStream::~LayerStream() = default;

std::unique_ptr<quant::Linear> LayerStream::linear(const std::string& name, std::string_view precision, at::IntArrayRef shape, std::int64_t bytes,
                                                   std::function<std::unique_ptr<quant::Linear>()> load) {
  auto slot = std::make_shared<LayerSlot<quant::Linear>>(std::move(load));
  const std::size_t group = plan_->add(name, slot);
  return std::make_unique<StreamedLinear>(plan_, group, std::move(slot), precision, shape, bytes);
}

std::unique_ptr<quant::Convolution> LayerStream::convolution(const std::string& name, std::string_view precision, std::int64_t bytes,
                                                             std::function<std::unique_ptr<quant::Convolution>()> load) {
  auto slot = std::make_shared<LayerSlot<quant::Convolution>>(std::move(load));
  const std::size_t group = plan_->add(name, slot);
  return std::make_unique<StreamedConvolution>(plan_, group, std::move(slot), precision, bytes);
}

}  // namespace quantspot::pipeline
