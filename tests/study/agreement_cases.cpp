// Krippendorff's α. The truth is known by how answers are drawn: whoever does not see what a thing is guesses by how common values are, and two
// who see it agree; so α is the chance that both see it, by every distance between values.
#include "study/statistics/krippendorff.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace quantspot::statistics::test {
namespace {

const char* nameOf(Measurement measurement) {
  return measurement == Measurement::Nominal ? "nominal" : measurement == Measurement::Ordinal ? "ordinal" : "interval";
}

// How common values are.
std::vector<double> prevalence(const AgreementSetting& s) {
  std::vector<double> weights;
  for (int k = 0; k < s.values; ++k)
    weights.push_back(s.common == Common::Equal ? 1 : s.common == Common::Halves ? std::pow(0.5, k) : k == 0 ? 0.8 : 0.2 / (s.values - 1));
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= all;
  return weights;
}

Ratings drawn(const AgreementSetting& s, Random& random) {
  const std::vector<double> weights = prevalence(s);
  const auto guess = [&] {
    double at = random.uniform();
    std::size_t k = 0;
    while (k + 1 < weights.size() && at >= weights[k]) at -= weights[k++];
    return static_cast<double>(k);
  };
  Ratings ratings(static_cast<std::size_t>(s.people), std::vector<double>(static_cast<std::size_t>(s.things)));
  for (std::size_t thing = 0; thing < static_cast<std::size_t>(s.things); ++thing) {
    const double truth = guess();
    const bool clear = random.uniform() < s.clear;
    int given = 0;
    do {   // until two people rated it
      given = 0;
      for (auto& row : ratings) {   // two see it with probability √seen each
        const bool sees = clear || random.uniform() < std::sqrt(s.seen), missing = random.uniform() < s.missing;
        row[thing] = missing ? std::numeric_limits<double>::quiet_NaN() : sees ? truth : guess();
        given += !missing;
      }
    } while (given < 2);
  }
  return ratings;
}

// Opinions from 1 to 5 about things of which each has a quality; spread: of a person's noise.
Ratings opinions(Random& random, int people, int things, double spread) {
  Ratings ratings(static_cast<std::size_t>(people), std::vector<double>(static_cast<std::size_t>(things)));
  for (std::size_t thing = 0; thing < static_cast<std::size_t>(things); ++thing) {
    const double quality = normalDraw(random);
    for (auto& row : ratings) row[thing] = std::clamp(std::round(3 + quality + spread * normalDraw(random)), 1.0, 5.0);
  }
  return ratings;
}

CoverageCase caseOf(const AgreementSetting& s, int studies) {
  return {std::string("Krippendorff's α, ") + nameOf(s.measurement), describe(s), true, studies,
          [s](int count) { return agreementShares(s, count, 47).covered; }};
}

}  // namespace

std::string describe(const AgreementSetting& s) {
  const char* common = s.common == Common::Equal ? "" : s.common == Common::Halves ? ", each half as common as the last" : ", four in five alike";
  char line[200];
  std::snprintf(line, sizeof line, "%d things, %d people, %d values%s, alpha %.2f%s, %.0f %% missing", s.things, s.people, s.values, common,
                alphaOf(s), s.clear == 0 ? "" : s.seen == 0 ? " (clear to all or none)" : " (half of it clear to all)", 100 * s.missing);
  return line;
}

double alphaOf(const AgreementSetting& s) { return s.clear + (1 - s.clear) * s.seen; }

AgreementShares agreementShares(const AgreementSetting& s, int studies, std::uint64_t seed) {
  Random random(seed);
  const double truth = alphaOf(s);
  int given = 0, held = 0;
  for (int study = 0; study < studies; ++study) try {
      const auto interval = krippendorffInterval(drawn(s, random), s.measurement).interval;
      if (!interval) continue;
      ++given;
      held += holds(*interval, truth);
    } catch (const std::invalid_argument&) {   // every rating is the same
    }
  return {given > 0 ? static_cast<double>(held) / given : 0.0, static_cast<double>(given) / studies};
}

std::vector<AgreementSetting> agreementGrid(int things) {
  std::vector<AgreementSetting> all;
  for (int values : {2, 3, 5})
    for (Common common : {Common::Equal, Common::Halves, Common::FourInFive})
      for (double alpha : {0.0, 0.2, 0.4, 0.6, 0.8, 0.9})
        for (double clear : {0.0, 0.5, 1.0})
          for (int people : {2, 3, 5, 12, 24})
            for (double missing : {0.0, 0.3, 0.5})
              for (Measurement measurement : {Measurement::Nominal, Measurement::Ordinal, Measurement::Interval}) {
                if ((values == 2 && measurement != Measurement::Nominal) || (people == 2 && missing > 0) || (alpha == 0 && clear > 0)) continue;
                const double part = clear * alpha;
                all.push_back({people, things, values, measurement, common, part, clear == 1 ? 0 : (alpha - part) / (1 - part), missing});
              }
  return all;
}

std::vector<CoverageCase> agreementCases() {
  std::vector<CoverageCase> all;
  for (const auto& [things, people, spread] : {std::tuple{48, 12, 0.5}, std::tuple{48, 4, 1.5}, std::tuple{96, 4, 1.5}})
    for (Measurement measurement : {Measurement::Ordinal, Measurement::Nominal}) {
      char line[80];
      std::snprintf(line, sizeof line, "opinions: %d things, %d people, spread %.1f", things, people, spread);
      all.push_back({std::string("Krippendorff's α, ") + nameOf(measurement), line, true, 2000,
                     [=, things = things, people = people, spread = spread](int studies) {
        Random many(5), random(6);
        const double truth = krippendorffAlpha(opinions(many, people, 20000, spread), measurement);
        int given = 0, held = 0;
        while (given < studies)
          if (const auto interval = krippendorffInterval(opinions(random, people, things, spread), measurement).interval) {
            ++given;
            held += holds(*interval, truth);
          }
        return static_cast<double>(held) / given;
      }});
    }
  constexpr auto kNominal = Measurement::Nominal, kOrdinal = Measurement::Ordinal, kInterval = Measurement::Interval;
  constexpr auto kEqual = Common::Equal, kHalves = Common::Halves;
  for (const AgreementSetting& s : {
           AgreementSetting{2, 30, 3, kNominal, kEqual, 0, 0.4, 0}, {5, 30, 2, kNominal, kHalves, 0.2, 0, 0},
           {24, 30, 2, kNominal, kHalves, 0.2, 0, 0}, {12, 30, 5, kNominal, kEqual, 0, 0.2, 0.3},
           {3, 30, 3, kOrdinal, kEqual, 0, 0.8, 0.5}, {24, 60, 5, kNominal, kHalves, 0.2, 0, 0},
           {12, 60, 5, kOrdinal, kEqual, 0.4, 0, 0}, {3, 60, 5, kInterval, kEqual, 0, 0.9, 0},
           {12, 120, 2, kNominal, Common::FourInFive, 0.2, 0, 0.5}, {5, 120, 3, kInterval, kHalves, 0.3, 4.0 / 7, 0}})
    all.push_back(caseOf(s, 2000));
  return all;
}

}  // namespace quantspot::statistics::test
