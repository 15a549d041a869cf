// A scan as the window runs it: progress, cancel, figures by layer, and policies found by them.
#include "tests/ui/fake_engine.h"
#include "ui/models/sensitivity_scan.h"

#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

protocol::ScanParams params(bool blocks) {
  protocol::ScanParams params;
  params.precision = "bnb-nf4", params.recipe = foxRecipe(), params.prompts = {"a fox"}, params.blocks = blocks;
  return params;
}

bool ended(SensitivityScan& scan) { return QTest::qWaitFor([&] { return !scan.isRunning(); }); }

}  // namespace

class SensitivityScanTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyLayerHasItsError() {
    EngineClient engine(fakeEngine());
    SensitivityScan scan(&engine);
    scan.start(params(false));
    QVERIFY(scan.isRunning() && !scan.hasResult());
    QVERIFY(ended(scan));
    QVERIFY(scan.hasResult());
    QCOMPARE(scan.layerErrors().size(), 21);
    QCOMPARE(scan.layerErrors()[QStringLiteral("x_embedder")], 256 * 64 * 1.5 / 1e7);
    QCOMPARE(scan.statusText(), QString());
  }

  void aBlocksErrorIsThatOfItsLayers() {
    EngineClient engine(fakeEngine());
    SensitivityScan scan(&engine);
    scan.start(params(true));
    QVERIFY(ended(scan));
    const auto errors = scan.layerErrors();
    QCOMPARE(errors[QStringLiteral("transformer_blocks.0.attn.to_q")], errors[QStringLiteral("transformer_blocks.0.norm1.linear")]);
    QVERIFY(errors[QStringLiteral("transformer_blocks.0.attn.to_q")] > errors[QStringLiteral("x_embedder")]);
  }

  // The figures go along, so that the engine measures nothing twice: the fake one then has two rounds.
  void aSearchUsesTheFiguresAtHand() {
    EngineClient engine(fakeEngine());
    SensitivityScan scan(&engine);
    QSignalSpy found(&scan, &SensitivityScan::found);
    scan.findUnderError(0.1);
    QVERIFY(!scan.isRunning());                                        // nothing to search by
    scan.start(params(true));
    QVERIFY(ended(scan));
    int rounds = 0;
    connect(&engine, &EngineClient::progress, this, [&](const protocol::Progress& progress) { rounds = progress.steps; });
    scan.findUnderError(0.1);
    QVERIFY(ended(scan));
    QCOMPARE(rounds, 2);
    QCOMPARE(found.count(), 1);
    QCOMPARE(found[0][0].value<protocol::FoundPolicy>().policy, std::string("bf16?^single_transformer_blocks.=bnb-nf4"));
    QVERIFY(scan.hasResult());
    scan.findUnderBytes(1'000'000);
    QVERIFY(ended(scan));
    QCOMPARE(found.count(), 2);
  }

  void progressIsToldAndItCanBeCancelled() {
    EngineClient engine(fakeEngine({QStringLiteral("--slow=40")}));
    SensitivityScan scan(&engine);
    QSignalSpy failed(&scan, &SensitivityScan::failed);
    scan.start(params(false));
    QTRY_VERIFY(scan.fraction() > 0.1);
    QVERIFY2(scan.statusText().contains(QStringLiteral("of 23")) && scan.statusText().contains(QStringLiteral("left")),
        qPrintable(scan.statusText()));
    scan.cancel();
    QCOMPARE(scan.statusText(), QStringLiteral("cancelling"));
    QVERIFY(ended(scan));
    QVERIFY(!scan.hasResult());
    QCOMPARE(failed.count(), 0);
    scan.start(params(true));                                          // the engine is there as before
    QVERIFY(ended(scan));
    QVERIFY(scan.hasResult());
    scan.forget();
    QVERIFY(!scan.hasResult() && scan.layerErrors().isEmpty());
  }

  void aRefusalIsTold() {
    EngineClient engine(fakeEngine());
    SensitivityScan scan(&engine);
    QSignalSpy failed(&scan, &SensitivityScan::failed);
    auto wrong = params(true);
    wrong.precision = "nf5";
    scan.start(wrong);
    QVERIFY(ended(scan));
    QCOMPARE(failed.count(), 1);
    QVERIFY(failed[0][0].toString().contains(QStringLiteral("nf5")));
  }

  void blocksAreNamedAsTheEngineNamesThem() {
    QCOMPARE(blockOfLayer(QStringLiteral("transformer_blocks.12.attn.to_out.0")), QStringLiteral("transformer_blocks.12"));
    QCOMPARE(blockOfLayer(QStringLiteral("down_blocks.1.attentions.0.proj_in")), QStringLiteral("down_blocks.1"));
    QCOMPARE(blockOfLayer(QStringLiteral("time_text_embed.timestep_embedder.linear_1")),
        QStringLiteral("time_text_embed.timestep_embedder.linear_1"));
    QCOMPARE(blockOfLayer(QStringLiteral("proj_out")), QStringLiteral("proj_out"));
  }
};

QTEST_GUILESS_MAIN(SensitivityScanTest)
#include "sensitivity_scan_test.moc"
