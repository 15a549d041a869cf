// Policies of the screen on the real engine and the embedded default model: what the table asks is what the engine holds.
#include "ui/models/policy_draft.h"
#include "ui/models/policy_library.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

constexpr int kPatience = 60000;   // the machine may be shared

}  // namespace

class PolicyEngineTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    connect(&engine_, &EngineClient::initialized, &draft_, [this](const auto& engine) { draft_.setPrecisions(engine.precisions); });
    engine_.start();
    draft_.setText(QStringLiteral("bnb-nf4"));
    draft_.setModel(QStringLiteral("default"));
    QVERIFY(settled());
    QVERIFY(quantizable() > 40);
    draft_.setText(QStringLiteral("bnb-nf4?^proj_out=fp32"));
    mixes_ = settled();
    if (!mixes_) qInfo("not mixed with other types by this engine: %s", qPrintable(draft_.problem()));
  }

  void shippedPoliciesMeanWhatTheySay_data() {
    QTest::addColumn<QString>("name");
    for (const NamedPolicy& policy : PolicyLibrary({}).policies(QStringLiteral("flux"))) QTest::newRow(qPrintable(policy.name)) << policy.name;
  }
  void shippedPoliciesMeanWhatTheySay() {
    QFETCH(QString, name);
    const PolicyLibrary library({});
    for (const NamedPolicy& policy : library.policies())
      if (policy.name == name) draft_.setText(policyFor(policy, draft_.allLayers()));
    QVERIFY(!draft_.text().contains(u'{'));
    if (const bool answered = settled(); !answered && !mixes_) QSKIP(qPrintable(draft_.problem()));
    QVERIFY2(draft_.isReady(), qPrintable(draft_.problem()));
    compareWithEngine();
    QVERIFY(draft_.summary().after < draft_.summary().before);
    QVERIFY(draft_.summary().quantized > 0.3);
  }

  // Also of a UNet, whose convolutions some rules reach by themselves and others only by their name, and of the decoder.
  void anyEditOfTheTableIsWhatTheEngineHolds_data() {
    QTest::addColumn<QString>("model");
    QTest::newRow("FLUX") << "default";
    QTest::newRow("Stable Diffusion") << QUANTSPOT_SOURCE_DIR "/tests/parity/golden/sd_a/pipeline";
  }
  void anyEditOfTheTableIsWhatTheEngineHolds() {
    QFETCH(QString, model);
    draft_.setModel(model);
    QRandomGenerator random(11);
    QStringList choices{"bf16", "bnb-int8", "bnb-nf4", "fp8-layerwise", "torchao-int4wo", "quanto-int8", "gguf-q4_k", QString()};
    QStringList starts{"fp8-layerwise?skip=ff", "bnb-nf4?skip=attn", "bnb-nf4?text_encoder=bnb-int8"};
    if (mixes_) choices << QStringLiteral("fp32"), starts[1] = QStringLiteral("int8-dynamic?skip=norm");
    qint64 longest = 0;
    for (int round = 0; round < 15; ++round) {
      if (round % 5 == 0) draft_.setText(starts[round / 5]);
      QVERIFY2(settled(), qPrintable(draft_.problem()));
      QList<int> rows;
      const int first = random.bounded(draft_.layers()->rowCount()), many = 1 + random.bounded(12);
      for (int row = first; row < first + many && row < draft_.layers()->rowCount(); ++row)
        if (draft_.layers()->layers()[static_cast<std::size_t>(row)].quantizable) rows << row;
      const QString precision = choices[random.bounded(choices.size())];
      draft_.setPrecision(rows, precision);
      QElapsedTimer time;
      time.start();
      QVERIFY2(settled(), qPrintable(draft_.text() + u' ' + draft_.problem()));
      longest = std::max(longest, time.elapsed());
      compareWithEngine();
    }
    qInfo("from an edit to the engine's bytes: %lld ms at most", static_cast<long long>(longest));
    draft_.setModel(QStringLiteral("default"));
  }

  void theEngineNamesWhatItDoesNotKnow() {
    draft_.setText(QStringLiteral("bnb-nf4?blocksize=7"));
    QVERIFY(QTest::qWaitFor([&] { return !draft_.problem().isEmpty(); }, kPatience));
    QVERIFY2(draft_.problem().contains(QStringLiteral("7")) && !draft_.problem().contains(u'\n'), qPrintable(draft_.problem()));
  }

 private:
  bool settled() {
    const auto answered = [this] { return draft_.isReady() || !draft_.problem().isEmpty(); };
    return QTest::qWaitFor(answered, kPatience) && draft_.isReady();
  }
  int quantizable() {
    int count = 0;
    for (const PolicyLayer& layer : draft_.layers()->layers()) count += layer.quantizable;
    return count;
  }
  void compareWithEngine() {
    for (int row = 0; row < draft_.layers()->rowCount(); ++row) {
      const PolicyLayer& layer = draft_.layers()->layers()[static_cast<std::size_t>(row)];
      const QString instead = draft_.layers()->instead(row, layer.asked);   // of formats that cannot hold its shape
      const QString line = QStringList{draft_.text(), layer.name, layer.asked, instead, layer.held}.join(u' ');
      if (layer.quantizable) QVERIFY2(layer.held == (instead.isEmpty() ? layer.asked : instead), qPrintable(line));
    }
  }

  EngineClient engine_{EngineCommand{QStringLiteral(REAL_ENGINE), {}}};
  PolicyDraft draft_{&engine_};
  bool mixes_ = false;   // layers that compute in different types
};

QTEST_GUILESS_MAIN(PolicyEngineTest)
#include "policy_engine_test.moc"
