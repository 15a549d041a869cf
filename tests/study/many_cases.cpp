// Many answers: exact intervals and those put together of them are wider than said for few, and come to the level from above.
#include "study/statistics/detection.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/enumerated.h"

namespace quantspot::statistics::test {
namespace {

constexpr int kTrials = 3000;

void rates(std::vector<CoverageCase>& all) {
  all.push_back({"rate, Clopper–Pearson", text("%d trials, mean over rates 0.05–0.95", kTrials), false, 0, [](int) {
    return mean(enumerated(kTrials, 0.05, 0.95, [](int k) { return clopperPearson(k, kTrials); }, [](double p) { return p; }));
  }});
  all.push_back({"detection pooled over kinds", text("%d trials of spot, mean over rates 0.3–0.95", kTrials), false, 0, [](int) {
    return mean(enumerated(kTrials, 0.3, 0.95, [](int k) { return pooledDetection({{k, kTrials, 0.25}}).interval; },
                           [](double p) { return (p - 0.25) / 0.75; }));
  }});
  all.push_back({"d′, 4AFC", text("%d trials, mean over rates 0.3–0.95", kTrials), false, 0, [](int) {
    return mean(enumerated(kTrials, 0.3, 0.95, [](int k) { return dprime(Task::Mafc, k, kTrials, 4).interval; },
                           [](double p) { return dprimeFromRate(Task::Mafc, p, 4); }));
  }});
}

void pairsOfCounts(std::vector<CoverageCase>& all) {
  all.push_back({"detection pooled over kinds", "300 trials of spot and 200 of ABX, mean over detections 0.25–0.45", false, 0, [](int) {
    std::vector<double> shares;
    for (int step = 5; step < 10; ++step) shares.push_back(pooledShare(300, 200, step / 20.0));
    return mean(shares);
  }});
  for (bool differencing : {true, false})
    all.push_back({std::string("d′, same–different, ") + (differencing ? "differencing" : "independent"), "600 of each, hits 0.70, false alarms 0.30",
                   false, 0, [=](int) { return sameDifferentShare(differencing, 600, 0.7, 0.3); }});
}

}  // namespace

std::vector<CoverageCase> manyAnswersCases() {
  std::vector<CoverageCase> all;
  rates(all);
  pairsOfCounts(all);
  for (bool ranks : {true, false})
    for (double linear : {0.0, 0.6, 0.9}) {
      const CorrelationSetting s{ranks, Joint::Normal, linear, 300};
      all.push_back({ranks ? "correlation, Spearman" : "correlation, Kendall", describe(s), false, 4000,
                     [s](int studies) { return correlationShare(s, studies, 43); }});
    }
  for (Measurement measurement : {Measurement::Nominal, Measurement::Ordinal}) {
    const AgreementSetting s{3, 2000, 3, measurement, Common::Equal, 0.2, 0.4, 0.1};
    all.push_back({measurement == Measurement::Nominal ? "Krippendorff's α, nominal" : "Krippendorff's α, ordinal", describe(s), false, 3000,
                   [s](int studies) { return agreementShares(s, studies, 7).covered; }});
  }
  for (double slope : {-0.7, -1.4, -3.0}) {
    const CurveSetting s{{2, 3, 4, 6}, 1920, 0.25, 0, slope, 3.6};
    for (const char* what : {"threshold", "slope"})
      all.push_back({std::string("psychometric function, ") + what, describe(s), false, 4000, [=](int studies) {
        const CurveShares shares = curveShares(s, studies, 44);
        return what[0] == 't' ? shares.threshold : shares.slope;
      }});
  }
  return all;
}

}  // namespace quantspot::statistics::test
