// A participant who cheats: reads all that a trial says without its pixels, and learns from what earlier trials turned out to be.
#pragma once

#include "study/statistics/binomial.h"
#include "study/statistics/holm.h"

#include <QMap>
#include <QString>
#include <QVariant>

#include <algorithm>
#include <set>
#include <vector>

namespace cheat {

using Reading = QMap<QString, QVariant>;             // where something was read → a text or a number

// Learns from readings and truths (0 or 1) which single one tells most, and which fifteen together.
class Guesser {
 public:
  void learn(const std::vector<const Reading*>& readings, const std::vector<int>& truths) {
    std::set<QString> keys;
    for (const Reading* reading : readings)
      for (auto it = reading->begin(); it != reading->end(); ++it) keys.insert(it.key());
    for (const QString& key : keys) {
      Rule rule = fit(key, readings, truths);
      if (rule.right > 0) rules_.push_back(std::move(rule));
    }
    std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& a, const Rule& b) { return a.right > b.right; });
    if (rules_.size() > kVoters) rules_.resize(kVoters);
  }
  int best(const Reading& reading) const {
    for (const Rule& rule : rules_)
      if (const int said = rule.say(reading); said >= 0) return said;
    return 0;
  }
  int vote(const Reading& reading) const {
    double sum = 0;
    for (const Rule& rule : rules_)
      if (const int said = rule.say(reading); said >= 0) sum += (said ? 1 : -1) * (rule.right - 0.5);
    return sum > 0;
  }

 private:
  static constexpr std::size_t kVoters = 15;
  struct Rule {
    QString key;
    bool number = false;
    double threshold = 0;
    int above = 0;                                   // what a number above the threshold means
    QMap<QString, int> texts;                        // what each text means
    double right = 0;                                // share of the learnt trials, counted as if one more of each kind had been wrong

    int say(const Reading& reading) const {
      const auto found = reading.find(key);
      if (found == reading.end()) return -1;
      if (number) return found->toDouble() > threshold ? above : 1 - above;
      return texts.value(found->toString(), -1);
    }
  };

  static Rule fit(const QString& key, const std::vector<const Reading*>& readings, const std::vector<int>& truths) {
    Rule rule;
    rule.key = key;
    std::vector<std::pair<double, int>> numbers;
    QMap<QString, std::array<int, 2>> texts;
    for (std::size_t i = 0; i < readings.size(); ++i) {
      const auto found = readings[i]->find(key);
      if (found == readings[i]->end()) continue;
      if (found->typeId() == QMetaType::QString) ++texts[found->toString()][static_cast<std::size_t>(truths[i])];
      else numbers.emplace_back(found->toDouble(), truths[i]);
    }
    const double all = static_cast<double>(readings.size()) + 2;
    if (!numbers.empty()) fitNumbers(rule, numbers, all);
    int right = 0, seen = 0;
    for (auto it = texts.begin(); it != texts.end(); ++it) {
      const auto& [zeros, ones] = *it;
      if (zeros + ones < 2) continue;                // a text seen once says nothing about the next
      rule.texts[it.key()] = ones > zeros;
      right += std::max(zeros, ones), seen += zeros + ones;
    }
    if (seen > 0) rule.right = std::max(rule.right, right / all);
    return rule;
  }
  static void fitNumbers(Rule& rule, std::vector<std::pair<double, int>>& numbers, double all) {
    std::sort(numbers.begin(), numbers.end());
    int ones = 0;
    for (const auto& [value, truth] : numbers) ones += truth;
    rule.number = true;
    int below_ones = 0;
    const int total = static_cast<int>(numbers.size());
    for (int i = 0; i + 1 < total; ++i) {
      below_ones += numbers[static_cast<std::size_t>(i)].second;
      const double here = numbers[static_cast<std::size_t>(i)].first, next = numbers[static_cast<std::size_t>(i) + 1].first;
      if (here == next) continue;
      const int above_one = (i + 1 - below_ones) + (ones - below_ones);   // right when above means 1
      const int right = std::max(above_one, total - above_one);
      if (right / all <= rule.right) continue;
      rule.right = right / all, rule.threshold = (here + next) / 2, rule.above = above_one >= total - above_one;
    }
  }

  std::vector<Rule> rules_;
};

struct Trial {
  QString kind;
  int truth = 0;                                     // 0 or 1, each right by chance in half of the trials
  QMap<QString, Reading> channels;
};

struct Verdict {
  QString channel;
  int right = 0, trials = 0;
  double p = 1, p_holm = 1;
  bool leaks() const { return p_holm <= 0.01; }
};

// With every number's growth since the trial before, whatever its kind: counters (sizes, bytes written) only rise, so that their values teach nothing.
inline std::vector<Trial> withGrowth(const std::vector<Trial>& trials) {
  std::vector<Trial> all = trials;
  for (std::size_t i = 1; i < trials.size(); ++i)
    for (auto channel = trials[i].channels.begin(); channel != trials[i].channels.end(); ++channel) {
      const Reading before = trials[i - 1].channels.value(channel.key());
      for (auto it = channel->begin(); it != channel->end(); ++it)
        if (it->typeId() != QMetaType::QString && before.contains(it.key()))
          all[i].channels[channel.key()][it.key() + QStringLiteral(" (grown by)")] = it->toDouble() - before[it.key()].toDouble();
    }
  return all;
}

// Of each kind the first `learnt` trials teach, the others are guessed; two guesses (best, vote) per channel, Holm over all of them.
inline std::vector<Verdict> judge(const std::vector<Trial>& seen, int learnt) {
  const std::vector<Trial> trials = withGrowth(seen);
  std::vector<Verdict> verdicts;
  for (const QString& channel : trials.front().channels.keys()) {
    Verdict best{channel + QStringLiteral(" (best)")}, vote{channel + QStringLiteral(" (vote)")};
    std::set<QString> kinds;
    for (const Trial& trial : trials) kinds.insert(trial.kind);
    for (const QString& kind : kinds) {
      std::vector<const Reading*> readings;
      std::vector<int> truths;
      Guesser guesser;
      bool ready = false;
      for (const Trial& trial : trials) {
        if (trial.kind != kind) continue;
        const auto reading = trial.channels.constFind(channel);
        if (static_cast<int>(readings.size()) < learnt) {
          readings.push_back(&*reading), truths.push_back(trial.truth);
          continue;
        }
        if (!ready) guesser.learn(readings, truths), ready = true;
        best.right += guesser.best(*reading) == trial.truth, ++best.trials;
        vote.right += guesser.vote(*reading) == trial.truth, ++vote.trials;
      }
    }
    verdicts.push_back(best), verdicts.push_back(vote);
  }
  std::vector<double> p;
  for (Verdict& verdict : verdicts) {
    verdict.p = quantspot::statistics::binomialTest(verdict.right, verdict.trials, 0.5, quantspot::statistics::Alternative::TwoSided);
    p.push_back(verdict.p);
  }
  const auto adjusted = quantspot::statistics::holm(p);
  for (std::size_t i = 0; i < verdicts.size(); ++i) verdicts[i].p_holm = adjusted[i];
  return verdicts;
}

}  // namespace cheat
