// An evaluation on the fake engine: it fills, pauses, goes on, shares its work, tells what fails.
#include "tests/ui/fake_engine.h"
#include "ui/models/evaluation_matrix.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace quantspot;
using namespace quantspot::ui;
using State = EvaluationRun::State;

namespace {

EvaluationRequest request(const QString& folder, int prompts = 3, std::vector<std::uint64_t> seeds = {0, 1}) {
  EvaluationRequest request{QStringLiteral("default"), {}, {"set", {}}, std::move(seeds), {"bf16", "bnb-int8", "bnb-nf4"}, folder};
  for (int i = 0; i < prompts; ++i) request.prompts.prompts.push_back({"prompt " + std::to_string(i), i % 2 ? "odd" : "even", ""});
  request.recipe.steps = 4;
  return request;
}

struct Bench {
  explicit Bench(QStringList flags = {}) : engine(fakeEngine(std::move(flags))), run(&engine) {}
  bool open(const EvaluationRequest& wanted) {
    run.open(wanted);
    return QTest::qWaitFor([this] { return run.state() == State::Paused || run.state() == State::Finished; });
  }
  bool reaches(State state) { return QTest::qWaitFor([&] { return run.state() == state; }, 20000); }
  bool reports() { return QTest::qWaitFor([&] { return run.report().is_object() && run.report()["summary"][0]["missing"] == 0; }, 20000); }

  EngineClient engine;
  EvaluationRun run;
};

}  // namespace

class EvaluationRunTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void itFillsAndTellsItsNumbers() {
    QTemporaryDir folder;
    Bench bench;
    EvaluationMatrix matrix(&bench.run);
    QAbstractItemModelTester tester(&matrix, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(bench.open(request(folder.path())));
    QCOMPARE(matrix.rowCount(), 6);
    QCOMPARE(matrix.columnCount(), 3);
    QCOMPARE(matrix.index(0, 0).data(EvaluationMatrix::StateRole).toInt(), int(EvaluationMatrix::Waiting));
    QCOMPARE(matrix.headerData(3, Qt::Vertical).toString(), QStringLiteral("prompt 1 · seed 1"));
    QVERIFY(bench.run.costsText().contains("not known before"));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.run.counts().finished, std::size_t{18});
    for (int row = 0; row < 6; ++row)
      for (int column = 0; column < 3; ++column) {
        const QModelIndex at = matrix.index(row, column);
        QCOMPARE(at.data(EvaluationMatrix::StateRole).toInt(), int(EvaluationMatrix::Finished));
        QCOMPARE(at.data(Qt::DecorationRole).value<QImage>().size(), QSize(2, 2));
        QVERIFY2(at.data().toString() == "CLIP score 0.25", qPrintable(at.data().toString()));
        QCOMPARE(at.data(Qt::ToolTipRole).toString().contains("PSNR 31.50 dB"), column > 0);
      }
    QVERIFY(bench.reports());
    QCOMPARE(bench.run.report()["summary"][2]["figures"]["psnr"]["value"].get<double>(), 31.5);
    QVERIFY(QFile::exists(folder.filePath("bnb-nf4/0002-seed1.png")));
    QVERIFY(!bench.run.statusText().isEmpty());
  }

  void itGoesOnTomorrow() {
    QTemporaryDir folder;
    std::size_t drawn = 0;
    {
      Bench today({"--slow=15"});
      QVERIFY(today.open(request(folder.path())));
      today.run.start();
      QVERIFY(QTest::qWaitFor([&] { return today.run.counts().finished >= 4; }, 20000));
      today.run.pause();
      QVERIFY(today.reaches(State::Paused));
      drawn = today.run.counts().finished;
      QVERIFY(drawn >= 4 && drawn < 18);
      QTest::qWait(200);
      QCOMPARE(today.run.counts().finished, drawn);   // it does pause
    }
    const auto last = EvaluationRun::lastIn(folder.path());
    QVERIFY(last.has_value());
    QCOMPARE(last->precisions, request(folder.path()).precisions);
    QVERIFY(last->prompts.prompts == request(folder.path()).prompts.prompts && last->recipe == request(folder.path()).recipe);
    Bench tomorrow;
    QVERIFY(tomorrow.open(*last));
    QCOMPARE(tomorrow.run.counts().finished, drawn);
    QVERIFY(tomorrow.run.statusText().startsWith(QStringLiteral("%1 of 18").arg(drawn)));
    tomorrow.run.start();
    QVERIFY(tomorrow.reaches(State::Finished));
    QCOMPARE(tomorrow.run.counts().before, drawn);
    QVERIFY(!EvaluationRun::lastIn(folder.filePath("nothing")).has_value());
  }

  void severalEnginesShareTheWork() {
    QTemporaryDir folder;
    Bench bench({"--slow=20"});
    bench.run.setFurtherEngines({fakeEngine({"--slow=20"}), fakeEngine({"--slow=20"})});
    QCOMPARE(bench.run.engines(), std::size_t{3});
    QVERIFY(bench.open(request(folder.path())));
    int most = 0;
    connect(&bench.run, &EvaluationRun::cellChanged, &bench.run, [&] {
      int now = 0;
      for (const evaluation::Cell& cell : bench.run.plan()->cells()) now += bench.run.isDrawing(cell);
      most = std::max(most, now);
    });
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(most, 3);
    QCOMPARE(bench.run.counts().finished, std::size_t{18});
  }

  void twoWindowsNeverDrawTheSame() {
    QTemporaryDir folder;
    Bench one({"--slow=10"}), two({"--slow=10"});
    QVERIFY(one.open(request(folder.path())) && two.open(request(folder.path())));
    QSet<QString> seen;
    int twice = 0;
    for (Bench* bench : {&one, &two})
      connect(&bench->run, &EvaluationRun::cellChanged, &bench->run, [&, bench](int p, int s, int v) {
        if (p < 0) return;
        const evaluation::Cell& cell = bench->run.plan()->cell(p, s, v);
        for (Bench* other : {&one, &two})
          if (other != bench && bench->run.isDrawing(cell) && other->run.isDrawing(cell)) ++twice;
      });
    one.run.start(), two.run.start();
    QVERIFY(one.reaches(State::Finished) && two.reaches(State::Finished));
    QCOMPARE(twice, 0);
    QVERIFY(one.run.counts().finished == 18 && two.run.counts().finished == 18);
  }

  void theEstimateDrawsOneOfEach() {
    QTemporaryDir folder;
    Bench bench;
    QVERIFY(bench.open(request(folder.path())));
    bench.run.startPilot();
    QVERIFY(bench.reaches(State::Paused));
    QCOMPARE(bench.run.counts().finished, std::size_t{3});
  }

  void whatFailsSaysWhyAndTheRestGoOn() {
    QTemporaryDir folder;
    Bench bench({"--error=bnb-int8"});
    EvaluationMatrix matrix(&bench.run);
    QVERIFY(bench.open(request(folder.path(), 2, {0})));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.run.counts().failed, std::size_t{2});
    QCOMPARE(matrix.index(1, 1).data(Qt::ToolTipRole).toString(), QStringLiteral("bnb-int8 needs 3.2 GiB, 1.1 GiB are free"));
    QCOMPARE(matrix.index(1, 1).data().toString(), QStringLiteral("failed"));
    QVERIFY(bench.reports());
    QCOMPARE(bench.run.report()["summary"][1]["failed"].get<int>(), 2);
    QVERIFY(bench.run.report()["judged"][0]["sentence"].get<std::string>().find("every picture failed") != std::string::npos);
  }

  void anEngineThatDiesTakesOneCellWithIt() {
    QTemporaryDir folder;
    Bench bench({"--die-on=bnb-nf4"});
    QVERIFY(bench.open(request(folder.path(), 2, {0})));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.run.counts().finished, std::size_t{4});
    QCOMPARE(bench.run.counts().failed, std::size_t{2});
  }

  void aMissingScoreIsNoFailure() {
    QTemporaryDir folder;
    Bench bench({"--error=clip"});
    QVERIFY(bench.open(request(folder.path(), 1, {0})));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.run.counts().failed, std::size_t{0});
    QVERIFY(bench.run.scoresOf(bench.run.plan()->cell(0, 0, 1))["clip"].is_null());
    QCOMPARE(bench.run.scoresOf(bench.run.plan()->cell(0, 0, 1))["psnr"].get<double>(), 31.5);
  }

  void thresholdsAreSavedWithTheEvaluation() {
    QTemporaryDir folder;
    auto edited = evaluation::defaultThresholds();
    edited[1].limit = -1;
    {
      Bench bench;
      QVERIFY(bench.open(request(folder.path(), 1, {0})));
      bench.run.start();
      QVERIFY(bench.reaches(State::Finished) && bench.reports());
      bench.run.setThresholds(edited);
      QVERIFY(QTest::qWaitFor([&] { return bench.run.report()["thresholds"][1]["limit"] == -1.0; }));
    }
    Bench later;
    QVERIFY(later.open(request(folder.path(), 1, {0})));
    QVERIFY(later.run.thresholds() == edited);
  }

  void whatCannotBeOpenedIsTold() {
    QTemporaryDir folder;
    Bench bench;
    QSignalSpy failed(&bench.run, &EvaluationRun::failed);
    EvaluationRequest wrong = request(QStringLiteral("/proc/nowhere"));
    bench.run.open(wrong);
    QVERIFY(QTest::qWaitFor([&] { return failed.count() == 1; }));
    QVERIFY(failed[0][0].toString().contains("/proc/nowhere"));
    QCOMPARE(bench.run.state(), State::Empty);
    QVERIFY_EXCEPTION_THROWN(bench.run.writeHtml("x"), std::runtime_error);
  }

  void everyExportIsWritten() {
    QTemporaryDir folder;
    Bench bench;
    QVERIFY(bench.open(request(folder.path(), 2, {0})));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    bench.run.writeHtml(folder.filePath("r.html"));
    bench.run.writePdf(folder.filePath("r.pdf"));
    bench.run.writeTables(folder.path());
    QFile page(folder.filePath("r.html"));
    QVERIFY(page.open(QIODevice::ReadOnly) && page.readAll().count("data:image/png;base64,") == 6);
    QVERIFY(QFile::exists(folder.filePath("r.pdf")) && QFile::exists(folder.filePath("samples.csv")) && QFile::exists(folder.filePath("report.json")));
  }
};

QTEST_GUILESS_MAIN(EvaluationRunTest)
#include "evaluation_run_test.moc"
