// Distances of sets of features against clean-fid, torch-fidelity and the published formulas.
#include "evaluation/bootstrap.h"
#include "metrics/frechet.h"
#include "metrics/mmd.h"
#include "metrics/zip_archive.h"
#include "tests/metrics/formulas.h"

#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using metrics::Kernel;

namespace {

struct Sets {
  at::Tensor a, b;
};

Sets setsOf(const nlohmann::json& row) {
  const std::int64_t n = row["n"], m = row["m"], width = row["width"];
  const at::Tensor a = (test::uniform("a" + std::to_string(n), {n, width}) - 0.5).to(at::kDouble);
  const at::Tensor b = (1.2 * test::uniform("b" + std::to_string(m), {m, width}) - 0.5).to(at::kDouble);
  return {a, at::mm(b, at::eye(width, at::kDouble) + 0.1 * at::ones({width, width}, at::kDouble).tril())};
}

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, 1, true); }

double frechet(const at::Tensor& a, const at::Tensor& b) { return metrics::frechetDistance(metrics::statisticsOf(a), metrics::statisticsOf(b)); }

// Counts of draws with replacement, a row each.
at::Tensor draws(std::int64_t n, std::int64_t m, std::int64_t count, std::uint64_t seed) {
  const std::size_t groups[] = {static_cast<std::size_t>(n), static_cast<std::size_t>(m)};
  evaluation::Resampler resampler(groups, seed);
  at::Tensor weights = at::empty({count, n + m}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) resampler.next({weights.data_ptr<double>() + i * (n + m), static_cast<std::size_t>(n + m)});
  return weights;
}

}  // namespace

class SetsTest : public QObject {
  Q_OBJECT
  const nlohmann::json numbers_ = test::scoreNumbers();

 private Q_SLOTS:
  void distancesAreThoseOfTheReferences_data() {
    QTest::addColumn<int>("row");
    for (int i = 0; i < static_cast<int>(numbers_["sets"].size()); ++i) QTest::newRow(numbers_["sets"][i].dump().c_str()) << i;
  }
  void distancesAreThoseOfTheReferences() {
    QFETCH(int, row);
    const auto& c = numbers_["sets"][row];
    const Sets sets = setsOf(c);
    const double fid = frechet(sets.a, sets.b);
    QVERIFY2(test::near(fid, c["torch-fidelity"], 1e-6), qPrintable(QString::number(fid, 'g', 12)));
    QVERIFY2(test::near(fid, c["clean-fid"], 1e-6), qPrintable(QString::number(fid, 'g', 12)));
    if (c.contains("kid")) {
      const double kid = metrics::mmd(Kernel::Cubic, sets.a, sets.b).unbiased;
      QVERIFY2(test::near(kid, c["kid"], 1e-9), qPrintable(QString::number(kid, 'g', 12)));
    }
    const double cmmd = metrics::mmd(Kernel::Gaussian, unit(sets.a), unit(sets.b)).biased;
    QVERIFY2(test::near(cmmd, c["cmmd"], 1e-9), qPrintable(QString::number(cmmd, 'g', 12)));
  }

  void distancesAreSymmetricAndNoneOfEqualSets() {
    const Sets sets = setsOf(numbers_["sets"][0]);
    QVERIFY(test::near(frechet(sets.a, sets.b), frechet(sets.b, sets.a), 1e-9));
    QVERIFY(std::abs(frechet(sets.a, sets.a)) < 1e-9);
    for (const Kernel kernel : {Kernel::Cubic, Kernel::Gaussian}) {
      const auto ab = metrics::mmd(kernel, sets.a, sets.b), ba = metrics::mmd(kernel, sets.b, sets.a), aa = metrics::mmd(kernel, sets.a, sets.a);
      QVERIFY(test::near(ab.unbiased, ba.unbiased, 1e-9) && test::near(ab.biased, ba.biased, 1e-9));
      QVERIFY(std::abs(aa.biased) < 1e-9 && aa.unbiased < 0);
    }
  }

  void piecesMakeNoDifference() {        // more rows than are multiplied at once
    const at::Tensor a = test::uniform("long a", {1500, 6}).to(at::kDouble), b = test::uniform("long b", {1100, 6}).to(at::kDouble) + 0.2;
    const at::Tensor kaa = (at::mm(a, a.t()) / 6 + 1).pow(3), kbb = (at::mm(b, b.t()) / 6 + 1).pow(3), kab = (at::mm(a, b.t()) / 6 + 1).pow(3);
    const double plain = ((kaa.sum() - kaa.trace()) / (1500 * 1499) + (kbb.sum() - kbb.trace()) / (1100 * 1099) - 2 * kab.mean()).item<double>();
    QVERIFY(test::near(metrics::mmd(Kernel::Cubic, a, b).unbiased, plain, 1e-9));
  }

