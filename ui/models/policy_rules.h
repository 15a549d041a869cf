// From a table of layers to the few rules that say the same.
#pragma once

#include "ui/models/policy_text.h"

#include <cstdint>

namespace quantspot::ui {

// Finds patterns for the layers of one model; looks through their names once.
class RuleFinder {
 public:
  // layers: keys, see layerKey(). reaching: precisions whose rules reach convolutions.
  explicit RuleFinder(QStringList layers, QStringList reaching = {});

  const QStringList& layers() const { return layers_; }
  // Rules, the last match winning, that turn `from` into `to` (a precision for each layer, in the order of layers()) and touch no other
  // layer: whole blocks, then kinds of layers, then single ones, each in the shortest form that is exact.
  std::vector<PolicyRule> rules(const QStringList& from, const QStringList& to) const;
  // frame, with the rules and skips under which every layer is asked to be what `wanted` says; held: what the engine says of frame.
  PolicyText policy(const PolicyText& frame, const FrameAnswer& held, const QStringList& wanted) const;

 private:
  using Layers = std::vector<std::uint64_t>;   // a bit for each layer
  struct Candidate {
    QString pattern;
    Layers matches, reached;                   // reached: without the convolutions that need "conv:"
  };
  void addCandidates(const QString& layer, std::vector<std::pair<int, QString>>& ranked) const;

  QStringList layers_, reaching_;
  std::vector<Candidate> candidates_;          // those that read best come first
};

}  // namespace quantspot::ui
