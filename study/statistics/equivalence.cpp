#include "study/statistics/equivalence.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {

Equivalence equivalenceOf(int correct, int trials, double chance, const Interval& rate_interval, double margin) {
  if (!(margin > 0 && margin < 1)) throw std::invalid_argument("margin=" + std::to_string(margin) + ": must lie between 0 and 1, such as 0.1");
  if (!(chance >= 0 && chance < 1)) throw std::invalid_argument("chance=" + std::to_string(chance) + ": must be 0 or more and below 1");
  Equivalence result;
  result.chance = chance;
  result.margin = margin;
  result.rate_interval = rate_interval;
  if (trials == 0) return result;
  result.rate = static_cast<double>(correct) / trials;
  result.p_value = binomialTest(correct, trials, chance);
  const auto corrected = [chance](double rate) { return std::max(0.0, (rate - chance) / (1 - chance)); };
  result.detection = corrected(result.rate);
  result.detection_interval = {corrected(rate_interval.low), corrected(rate_interval.high)};
  if (result.detection_interval.high < margin) result.verdict = Noticeability::NotNoticeable;
  else if (rate_interval.low > chance) result.verdict = Noticeability::Noticeable;
  return result;
}

Equivalence equivalence(int correct, int trials, double chance, double margin, double level) {
  Equivalence result = equivalenceOf(correct, trials, chance, clopperPearson(correct, trials, level), margin);
  if (trials > 0 && result.verdict == Noticeability::Undecided && result.p_value <= (1 - level) / 2) result.verdict = Noticeability::Noticeable;
  return result;
}

Noticeability withSequentialTest(Noticeability verdict, SequentialVerdict test) {
  return verdict == Noticeability::Noticeable && test != SequentialVerdict::AcceptAlternative ? Noticeability::Undecided : verdict;
}

}  // namespace quantspot::statistics
