// Against R (psyphy, BradleyTerry2, lme4) and Python (scipy, statsmodels, choix, krippendorff, sureal, confseq), through the
// values that tests/parity/statistics_reference.R and .py wrote.
#include "study/statistics/bradley_terry.h"
#include "study/statistics/chi_square.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/correlation.h"
#include "study/statistics/holm.h"
#include "study/statistics/krippendorff.h"
#include "study/statistics/mixed_logistic.h"
#include "study/statistics/mos.h"
#include "study/statistics/plackett_luce.h"
#include "study/statistics/power.h"
#include "study/statistics/psychometric.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/golden.h"

using namespace quantspot::statistics;

namespace {

constexpr double kExact = 1e-6, kFitted = 1e-4;

std::vector<PairCounts> games(const QJsonObject& table, bool ties) {
  std::vector<PairCounts> pairs;
  const auto column = [&](const char* name) { return golden::numbers(table[QLatin1String(name)]); };
  const auto first = column("first"), second = column("second"), wins = column("wins"), losses = column("losses"), even = column("ties");
  for (std::size_t i = 0; i < first.size(); ++i)
    pairs.push_back({static_cast<std::size_t>(first[i]), static_cast<std::size_t>(second[i]), wins[i], losses[i], ties ? even[i] : 0});
  return pairs;
}

// Items without the reference, then ν, then γ, as far as the model has them.
std::vector<Estimate> estimates(const Abilities& fit, const PairOptions& options) {
  std::vector<Estimate> all(fit.items.begin() + 1, fit.items.end());
  if (options.ties) all.push_back(fit.log_tie);
  if (options.order_effect) all.push_back(fit.log_order);
  return all;
}

}  // namespace

class StatisticsParityTest : public QObject {
  Q_OBJECT
  const QJsonObject r_ = golden::read("r.json"), python_ = golden::read("python.json"),
                    packages_ = golden::read("packages.json");

 private Q_SLOTS:
  void exactIntervalsEqualScipy() {
    for (const QJsonValue& row : python_["intervals"].toArray()) {
      const Interval interval = clopperPearson(row["correct"].toInt(), row["trials"].toInt(), row["level"].toDouble());
      CLOSE(interval.low, row["low"].toDouble(), kExact);
      CLOSE(interval.high, row["high"].toDouble(), kExact);
    }
  }

  void holmEqualsStatsmodels() {
    const auto adjusted = holm(golden::numbers(python_["holm"]["p"])), expected = golden::numbers(python_["holm"]["adjusted"]);
    for (std::size_t i = 0; i < expected.size(); ++i) CLOSE(adjusted.at(i), expected[i], kExact);
  }

  void dprimeEqualsPsyphy() {
    for (const QJsonValue& row : r_["dprime"].toArray()) {
      const auto rates = golden::numbers(row["rates"]), values = golden::numbers(row["values"]);
      const Task task = taskFromName(row["kind"].toString().toStdString());
      for (std::size_t i = 0; i < rates.size(); ++i) {
        CLOSE(dprimeFromRate(task, rates[i], row["m"].toInt()), values[i], kExact);
        CLOSE(rateFromDprime(task, values[i], row["m"].toInt()), rates[i], kExact);
      }
    }
    for (const QJsonValue& row : r_["same_different"].toArray()) {
      CLOSE(sameDifferentDprime(true, row["hit"].toDouble(), row["false_alarm"].toDouble()), row["differencing"].toDouble(), kExact);
      CLOSE(sameDifferentDprime(false, row["hit"].toDouble(), row["false_alarm"].toDouble()), row["independent"].toDouble(), kExact);
    }
  }