  void replicatesWithEveryPictureOnceAreTheValue() {
    const Sets sets = setsOf(numbers_["sets"][2]);
    const at::Tensor once = at::ones({1, sets.a.size(0) + sets.b.size(0)}, at::kDouble);
    QVERIFY(test::near(metrics::frechetReplicates(sets.a, sets.b, once)[0], frechet(sets.a, sets.b), 1e-8));
    QVERIFY(test::near(metrics::mmdReplicates(Kernel::Cubic, sets.a, sets.b, once)[0], metrics::mmd(Kernel::Cubic, sets.a, sets.b).unbiased, 1e-12));
  }

  void replicatesAreThoseOfTheSetsDrawn() {
    const Sets sets = setsOf(numbers_["sets"][2]);
    const at::Tensor weights = draws(10, 9, 3, 4);
    const auto fids = metrics::frechetReplicates(sets.a, sets.b, weights);
    for (std::int64_t r = 0; r < 3; ++r) {
      const at::Tensor counts = weights[r].to(at::kLong);
      const auto drawn = [&](const at::Tensor& x, std::int64_t first) { return x.repeat_interleave(counts.slice(0, first, first + x.size(0)), 0); };
      QVERIFY(test::near(fids[static_cast<std::size_t>(r)], frechet(drawn(sets.a, 0), drawn(sets.b, 10)), 1e-7));
    }
  }

  // Of normal sets whose distance is known; 95 % is asked of the interval of the unbiased estimate.
  void intervalsOfKidHoldTheTruth() {
    int held = 0;
    constexpr int kSets = 300, kN = 60, kWidth = 3;
    double truth = 0;
    {
      const at::Tensor x = at::randn({6000, kWidth}, at::detail::createCPUGenerator(1), at::kDouble),
          y = 0.6 + at::randn({6000, kWidth}, at::detail::createCPUGenerator(2), at::kDouble);
      truth = metrics::mmd(Kernel::Cubic, x, y).unbiased;
    }
    for (int i = 0; i < kSets; ++i) {
      const auto random = at::detail::createCPUGenerator(static_cast<std::uint64_t>(100 + i));
      const at::Tensor x = at::randn({kN, kWidth}, random, at::kDouble), y = 0.6 + at::randn({kN, kWidth}, random, at::kDouble);
      const auto interval = evaluation::percentileInterval(metrics::mmdReplicates(Kernel::Cubic, x, y,
                                                                                  draws(kN, kN, 400, static_cast<std::uint64_t>(i))));
      held += interval.low <= truth && truth <= interval.high ? 1 : 0;
    }
    qInfo("coverage of KID's interval: %.3f", held / double(kSets));
    QVERIFY(held / double(kSets) > 0.90 && held / double(kSets) < 0.985);
  }

  void statisticsComeBackFromTheirFile() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath("stats.npz").toStdString();
    const auto statistics = metrics::statisticsOf(setsOf(numbers_["sets"][1]).a);
    metrics::writeStatistics(path, statistics);
    const auto read = metrics::readStatistics(path);
    QVERIFY(at::equal(read.mean, statistics.mean) && at::equal(read.covariance, statistics.covariance));
    QCOMPARE(read.n, std::int64_t{64});
    QVERIFY(std::abs(metrics::frechetDistance(read, statistics)) < 1e-9);
    const auto numpys = metrics::readStatistics(test::kScores / "stored.npz");
    QCOMPARE(numpys.n, std::int64_t{0});
    QVERIFY(at::equal(numpys.mean, test::weight("mu", {5}).to(at::kDouble)));
    QVERIFY_EXCEPTION_THROWN(metrics::frechetDistance(read, numpys), std::invalid_argument);
  }

  void whatIsNoNumberOrTooFewIsRefused() {
    const at::Tensor good = test::uniform("good", {8, 4});
    at::Tensor bad = good.clone();
    bad[3][2] = NAN;
    QVERIFY_EXCEPTION_THROWN(metrics::statisticsOf(bad), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::statisticsOf(good.slice(0, 0, 1)), std::invalid_argument);
    for (const Kernel kernel : {Kernel::Cubic, Kernel::Gaussian}) {
      QVERIFY_EXCEPTION_THROWN(metrics::mmd(kernel, good, bad), std::invalid_argument);
      QVERIFY_EXCEPTION_THROWN(metrics::mmd(kernel, good, good.slice(0, 0, 1)), std::invalid_argument);
      QVERIFY_EXCEPTION_THROWN(metrics::mmd(kernel, good, good.slice(1, 0, 3)), std::invalid_argument);
    }
  }
};

QTEST_APPLESS_MAIN(SetsTest)
#include "sets_test.moc"
