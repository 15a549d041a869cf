// An evaluation on the fake engine: it fills, pauses, goes on, shares its work, tells what fails.
#include "evaluation/noise_floor.h"
#include "tests/full_disk.h"
#include "tests/ui/fake_engine.h"
#include "ui/models/evaluation_matrix.h"

#include <QAbstractItemModelTester>
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <fstream>
#include <memory>

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
    QCOMPARE(matrix.headerData(3, Qt::Vertical).toString(), QStringLiteral("prompt 1\nseed 1"));
    QVERIFY(bench.run.costsText().contains("not known before"));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.run.counts().finished, std::size_t{18});
    for (int row = 0; row < 6; ++row)
      for (int column = 0; column < 3; ++column) {
        const QModelIndex at = matrix.index(row, column);
        QCOMPARE(at.data(EvaluationMatrix::StateRole).toInt(), int(EvaluationMatrix::Finished));
        QCOMPARE(at.data(Qt::DecorationRole).value<QImage>().size(), QSize(2, 2));
        QVERIFY2(at.data().toString() == "CLIP-tiny score 0.25", qPrintable(at.data().toString()));
        QCOMPARE(at.data(Qt::ToolTipRole).toString().contains("PSNR 31.50 dB"), column > 0);
      }
    QVERIFY(bench.reports());
    QCOMPARE(bench.run.report()["summary"][2]["figures"]["psnr"]["value"].get<double>(), 31.5);
    const auto kept = [&] { return evaluation::readJson(folder.filePath("report.json").toStdString()); };   // for the Decide page
    QVERIFY(QTest::qWaitFor([&] { return kept() && (*kept())["summary"][2]["figures"]["psnr"]["value"] == 31.5; }));
    QVERIFY(QFile::exists(folder.filePath("bnb-nf4/0002-seed1.png")));
    QVERIFY(!bench.run.statusText().isEmpty());
  }

  void theBaselineIsDrawnAgainWhenAllIsDrawn_data() {
    QTest::addColumn<QStringList>("flags");
    QTest::addColumn<QString>("said");
    QTest::newRow("equal") << QStringList{"--hashes"} << "has the same pixels.";
    QTest::newRow("apart") << QStringList{"--hashes", "--drift=bf16"} << "PSNR 31.50 dB";
    QTest::newRow("failed") << QStringList{"--once=bf16"} << "could not be made: bf16 needs 3.2 GiB";
  }
  void theBaselineIsDrawnAgainWhenAllIsDrawn() {
    QFETCH(QStringList, flags);
    QFETCH(QString, said);
    QTemporaryDir folder;
    Bench bench(flags);
    QVERIFY(bench.open(request(folder.path(), 1, {0})));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished) && bench.reports());
    QCOMPARE(bench.run.counts().finished, std::size_t{3});                  // it is none of them
    QCOMPARE(bench.run.counts().failed, std::size_t{0});
    const auto text = [&] { return QString::fromStdString(evaluation::noiseFloorText(bench.run.report())); };
    QVERIFY2(QTest::qWaitFor([&] { return text().contains(said); }), qPrintable(text()));
    QCOMPARE(QDir(folder.filePath("bf16")).entryList(QDir::Files).size(), 1);      // beside the others it would be one of the set
    Bench later;
    QVERIFY(later.open(request(folder.path(), 1, {0})));
    QCOMPARE(later.run.state(), State::Finished);
    QVERIFY(QTest::qWaitFor([&] { return later.run.report().is_object(); }));
    QCOMPARE(later.run.report()["noise_floor"].is_null(), flags.contains("--once=bf16"));   // a failure is that run's own
  }

  // Six of each precision are a set; what was measured once is not measured again, by whichever window.
  void setsAreComparedWhenAllIsDrawn() {
    QTemporaryDir folder;
    {
      Bench bench;
      QVERIFY(bench.open(request(folder.path())));
      bench.run.start();
      QVERIFY(bench.reaches(State::Finished) && bench.reports());
      QVERIFY(QTest::qWaitFor([&] {
        const auto& found = bench.run.report()["summary"][2]["figures"];
        return found.contains("fd-clip-tiny") && found.contains("kd-clip-tiny");
      }));
      const auto& figures = bench.run.report()["summary"][2]["figures"];
      QVERIFY(figures["fd-clip-tiny"]["value"] == 0.05 && figures["fd-clip-tiny"]["n"] == 6 && figures["kd-clip-tiny"]["ci95"][0] == 0.04);
      QVERIFY(!bench.run.report()["summary"][0]["figures"].contains("fd-clip-tiny") && bench.run.report()["sets"]["against"] == "bf16");
    }
    Bench again({"--error=fid", "--error=kid", "--error=clip"});
    QVERIFY(again.open(request(folder.path())));
    QCOMPARE(again.run.state(), State::Finished);          // nothing is left to ask for
    QVERIFY(QTest::qWaitFor([&] { return again.run.report().is_object() && again.run.report()["sets"].is_object(); }));
  }

  void onlyWhatIsAskedForIsMeasured() {
    QTemporaryDir folder;
    EvaluationRequest wanted = request(folder.path());
    wanted.metrics = {"psnr"};
    {
      Bench bench;
      QVERIFY(bench.open(wanted));
      bench.run.start();
      QVERIFY(bench.reaches(State::Finished) && bench.reports());
      QVERIFY(bench.run.report()["sets"].is_null() && !bench.run.report()["summary"][1]["figures"].contains("clip"));
    }
    // More metrics later: the pictures are there, their scores come when it goes on.
    wanted.metrics = {"psnr", "ssim", "kid"};
    Bench more;
    QVERIFY(more.open(wanted));
    QCOMPARE(more.run.state(), State::Paused);
    more.run.start();
    QVERIFY(more.reaches(State::Finished));
    QCOMPARE(more.run.counts().before, std::size_t{18});
    QVERIFY(QTest::qWaitFor([&] { return more.run.report()["summary"][1]["figures"].contains("kd-clip-tiny"); }));
    QVERIFY(more.run.report()["summary"][1]["figures"].contains("ssim"));
    QCOMPARE(EvaluationRun::lastIn(folder.path())->metrics, wanted.metrics);
    wanted.metrics = {"lpips"};
    QSignalSpy failed(&more.run, &EvaluationRun::failed);
    more.run.open(wanted);
    QVERIFY(QTest::qWaitFor([&] { return failed.count() == 1; }));
    QVERIFY(failed[0][0].toString().contains("quantspot-cli metrics download lpips-alex"));
  }

  void realPicturesAndRatingsAreRead() {
    QTemporaryDir folder;
    const auto write = [&](const QString& name, const QByteArray& text) {
      QFile file(folder.filePath(name));
      return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
    };
    QVERIFY(QDir(folder.path()).mkpath("photos") && write("photos/a.png", "one") && write("photos/b.jpg", "two"));
    QVERIFY(write("analysis.json",
                  R"({"headline": "with_exclusions", "with_exclusions": {"rating": {"scores": [)"
                  R"({"variant": "bnb-nf4", "mos": 4.2, "interval": [4.05, 4.4], "people": 12}]}}})"));
    EvaluationRequest wanted = request(folder.filePath("out"));
    wanted.real = folder.filePath("photos"), wanted.ratings = folder.path();
    Bench bench;
    QVERIFY(bench.open(wanted));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished));
    // The baseline, too, has a distance to real ones.
    QVERIFY(QTest::qWaitFor([&] { return bench.run.report().is_object() && bench.run.report()["summary"][0]["figures"].contains("fd-clip-tiny"); }));
    const auto judged = [&](const char* precision) -> std::string {
      for (const auto& cell : bench.run.report()["judged"])
        if (cell["precision"] == precision && cell["threshold"] == "human-rating") return cell["sentence"];
      return "";
    };
    QVERIFY(judged("bnb-nf4").starts_with("Human rating 4.20") && judged("bnb-nf4").ends_with("passes."));
    // A file that was given comes before what the program holds itself.
    bench.run.setOwnRatings({{"bnb-nf4", {{"rating", {2, 3, {}}}}}}, QStringLiteral("own"));
    QTest::qWait(200);
    QVERIFY(judged("bnb-nf4").starts_with("Human rating 4.20"));
    QVERIFY(judged("bnb-int8").find("lacks data, nobody has rated it: rate pictures on the Compare page") != std::string::npos);
    QSignalSpy failed(&bench.run, &EvaluationRun::failed);
    wanted.real = folder.filePath("nowhere");
    bench.run.open(wanted);
    QVERIFY(QTest::qWaitFor([&] { return failed.count() == 1; }));
    QVERIFY(failed[0][0].toString().contains("nowhere"));
    QCOMPARE(bench.run.state(), State::Empty);
  }

  // The fake engine's latents are (kind, call): the error of another kind than the baseline's 0 shrinks as the call grows.
  void latentsTellHowTheErrorGrows() {
    QTemporaryDir folder;
    EvaluationRequest wanted = request(folder.path());
    wanted.growth = 2;
    Bench bench;
    QVERIFY(bench.open(wanted));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished) && bench.reports());
    const auto& growth = bench.run.report()["growth"];
    QCOMPARE(growth.size(), std::size_t{2 * 4});           // two precisions, four calls
    for (const auto& row : growth) {
      const double kind = row["precision"] == "bnb-int8" ? 1 + 8 % 3 : 1 + 7 % 3;
      QVERIFY(row["n"] == 2 && std::abs(row["value"].get<double>() - kind / row["call"].get<double>()) < 1e-6);
    }
    QCOMPARE(EvaluationRun::lastIn(folder.path())->growth, std::size_t{2});
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

  void aFullDiskPausesAndNothingFails_data() {
    QTest::addColumn<int>("when");         // pictures that are kept before it
    QTest::addColumn<int>("bytes");        // what files may have from then on
    for (const int when : {0, 2, 6})       // six: scores only
      for (const int bytes : {1, 100, 300}) QTest::addRow("after %d, %d bytes", when, bytes) << when << bytes;
  }
  void aFullDiskPausesAndNothingFails() {
    QFETCH(int, when);
    QFETCH(int, bytes);
    QTemporaryDir folder;
    Bench bench;
    QVERIFY(bench.open(request(folder.path(), 2, {0})));
    QVERIFY(bench.run.costsText().contains("not known before"));            // the engine, which may write, runs by now
    QSignalSpy failed(&bench.run, &EvaluationRun::failed);
    std::unique_ptr<test::FullDisk> full;
    const auto fill = [&] {
      if (!full && static_cast<int>(bench.run.counts().finished) >= when) full = std::make_unique<test::FullDisk>(bytes);
    };
    const auto connection = connect(&bench.run, &EvaluationRun::cellChanged, &bench.run, fill);
    fill();
    bench.run.start();
    QVERIFY(QTest::qWaitFor([&] { return bench.run.state() == State::Paused || bench.run.state() == State::Finished; }, 20000));
    disconnect(connection);
    full.reset();
    if (bytes == 1) QCOMPARE(bench.run.state(), State::Paused);             // of scores, some are smaller than the others
    QCOMPARE(failed.count(), bench.run.state() == State::Paused ? 1 : 0);
    if (failed.count() == 1) QVERIFY2(failed[0][0].toString().contains("Make room there, then go on"), qPrintable(failed[0][0].toString()));
    QCOMPARE(bench.run.counts().failed, std::size_t{0});
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished) && bench.reports());
    QCOMPARE(bench.run.counts().finished, std::size_t{6});
    for (const evaluation::Cell& cell : bench.run.plan()->cells())
      QCOMPARE(bench.run.scoresOf(cell)["clip"].is_number() && (cell.precision == 0 || bench.run.scoresOf(cell)["psnr"].is_number()), true);
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

  // A file of the store that goes away while a window is open.
  void aReportThatCannotBeMadeIsTold() {
    QTemporaryDir folder;
    EvaluationRequest wanted = request(folder.path(), 1, {0});
    wanted.growth = 1;
    Bench bench;
    QVERIFY(bench.open(wanted));
    bench.run.start();
    QVERIFY(bench.reaches(State::Finished) && bench.reports());
    const QString key = QString::fromStdString(bench.run.plan()->cell(0, 0, 0).key);
    QVERIFY(QFile::remove(folder.filePath("store/objects/" + key.left(2) + "/" + key + ".latents")));
    QSignalSpy failed(&bench.run, &EvaluationRun::failed);
    auto edited = evaluation::defaultThresholds();
    edited[1].limit = -1;
    bench.run.setThresholds(edited);
    QVERIFY(QTest::qWaitFor([&] { return failed.count() > 0; }));
    QVERIFY2(failed[0][0].toString().startsWith("The report cannot be made: cannot read"), qPrintable(failed[0][0].toString()));
  }

  void anEditedEvaluationIsNoneOfOurs() {
    QTemporaryDir folder;
    Bench bench;
    QVERIFY(bench.open(request(folder.path(), 1, {0})));
    QVERIFY(EvaluationRun::lastIn(folder.path()).has_value());
    QFile file(folder.filePath("evaluation.json"));
    QVERIFY(file.open(QIODevice::ReadWrite));
    auto saved = nlohmann::json::parse(file.readAll().toStdString());
    for (const nlohmann::json& steps : {nlohmann::json(2.5), nlohmann::json("four")}) {
      saved["recipe"]["steps"] = steps;
      QVERIFY(file.resize(0) && file.seek(0));
      file.write(QByteArray::fromStdString(saved.dump()));
      QVERIFY(file.flush() && !EvaluationRun::lastIn(folder.path()));
    }
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
    QVERIFY(QFile::exists(folder.filePath("r.pdf")) && QFile::exists(folder.filePath("samples.csv")) &&
        QFile::exists(folder.filePath("report.json")));
  }
};

QTEST_GUILESS_MAIN(EvaluationRunTest)
#include "evaluation_run_test.moc"