  void bradleyTerryEqualsR_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("ties");
    QTest::addColumn<bool>("order");
    QTest::addColumn<bool>("reduce");
    QTest::newRow("BTm") << "plain" << false << false << false;
    QTest::newRow("BTm with the left side") << "order" << false << true << false;
    QTest::newRow("Davidson") << "ties" << true << false << false;
    QTest::newRow("Davidson and Beaver") << "ties_order" << true << true << false;
    QTest::newRow("Firth") << "reduced" << false << false << true;
  }
  void bradleyTerryEqualsR() {
    QFETCH(QString, name);
    QFETCH(bool, ties);
    QFETCH(bool, order);
    QFETCH(bool, reduce);
    const QJsonObject all = r_["bradley_terry"].toObject(), expected = all[name].toObject();
    const PairOptions options{.ties = ties, .order_effect = order, .level = 0.95};
    const Abilities fit = bradleyTerry(5, games(all["games"].toObject(), ties), options, reduce);
    const auto found = estimates(fit, options);
    const auto values = golden::numbers(expected["value"]), errors = golden::numbers(expected["standard_error"]);
    QCOMPARE(found.size(), values.size());
    QVERIFY(!fit.separated);
    for (std::size_t i = 0; i < values.size(); ++i) CLOSE(found[i].value, values[i], kFitted);
    for (std::size_t i = 0; i < errors.size(); ++i) CLOSE(found[i].standard_error, errors[i], kFitted);
    if (expected.contains("log_likelihood")) CLOSE(fit.log_likelihood, expected["log_likelihood"].toDouble(), kExact);
  }

  void separationIsFlaggedAndFitWithReducedBias() {
    const QJsonObject table = r_["bradley_terry"]["never_lost"].toObject();
    const Abilities fit = bradleyTerry(5, games(table, false));
    QVERIFY(fit.separated && fit.bias_reduced);
    const auto values = golden::numbers(table["value"]);
    for (std::size_t i = 0; i < values.size(); ++i) CLOSE(fit.items[i + 1].value, values[i], kFitted);
  }

  // The likelihood with ties and order effect, plain and with Firth's penalty, written out and minimized by scipy.
  void davidsonAndFirthEqualScipysMinimum() {
    const QJsonObject all = python_["davidson"].toObject();
    const PairOptions options{.ties = true, .order_effect = true, .level = 0.95};
    const auto fitted = [&](const char* counts, bool reduce) {
      const auto pairs = golden::rows(all["pairs"]), rows = golden::rows(all[QLatin1String(counts)]);
      std::vector<PairCounts> table;
      for (std::size_t i = 0; i < pairs.size(); ++i)
        table.push_back({static_cast<std::size_t>(pairs[i][0]), static_cast<std::size_t>(pairs[i][1]), rows[i][0], rows[i][1], rows[i][2]});
      return bradleyTerry(4, table, options, reduce);
    };
    const auto same = [&](const Abilities& fit, const char* key) {
      const auto found = estimates(fit, options);
      const auto expected = golden::numbers(all[QLatin1String(key)]);
      QCOMPARE(found.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) CLOSE(found[i].value, expected[i], kFitted);
    };
    const Abilities plain = fitted("usual", false);
    same(plain, "plain");
    const auto errors = golden::numbers(all["error"]);
    for (std::size_t i = 0; i < errors.size(); ++i) CLOSE(estimates(plain, options)[i].standard_error, errors[i], kFitted);
    same(fitted("usual", true), "reduced");
    const Abilities never = fitted("never", false);
    QVERIFY(never.separated && never.bias_reduced);
    same(never, "never_reduced");
  }

  void biasReductionEqualsBrglm2() {
    const QJsonObject all = packages_["bradley_terry"].toObject();
    const auto first = golden::numbers(all["first"]), second = golden::numbers(all["second"]);
    for (const char* name : {"usual", "never"}) {
      const QJsonObject expected = all[QLatin1String(name)].toObject();
      const auto wins = golden::numbers(expected["wins"]), values = golden::numbers(expected["value"]);
      const auto errors = golden::numbers(expected["standard_error"]);
      std::vector<PairCounts> pairs;
      for (std::size_t i = 0; i < wins.size(); ++i)
        pairs.push_back({static_cast<std::size_t>(first[i]), static_cast<std::size_t>(second[i]), wins[i], 5 - wins[i], 0});
      const Abilities fit = bradleyTerry(5, pairs, {}, true);
      QCOMPARE(fit.separated, std::string_view(name) == "never");
      for (std::size_t i = 0; i < values.size(); ++i) {
        CLOSE(fit.items[i + 1].value, values[i], kFitted);
        CLOSE(fit.items[i + 1].standard_error, errors[i], kFitted);
      }
    }
  }

  // pwr's arcsine transformation: near the exact power, which falls below it by as much as the exact test stays below alpha.
  void powerIsNearPwrs() {
    for (const QJsonValue& row : packages_["power"].toArray())
      CLOSE(binomialPower(row["trials"].toInt(), row["rate"].toDouble(), row["chance"].toDouble()).power, row["arcsine"].toDouble(), 0.03);
  }

  // Printed output of R's sensR 1.4, discrim(correct = 60, total = 100): the duo-trio task's function is that of ABX by differencing.
  // https://psychology.stackexchange.com/questions/15473
  void dprimesIntervalEqualsSensRs() {
    const Dprime found = dprime(Task::AbxDifferencing, 60, 100);
    QVERIFY(std::abs(found.value - 1.115) < 5e-4 && found.interval.low == 0 && std::abs(found.interval.high - 1.6958) < 5e-5);
    const Interval rate = clopperPearson(60, 100);
    QVERIFY(rate.low < 0.5 && std::abs(rate.high - 0.6967) < 5e-5);
  }

  void plackettLuceEqualsChoix() {
    std::vector<std::vector<std::size_t>> rankings;
    for (const auto& row : golden::rows(python_["rankings"]["rankings"])) rankings.emplace_back(row.begin(), row.end());
    const Abilities fit = plackettLuce(5, rankings);
    const auto choix = golden::numbers(python_["rankings"]["choix"]);
    for (std::size_t i = 0; i < choix.size(); ++i) CLOSE(fit.items[i].value, choix[i], kFitted);
    QVERIFY(!fit.separated && fit.items[3].standard_error > 0.1 && fit.items[3].standard_error < 0.5);
  }

  void mixedModelEqualsLme4() {
    const QJsonObject expected = r_["mixed"].toObject();
    const auto people = golden::numbers(expected["rows"]["participant"]), prompts = golden::numbers(expected["rows"]["prompt"]);
    const auto variants = golden::numbers(expected["rows"]["variant"]), answers = golden::numbers(expected["rows"]["y"]);
    std::vector<MixedRow> rows;
    for (std::size_t i = 0; i < people.size(); ++i)
      rows.push_back({{1, variants[i]}, static_cast<std::size_t>(people[i]), static_cast<std::size_t>(prompts[i]), answers[i] > 0, 0});
    const MixedFit fit = mixedLogistic(rows);
    const auto values = golden::numbers(expected["fixed"]), errors = golden::numbers(expected["standard_error"]);
    for (std::size_t i = 0; i < 2; ++i) {
      CLOSE(fit.fixed[i].value, values[i], kFitted);
      CLOSE(fit.fixed[i].standard_error, errors[i], kFitted);
    }
    CLOSE(fit.participant_sd, expected["participant_sd"].toDouble(), kFitted);
    CLOSE(fit.prompt_sd, expected["prompt_sd"].toDouble(), kFitted);
    CLOSE(fit.log_likelihood, expected["log_likelihood"].toDouble(), kExact);
  }

  void alphaEqualsKrippendorff() {
    const QJsonObject expected = python_["agreement"].toObject();
    const Ratings ratings = golden::rows(expected["ratings"]);
    for (const char* level : {"nominal", "ordinal", "interval"}) {
      const double value = expected["alpha"][QLatin1String(level)].toDouble();
      CLOSE(krippendorffAlpha(ratings, measurementFromName(level)), value, kExact);
    }
  }

  void opinionsEqualSureal() {
    const QJsonObject expected = python_["opinions"].toObject();
    const Ratings ratings = golden::rows(expected["ratings"]);
    const auto plain = mos(ratings);
    const auto mean = golden::numbers(expected["mean"]), half = golden::numbers(expected["half"]);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      CLOSE(plain[j].mean, mean[j], kExact);
      CLOSE(plain[j].interval.high - plain[j].mean, half[j], kExact);
    }
    const SubjectBias model = subjectBias(ratings);
    const auto compare = [](const std::vector<double>& found, const QJsonValue& wanted) {
      const auto values = golden::numbers(wanted);
      QCOMPARE(found.size(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) CLOSE(found[i], values[i], kExact);
    };
    compare(model.quality, expected["quality"]);
    compare(model.quality_error, expected["quality_error"]);
    compare(model.bias, expected["bias"]);
    compare(model.inconsistency, expected["inconsistency"]);
    const auto rejected = bt500Rejected(ratings);
    const QJsonArray wanted = expected["rejected"].toArray();
    for (std::size_t i = 0; i < rejected.size(); ++i) QCOMPARE(static_cast<bool>(rejected[i]), wanted[static_cast<qsizetype>(i)].toBool());
    QCOMPARE(std::count(rejected.begin(), rejected.end(), true), 1);
  }

  void psychometricFunctionEqualsGlm() {
    const QJsonObject expected = r_["psychometric"].toObject();
    const auto x = golden::numbers(expected["x"]), right = golden::numbers(expected["correct"]), seen = golden::numbers(expected["trials"]);
    std::vector<Level> levels;
    for (std::size_t i = 0; i < x.size(); ++i) levels.push_back({x[i], static_cast<int>(right[i]), static_cast<int>(seen[i])});
    const Psychometric fit = fitPsychometric(levels, {.guess = 0.25, .lapse = 0, .level = 0.95});
    CLOSE(fit.slope.value, expected["slope"].toDouble(), kFitted);
    CLOSE(fit.slope.standard_error, expected["slope_error"].toDouble(), kFitted);
    CLOSE(fit.threshold.value, expected["threshold"].toDouble(), kFitted);
    CLOSE(fit.threshold.standard_error, expected["threshold_error"].toDouble(), kFitted);
    CLOSE(fit.deviance, expected["deviance"].toDouble(), kFitted);
    // psignifit's priors pull a little; its threshold lies well within our standard error.
    QVERIFY(std::abs(fit.threshold.value - python_["psignifit"]["threshold"].toDouble()) < fit.threshold.standard_error / 2);
    CLOSE(psychometricRate(fit, {}, fit.threshold.value - fit.jnd), 0.25 + 0.75 * 0.75, kExact);
  }

  // Profile likelihood by R's optimizers; an end that is not there is "NA".
  void curvesIntervalsEqualRs() {
    const QJsonArray all = r_["profiles"].toArray();
    QVERIFY(all.size() >= 6);
    for (const QJsonValue& expected : all) {
      const auto x = golden::numbers(expected["x"]), right = golden::numbers(expected["correct"]), seen = golden::numbers(expected["trials"]);
      std::vector<Level> levels;
      for (std::size_t i = 0; i < x.size(); ++i) levels.push_back({x[i], static_cast<int>(right[i]), static_cast<int>(seen[i])});
      const Psychometric fit = fitPsychometric(levels, {.guess = expected["guess"].toDouble(), .lapse = 0, .level = 0.95});
      for (const auto& [interval, key] : {std::pair{fit.slope.interval, "slope"}, std::pair{fit.threshold.interval, "threshold"}})
        for (const int side : {0, 1}) {
          const QJsonValue end = expected[QLatin1String(key)][side];
          const double ours = side == 0 ? interval.low : interval.high;
          if (end.isDouble()) CLOSE(ours, end.toDouble(), kFitted);
          else QVERIFY(std::isinf(ours) && (ours > 0) == (side == 1));
        }
    }
  }

  void confidenceSequencesEqualConfseq() {
    for (const QJsonValue& row : python_["sequences"].toArray()) {
      const Interval interval = confidenceSequence(row["correct"].toInt(), row["trials"].toInt(), row["tuned_for"].toInt(), row["level"].toDouble());
      CLOSE(interval.low, row["low"].toDouble(), kExact);
      CLOSE(interval.high, row["high"].toDouble(), kExact);
    }
  }

  void chiSquareEqualsScipy() {
    const QJsonObject expected = python_["tables"].toObject();
    std::vector<int> counts;
    for (double count : golden::numbers(expected["counts"])) counts.push_back(static_cast<int>(count));
    std::vector<std::vector<int>> table;
    for (const auto& row : golden::rows(expected["table"])) table.emplace_back(row.begin(), row.end());
    CLOSE(evenness(counts).statistic, expected["statistic"].toDouble(), kExact);
    CLOSE(evenness(counts).p_value, expected["p"].toDouble(), kExact);
    CLOSE(independence(table).statistic, expected["table_statistic"].toDouble(), kExact);
    CLOSE(independence(table).p_value, expected["table_p"].toDouble(), kExact);
  }

  void correlationsEqualScipy() {
    const QJsonObject expected = python_["correlations"].toObject();
    const auto a = golden::numbers(expected["a"]), b = golden::numbers(expected["b"]);
    const Correlation rho = spearman(a, b), tau = kendall(a, b);
    CLOSE(rho.value, expected["spearman"].toDouble(), kExact);
    CLOSE(rho.interval.low, expected["spearman_interval"][0].toDouble(), kExact);
    CLOSE(rho.interval.high, expected["spearman_interval"][1].toDouble(), kExact);
    CLOSE(tau.value, expected["kendall"].toDouble(), kExact);
    CLOSE(tau.interval.low, expected["kendall_interval"][0].toDouble(), kExact);
    CLOSE(tau.interval.high, expected["kendall_interval"][1].toDouble(), kExact);
  }

  void powerEqualsScipy() {
    for (const QJsonValue& row : python_["power"].toArray()) {
      const Power power = binomialPower(row["trials"].toInt(), row["rate"].toDouble(), row["chance"].toDouble());
      QCOMPARE(power.needed, row["needed"].toInt());
      CLOSE(power.power, row["power"].toDouble(), kExact);
    }
  }
};

QTEST_GUILESS_MAIN(StatisticsParityTest)
#include "statistics_parity_test.moc"
