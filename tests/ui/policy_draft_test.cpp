// A policy that is edited: text and table follow each other, and bytes are those of the engine.
#include "tests/ui/fake_engine.h"
#include "ui/models/policy_draft.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

const std::vector<protocol::PrecisionInfo> kPrecisions = {
    {"fp32", "FP32", "bf16", 32},     {"bf16", "BF16", "bf16", 16},   {"fp8-layerwise", "FP8", "fp8", 8},
    {"bnb-int8", "INT8", "8-bit", 8}, {"bnb-nf4", "NF4", "4-bit", 4.5}, {"gguf-q4_k", "GGUF Q4_K", "gguf", 4.5}};

struct Bench {
  explicit Bench(const QString& text, QStringList flags = {}) : engine(fakeEngine(std::move(flags))), draft(&engine) {
    draft.setPrecisions(kPrecisions);
    draft.setText(text);
    draft.setModel(QStringLiteral("default"));
  }
  bool settled() { return QTest::qWaitFor([this] { return draft.isReady(); }); }
  int row(const QString& name) {
    const auto& layers = draft.layers()->layers();
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i].name == name) return static_cast<int>(i);
    return -1;
  }
  QList<int> rows(const QString& pattern) {
    QList<int> found;
    for (const QString& name : draft.allLayers())
      if (matchesLayer(pattern, name)) found << row(name);
    return found;
  }
  const PolicyLayer& layer(const QString& name) { return draft.layers()->layers().at(static_cast<std::size_t>(row(name))); }
  QString shown(const QString& name, PolicyLayersModel::Column column) { return draft.layers()->index(row(name), column).data().toString(); }

  EngineClient engine;
  PolicyDraft draft;
};

const QString kQ = QStringLiteral("transformer_blocks.0.attn.to_q"), kProj = QStringLiteral("proj_out"), kX = QStringLiteral("x_embedder");

}  // namespace

class PolicyDraftTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void theDecodersConvolutionsArePicked() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    const QString decoder = QStringLiteral("vae.decoder.layers.0");
    QVERIFY(bench.layer(decoder).quantizable && bench.layer(decoder).isConvolution());
    QCOMPARE(bench.layer(decoder).held, QStringLiteral("bf16"));       // no base reaches it
    bench.draft.setPrecision({bench.row(decoder)}, QStringLiteral("bnb-int8"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?vae.decoder=bnb-int8"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(decoder).held, QStringLiteral("bnb-int8"));
    QVERIFY2(bench.draft.sentence().contains(QStringLiteral("decoder: INT8 for all 1 layers")), qPrintable(bench.draft.sentence()));
  }

  // It is no layer's rule: it stays when the table is edited, and is not looked for among the layers.
  void aSoftmaxStays() {
    Bench bench(QStringLiteral("bnb-nf4?softmax=fp32"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.draft.unmatched(), QStringList());
    QVERIFY2(bench.draft.sentence().endsWith(QStringLiteral("; softmax in FP32")), qPrintable(bench.draft.sentence()));
    bench.draft.setPrecision({bench.row(kProj)}, QStringLiteral("bf16"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=^proj_out&softmax=fp32"));
    bench.draft.setSoftmax(QStringLiteral("bf16"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=^proj_out&softmax=bf16"));
    QCOMPARE(bench.draft.softmax(), QStringLiteral("bf16"));
    bench.draft.setSoftmax({});
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=^proj_out"));
  }

  void whatCannotHoldALayerIsKnownBeforeItIsChosen() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    QTRY_COMPARE(bench.draft.layers()->instead(bench.row(kX), QStringLiteral("gguf-q4_k")), QStringLiteral("gguf-q5_0"));   // 64 wide
    QCOMPARE(bench.draft.layers()->instead(bench.row(kProj), QStringLiteral("gguf-q4_k")), QString());
    QCOMPARE(bench.draft.layers()->instead(bench.row(kX), QStringLiteral("bnb-nf4")), QString());
  }

  void aTextFillsTheTable() {
    Bench bench(QStringLiteral("bnb-nf4?skip=^proj_out&attn=bnb-int8"));
    QAbstractItemModelTester tester(bench.draft.layers(), QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kQ).asked, QStringLiteral("bnb-int8"));
    QCOMPARE(bench.layer(kProj).held, QStringLiteral("bf16"));
    QCOMPARE(bench.layer(kX).after, 256 * 64 / 2);
    QCOMPARE(bench.layer(kX).before, 256 * 64 * 2);
    QCOMPARE(bench.shown(kX, PolicyLayersModel::Shape), QStringLiteral("256 × 64"));
    QCOMPARE(bench.shown(kX, PolicyLayersModel::Before), QStringLiteral("33\u2009kB"));
    QCOMPARE(bench.shown(kX, PolicyLayersModel::After), QStringLiteral("8.2\u2009kB"));
    QCOMPARE(bench.shown(kQ, PolicyLayersModel::Precision), QStringLiteral("INT8"));
    QCOMPARE(bench.draft.layers()->index(bench.row(kX), 0).data(PolicyLayersModel::ChangedRole), QVariant(false));
    QCOMPARE(bench.draft.layers()->index(bench.row(kQ), 0).data(PolicyLayersModel::ChangedRole), QVariant(true));
    const QModelIndex norm = bench.draft.layers()->index(bench.row(QStringLiteral("transformer_blocks.0.attn.norm_q")), PolicyLayersModel::Precision);
    QVERIFY(!(norm.flags() & Qt::ItemIsEditable));                     // nothing packs it
    QVERIFY(bench.draft.layers()->index(bench.row(kQ), PolicyLayersModel::Precision).flags() & Qt::ItemIsEditable);
  }

  void totalsAreThoseOfTheEngine() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    qint64 before = 0, after = 0, packed = 0, all = 0;
    for (const PolicyLayer& layer : bench.draft.layers()->layers()) {
      before += layer.before, after += layer.after, all += layer.parameters();
      if (layer.part == QLatin1String("transformer") && layer.shape.size() == 2) packed += layer.parameters();
    }
    const PolicySummary summary = bench.draft.summary();
    QCOMPARE(summary.before, before);
    QCOMPARE(summary.after, after);
    QCOMPARE(summary.quantized, double(packed) / double(all));
    const QStringList lines = quantizedText(summary).split('\n');
    QCOMPARE(lines.value(0), QStringLiteral("%1\u2009% of parameters quantized").arg(100.0 * double(packed) / double(all), 0, 'f', 1));
    QCOMPARE(lines.value(1), QStringLiteral("%1\u2009% of the bytes").arg(100.0 * double(after) / double(before), 0, 'f', 0));
  }

  void anEditOfTheTableWritesTheText() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    bench.draft.setPrecision({bench.row(kProj)}, QStringLiteral("fp32"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?^proj_out=fp32"));
    QCOMPARE(bench.layer(kProj).asked, QStringLiteral("fp32"));       // at once; bytes when the engine has answered
    QCOMPARE(bench.layer(kProj).after, -1);
    QCOMPARE(bench.draft.summary().after, -1);
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kProj).after, 64 * 256 * 4);
    bench.draft.setPrecision(bench.rows(QStringLiteral("attn")), QStringLiteral("bf16"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=attn&^proj_out=fp32"));
    bench.draft.setPrecision({bench.row(kQ)}, {});                     // as the base has it
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kQ).held, QStringLiteral("bnb-nf4"));
    for (int i = 0; i < 3; ++i) bench.draft.undo();
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kProj).held, QStringLiteral("bnb-nf4"));
  }

  void whatTheTableAsksIsWhatTheEngineHolds_data() {
    QTest::addColumn<QString>("text");
    for (const char* text :
         {"bf16", "bnb-nf4", "fp8-layerwise", "fp8-layerwise?norm1=fp8-layerwise", "bnb-nf4?text_encoder=bnb-int8",
          "bnb-nf4?skip=attn,^proj_out&transformer_blocks.1=bnb-int8&attn.to_q=fp32", "bf16?text_encoder.encoder=fp32&text_encoder=bnb-nf4",
          "bnb-nf4?text_encoder_2=bnb-nf4&text_encoder.encoder.layers.0.mlp=fp32", "bnb-nf4?skip=text_encoder.encoder&single=bnb-int8"})
      QTest::newRow(text) << text;
  }
  void whatTheTableAsksIsWhatTheEngineHolds() {
    QFETCH(QString, text);
    Bench bench(text);
    QVERIFY(bench.settled());
    QCOMPARE(bench.draft.problem(), QString());
    for (const PolicyLayer& layer : bench.draft.layers()->layers())
      if (layer.quantizable) QVERIFY2(layer.asked == layer.held, qPrintable(layer.name + u' ' + layer.asked + u' ' + layer.held));
  }

  void aLayerThatCannotBeHeldSaysWhatItIs() {
    Bench bench(QStringLiteral("bnb-nf4?x_embedder=gguf-q4_k"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kX).asked, QStringLiteral("gguf-q4_k"));
    QCOMPARE(bench.layer(kX).held, QStringLiteral("gguf-q5_0"));
    const QString tip = bench.draft.layers()->index(bench.row(kX), 0).data(Qt::ToolTipRole).toString();
    QVERIFY2(tip.contains(QStringLiteral("gguf-q4_k cannot hold this shape, so it is gguf-q5_0")), qPrintable(tip));
    bench.draft.setPrecision({bench.row(kProj)}, QStringLiteral("bf16"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=^proj_out&x_embedder=gguf-q4_k"));   // asked for, still
  }

  void baseAndEncodersAreSwitches() {
    Bench bench(QStringLiteral("bnb-nf4?skip=attn"));
    QVERIFY(bench.settled());
    bench.draft.setEncoders(QStringLiteral("bnb-int8"));
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-nf4?skip=attn&text_encoder=bnb-int8"));
    QCOMPARE(bench.draft.encoders(), QStringLiteral("bnb-int8"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(QStringLiteral("text_encoder_2.encoder.block.0.layer.0.SelfAttention.q")).held, QStringLiteral("bnb-int8"));
    bench.draft.setPrecision({bench.row(kProj)}, QStringLiteral("bf16"));
    QCOMPARE(bench.draft.encoders(), QStringLiteral("bnb-int8"));    // an edit keeps the switch
    bench.draft.setBase(QStringLiteral("bnb-int8"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kX).held, QStringLiteral("bnb-int8"));
    bench.draft.setEncoders({});
    QCOMPARE(bench.draft.text(), QStringLiteral("bnb-int8?skip=attn,^proj_out"));
  }

  void theSentenceIsForStrangers() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    const auto starts = [&](const QString& text) { return bench.draft.sentence().startsWith(text) ? QString() : bench.draft.sentence(); };
    QCOMPARE(starts(QStringLiteral("NF4 for all 21 layers; ")), QString());
    const PolicySummary summary = bench.draft.summary();
    QVERIFY(bench.draft.sentence().endsWith(policySizeText(summary.after) + QStringLiteral(" instead of ") + policySizeText(summary.before)));
    bench.draft.setText(QStringLiteral("bnb-nf4?skip=^proj_out"));
    QVERIFY(bench.settled());
    QCOMPARE(starts(QStringLiteral("NF4 for 20 of 21 layers; proj_out stays BF16; ")), QString());
    bench.draft.setText(QStringLiteral("bnb-nf4?skip=norm,^proj_out&x_embedder=bnb-int8&text_encoder=bnb-nf4"));
    QVERIFY(bench.settled());
    QCOMPARE(starts(QStringLiteral("NF4 for 13 of 21 layers; x_embedder is INT8; norm and proj_out (7 layers) stay BF16; "
                                   "text encoders: NF4 for all 3 layers; ")), QString());
    bench.draft.setText(QStringLiteral("bnb-nf4?skip=norm,^proj_out&single_transformer_blocks.2=bnb-int8"));
    QVERIFY(bench.settled());   // the block's own norm was told of already
    QCOMPARE(starts(QStringLiteral("NF4 for 12 of 21 layers; single_transformer_blocks.2 (3 layers) are INT8; "
                                   "norm and proj_out (6 layers) stay BF16; ")), QString());
    bench.draft.setText(QStringLiteral("bnb-nf4?text_encoder=bnb-nf4&text_encoder.encoder.layers.0.mlp=bf16"));
    QVERIFY(bench.settled());
    const QString said = bench.draft.sentence();
    QVERIFY2(said.contains(QStringLiteral("text encoders: NF4 for 2 of 3 layers; fc1 stays BF16; ")), qPrintable(said));
    bench.draft.setText(QStringLiteral("bf16"));
    QVERIFY(bench.settled());
    QCOMPARE(starts(QStringLiteral("BF16 for all 21 layers; ")), QString());
  }

  void mistakesAreSaidInOneLine() {
    Bench bench(QStringLiteral("bnb-nf4?attn=nf5"));
    QTRY_VERIFY(bench.draft.problem().contains(QStringLiteral("unknown precision \"")));   // of the engine: it knows options
    QVERIFY(!bench.draft.isReady());
    bench.draft.setText(QStringLiteral("nf5"));
    QVERIFY(bench.draft.problem().contains(QStringLiteral("“nf5” is no precision")));
    bench.draft.setPrecision({3}, QStringLiteral("bf16"));            // nothing to change
    QCOMPARE(bench.draft.text(), QStringLiteral("nf5"));
    bench.draft.setText(QStringLiteral("bnb-nf4?skip=ff,no_such&also_none=bf16"));
    QCOMPARE(bench.draft.problem(), QString());
    QVERIFY(bench.settled());
    QCOMPARE(bench.draft.unmatched(), (QStringList{"no_such", "also_none"}));
  }

  void typingAsksOnlyForWhatIsLeftStanding() {
    Bench bench(QStringLiteral("bnb-nf4"));
    QVERIFY(bench.settled());
    QSignalSpy changed(&bench.draft, &PolicyDraft::changed);
    for (const char* text : {"bnb-nf4?skip=a", "bnb-nf4?skip=at", "bnb-nf4?skip=att", "bnb-nf4?skip=attn"})
      bench.draft.setText(QString::fromLatin1(text));
    QVERIFY(bench.settled());
    QCOMPARE(changed.count(), 5);                                     // one for each text, one answer
  }

  void anotherModelStartsAgain() {
    Bench bench(QStringLiteral("bnb-nf4?skip=attn"));
    QVERIFY(bench.settled());
    bench.draft.setModel(QStringLiteral("another"));
    QVERIFY(!bench.draft.isReady());
    QCOMPARE(bench.draft.layers()->rowCount(), 0);
    QCOMPARE(bench.draft.sentence(), QString());
    QVERIFY(bench.settled());
    QCOMPARE(bench.layer(kQ).held, QStringLiteral("bf16"));
  }
};

QTEST_GUILESS_MAIN(PolicyDraftTest)
#include "policy_draft_test.moc"
