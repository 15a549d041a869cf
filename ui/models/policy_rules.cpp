#include "ui/models/policy_rules.h"

#include <QSet>

#include <algorithm>
#include <bit>

namespace quantspot::ui {
namespace {

constexpr int kWord = 64, kShortestStem = 4;

bool isNumber(const QString& segment) {
  return !segment.isEmpty() && std::all_of(segment.begin(), segment.end(), [](QChar c) { return c.isDigit(); });
}

// "norm1_context" → "norm": what kinds of layers have in common.
QString stem(const QString& segment) {
  const auto end = std::find_if_not(segment.begin(), segment.end(), [](QChar c) { return c.isLetter(); });
  return end == segment.end() ? QString() : segment.left(end - segment.begin());
}

template <class Words>
int count(const Words& a, const Words& b, bool negate) {
  int bits = 0;
  for (std::size_t i = 0; i < a.size(); ++i) bits += std::popcount(a[i] & (negate ? ~b[i] : b[i]));
  return bits;
}

}  // namespace

RuleFinder::RuleFinder(QStringList layers, QStringList reaching) : layers_(std::move(layers)), reaching_(std::move(reaching)) {
  std::vector<std::pair<int, QString>> ranked;
  for (const QString& layer : layers_) addCandidates(layer, ranked);
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.first, a.second.size(), a.second) < std::make_tuple(b.first, b.second.size(), b.second);
  });
  QSet<QString> seen;
  for (const auto& [rank, pattern] : ranked) {
    if (seen.contains(pattern)) continue;
    seen << pattern;
    Candidate candidate{pattern, Layers((layers_.size() + kWord - 1) / kWord), {}};
    candidate.reached = candidate.matches;
    for (qsizetype i = 0; i < layers_.size(); ++i) {
      if (!matchesLayer(pattern, layers_[i])) continue;
      const std::uint64_t bit = std::uint64_t{1} << (i % kWord);
      candidate.matches[i / kWord] |= bit;
      if (ruleReaches(pattern, {}, layers_[i], {})) candidate.reached[i / kWord] |= bit;
    }
    candidates_.push_back(std::move(candidate));
  }
}

// Pieces of whole segments that do not begin with a number (that of a block says nothing without its kind), with and without anchors; stems.
// Rank: fewer anchors, then whole words, then fewer segments. Of a text encoder only what begins with its name reaches it.
// A convolution's patterns say so, but in the autoencoder, whose rules reach all that is in it.
void RuleFinder::addCandidates(const QString& key, std::vector<std::pair<int, QString>>& ranked) const {
  const QString marker = layerKey({}, true);
  const bool convolution = key.startsWith(marker);
  const QString layer = convolution ? key.mid(marker.size()) : key;
  const QStringList segments = layer.split(u'.');
  const bool autoencoder = layer.startsWith(QLatin1String("vae.")), encoder = autoencoder || layer.startsWith(QLatin1String("text_encoder"));
  const QString mark = convolution && !autoencoder ? marker : QString();
  if (convolution && !autoencoder) ranked.emplace_back(50, mark);
  for (qsizetype first = 0; first < (encoder ? 1 : segments.size()); ++first) {
    if (isNumber(segments[first])) continue;
    if (const QString word = stem(segments[first]); !encoder && word.size() >= kShortestStem) ranked.emplace_back(100, mark + word);
    for (qsizetype last = encoder ? 1 : first; last < segments.size(); ++last) {
      const QString piece = segments.mid(first, last - first + 1).join(u'.');
      const bool atStart = first == 0, atEnd = last + 1 == segments.size();
      const int length = static_cast<int>(last - first);
      ranked.emplace_back(length, mark + piece);
      if (atStart) ranked.emplace_back(200 + length, mark + u'^' + piece);
      if (atEnd) ranked.emplace_back(300 + length, mark + piece + u'$');
      if (atStart && atEnd) ranked.emplace_back(400, mark + u'^' + piece + u'$');
    }
  }
}

// Step by step the rule that brings the most layers to what they should be. A whole name is a candidate, so that each step gains.
std::vector<PolicyRule> RuleFinder::rules(const QStringList& from, const QStringList& to) const {
  QStringList now = from;
  std::vector<PolicyRule> found;
  while (now != to) {
    const Candidate* best = nullptr;
    QString target;
    int most = 0;
    QSet<QString> tried;
    for (qsizetype wrong = 0; wrong < now.size(); ++wrong) {
      if (now[wrong] == to[wrong] || tried.contains(to[wrong])) continue;
      tried << to[wrong];
      Layers gains(candidates_.front().matches.size()), losses(gains.size());
      for (qsizetype i = 0; i < now.size(); ++i) {
        const std::uint64_t bit = std::uint64_t{1} << (i % kWord);
        if (to[i] == to[wrong]) gains[i / kWord] |= now[i] != to[i] ? bit : 0;
        else losses[i / kWord] |= now[i] == to[i] ? bit : 0;
      }
      const bool reaches = reaching_.contains(baseId(to[wrong]));
      for (const Candidate& candidate : candidates_) {
        const Layers& touched = reaches ? candidate.matches : candidate.reached;
        const int gain = count(touched, gains, false) - count(touched, losses, false);
        if (gain > most) most = gain, best = &candidate, target = to[wrong];
      }
    }
    found.push_back({best->pattern, target});
    const Layers& touched = reaching_.contains(baseId(target)) ? best->matches : best->reached;
    for (qsizetype i = 0; i < now.size(); ++i)
      if (touched[i / kWord] >> (i % kWord) & 1) now[i] = target;
  }
  return found;
}

PolicyText RuleFinder::policy(const PolicyText& frame, const FrameAnswer& held, const QStringList& wanted) const {
  PolicyText policy = frame;
  const std::vector<PolicyRule> all = rules(held.precisions, wanted);
  policy.rules.insert(policy.rules.end(), all.begin(), all.end());
  const auto holds = [&](const PolicyText& text) { return resolve(text, layers_, held) == wanted; };
  for (std::size_t i = frame.rules.size(); i < policy.rules.size();) {
    PolicyText without = policy;
    without.rules.erase(without.rules.begin() + static_cast<std::ptrdiff_t>(i));
    PolicyText skipping = without;
    skipping.skip << policy.rules[i].pattern;
    if (holds(without)) policy = without;                                                  // later rules made it needless
    else if (policy.rules[i].precision == held.plain && holds(skipping)) policy = skipping;
    else ++i;
  }
  return policy;
}

}  // namespace quantspot::ui
