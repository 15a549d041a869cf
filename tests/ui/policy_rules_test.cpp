// Text → table → text: the rules that the screen writes mean the same as the table that they come from, layer by layer.
#include "ui/models/policy_rules.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>

using namespace quantspot::ui;

namespace {

const QStringList kIds{"fp32", "bf16", "fp16", "bnb-int8", "bnb-nf4", "torchao-int4wo"};

// The Linear layers of a FLUX with so many blocks, and a text encoder.
QStringList fluxLayers(int doubles, int singles) {
  QStringList layers{"x_embedder", "context_embedder", "time_text_embed.timestep_embedder.linear_1"};
  for (int i = 0; i < doubles; ++i)
    for (const char* name : {"norm1.linear", "norm1_context.linear", "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0",
                             "attn.add_q_proj", "ff.net.0.proj", "ff.net.2"})
      layers << QStringLiteral("transformer_blocks.%1.").arg(i) + name;
  for (int i = 0; i < singles; ++i)
    for (const char* name : {"norm.linear", "proj_mlp", "proj_out", "attn.to_q", "attn.to_k", "attn.to_v"})
      layers << QStringLiteral("single_transformer_blocks.%1.").arg(i) + name;
  layers << "norm_out.linear" << "proj_out";
  for (int i = 0; i < 3; ++i)
    for (const char* name : {"SelfAttention.q", "SelfAttention.k", "DenseReluDense.wo"})
      layers << QStringLiteral("text_encoder_2.encoder.block.%1.%2").arg(i).arg(name);
  return layers;
}

QStringList all(const QStringList& layers, const QString& base) {
  QStringList precisions;
  for (const QString& layer : layers) precisions << (layer.startsWith("text_encoder") ? QStringLiteral("bf16") : base);
  return precisions;
}

// The text for: base, but these layers so.
QString textFor(const RuleFinder& finder, const QString& base, const QString& precision, const std::function<bool(const QString&)>& chosen) {
  QStringList frame = all(finder.layers(), base), wanted = frame;
  for (qsizetype i = 0; i < wanted.size(); ++i)
    if (chosen(finder.layers()[i])) wanted[i] = precision;
  const PolicyText text = finder.policy({base, {}, {}}, {frame}, wanted);
  if (resolve(text, finder.layers(), {frame}) != wanted) return QStringLiteral("WRONG: ") + text.text();
  return text.text();
}

}  // namespace

class PolicyRulesTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Of a UNet: plain rules of some precisions take convolutions along, others must say so; the decoder is named by its part.
  void convolutionsAreReachedAsInTheEngine() {
    const QString conv = layerKey(QStringLiteral("down_blocks.0.resnets.0.conv1"), true), linear = QStringLiteral("down_blocks.0.attn.to_q");
    const QString decoder = layerKey(QStringLiteral("vae.decoder.conv_in"), true);
    const QStringList layers{conv, linear, decoder}, reaching{QStringLiteral("quanto-int8"), QStringLiteral("bf16")};
    const FrameAnswer frame{{QStringLiteral("bf16"), QStringLiteral("bnb-nf4"), QStringLiteral("bf16")}, QStringLiteral("bf16"), reaching};
    const auto means = [&](const char* text) {
      return resolve(*parsePolicyText(QString::fromLatin1(text), {"bf16", "bnb-nf4", "quanto-int8", "bnb-int8"}), layers, frame).join(u' ');
    };
    QCOMPARE(means("bnb-nf4?down_blocks=quanto-int8"), QStringLiteral("quanto-int8 quanto-int8 bf16"));
    QCOMPARE(means("bnb-nf4?down_blocks=bnb-int8"), QStringLiteral("bf16 bnb-int8 bf16"));
    QCOMPARE(means("bnb-nf4?conv:down_blocks=bnb-int8"), QStringLiteral("bnb-int8 bnb-nf4 bf16"));
    QCOMPARE(means("bnb-nf4?conv:=bnb-int8&vae=bnb-int8"), QStringLiteral("bnb-int8 bnb-nf4 bnb-int8"));
    const RuleFinder finder(layers, reaching);
    const QStringList wanted{QStringLiteral("bnb-int8"), QStringLiteral("bf16"), QStringLiteral("quanto-int8")};
    const PolicyText text = finder.policy({QStringLiteral("bnb-nf4"), {}, {}}, frame, wanted);
    QCOMPARE(resolve(text, layers, frame), wanted);
  }

  // Whatever is asked of layers of both kinds: the text that is found means it.
  void anyTableOfAUnetIsWritten() {
    QStringList layers;
    for (int block = 0; block < 3; ++block)
      for (const char* name : {"resnets.0.conv1", "resnets.0.conv2", "attentions.0.attn.to_q", "attentions.0.ff.net.2", "resnets.0.time_emb_proj"})
        layers << layerKey(QStringLiteral("down_blocks.%1.").arg(block) + QLatin1String(name), QLatin1String(name).contains(QLatin1String("conv")));
    for (const char* name : {"vae.decoder.conv_in", "vae.decoder.mid_block.resnets.0.conv1"}) layers << layerKey(QLatin1String(name), true);
    layers << QStringLiteral("vae.decoder.mid_block.attentions.0.to_q");
    const QStringList ids{"bf16", "quanto-int8", "bnb-nf4", "bnb-int8"}, reaching{"bf16", "quanto-int8"};
    const RuleFinder finder(layers, reaching);
    QRandomGenerator random(5);
    for (int round = 0; round < 200; ++round) {
      FrameAnswer frame{{}, QStringLiteral("bf16"), reaching};
      QStringList wanted;
      const QString base = ids[1 + round % 3];
      for (const QString& layer : layers) {
        const bool plain = layer.contains(QLatin1String("vae.")) || (layer.startsWith(QLatin1String("conv:")) && !reaching.contains(base));
        frame.precisions << (plain ? QStringLiteral("bf16") : base);
        wanted << (random.bounded(3) ? frame.precisions.last() : ids[random.bounded(4)]);
      }
      const PolicyText text = finder.policy({base, {}, {}}, frame, wanted);
      QVERIFY2(resolve(text, layers, frame) == wanted, qPrintable(text.text()));
    }
  }

  // The same rows as in tests/quant/policy_test.cpp, of the engine's side.
  void patternsMatchAsInTheEngine_data() {
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<QString>("layer");
    QTest::addColumn<bool>("matches");
    QTest::newRow("piece") << "norm" << "transformer_blocks.0.norm1.linear" << true;
    QTest::newRow("absent") << "norm" << "proj_out" << false;
    QTest::newRow("whole number") << "blocks.1" << "transformer_blocks.1.attn" << true;
    QTest::newRow("cut number") << "blocks.1" << "transformer_blocks.10.attn" << false;
    QTest::newRow("cut number, then whole") << "b.1" << "b.10.b.1.c" << true;
    QTest::newRow("start") << "^transformer_blocks" << "single_transformer_blocks.0" << false;
    QTest::newRow("both ends") << "^proj_out$" << "proj_out" << true;
    QTest::newRow("both ends, longer name") << "^proj_out$" << "single_transformer_blocks.0.proj_out" << false;
    QTest::newRow("dot is a dot") << "a.b" << "axb" << false;
    QTest::newRow("empty name") << "a" << "" << false;
    QTest::newRow("encoder") << "text_encoder_2.encoder" << "text_encoder_2.encoder.block.0.q" << true;
    QTest::newRow("encoder by its start") << "^text_encoder" << "text_encoder.layers.0" << true;
    QTest::newRow("no encoder") << "layer" << "text_encoder.layers.0" << false;
    QTest::newRow("not of the transformer") << "text_encoder" << "transformer.text_encoder" << false;
  }
  void patternsMatchAsInTheEngine() {
    QFETCH(QString, pattern);
    QFETCH(QString, layer);
    QTEST(matchesLayer(pattern, layer), "matches");
  }

  void textComesBack_data() {
    QTest::addColumn<QString>("text");
    for (const char* text :
         {"bf16", "bf16?skip=a", "bf16?skip=a,b&c=fp32", "fp32?x=bf16&y=bf16", "torchao-int4wo?group=64", "bf16?attn=torchao-int4wo?group=64",
          "torchao-int4wo?group=32&skip=a&b=bf16", "bnb-nf4?text_encoder=bnb-nf4&text_encoder_2.encoder.block.0=bf16"})
      QTest::newRow(text) << text;
  }
  void textComesBack() {
    QFETCH(QString, text);
    const auto policy = parsePolicyText(text, kIds);
    QVERIFY(policy);
    QCOMPARE(policy->text(), text);
  }

  void mistakesAreNamed_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("unknown id") << "nf5" << "“nf5” is no precision of this engine";
    QTest::newRow("no value") << "bf16?attn" << "“attn” is neither skip";
    QTest::newRow("nothing after ?") << "bf16?" << "“” is neither";
    QTest::newRow("empty pattern") << "bf16?skip=a,,b" << "a pattern of skip= is empty";
    QTest::newRow("empty key") << "bf16?=fp32" << "“=fp32” is neither";
  }
  void mistakesAreNamed() {
    QFETCH(QString, text);
    QFETCH(QString, says);
    QString problem;
    QVERIFY(!parsePolicyText(text, kIds, &problem));
    QVERIFY2(problem.contains(says), qPrintable(problem));
  }

  void rulesWinOverSkipsAndTheLastOverAll() {
    const QStringList layers{"x.attn.to_k", "x.attn.to_q", "x.ff", "text_encoder.a.b"};
    const QStringList frame{"bnb-nf4", "bnb-nf4", "bnb-nf4", "bf16"};
    const auto text = *parsePolicyText("bnb-nf4?skip=x&attn=fp32&attn.to_q=bnb-int8", kIds);
    QCOMPARE(resolve(text, layers, {frame}), (QStringList{"fp32", "bnb-int8", "bf16", "bf16"}));
    // What names whole encoders is in the frame already, and comes last there, too.
    const auto encoders = *parsePolicyText("bnb-nf4?text_encoder.a=fp32&text_encoder=bnb-int8", kIds);
    QCOMPARE(resolve(encoders, layers, {{"bnb-nf4", "bnb-nf4", "bnb-nf4", "bnb-int8"}}).constLast(), QStringLiteral("bnb-int8"));
    QCOMPARE(encoders.frame().text(), QStringLiteral("bnb-nf4?text_encoder=bnb-int8"));
    // What the reference leaves out of an encoder stays out.
    QCOMPARE(resolve(*parsePolicyText("bnb-nf4?text_encoder=bnb-nf4", kIds), {"text_encoder_2.block.0.wo"}, {{"bf16"}}), QStringList{"bf16"});
  }

  void theShortestSensibleRuleIsFound() {
    const RuleFinder finder(fluxLayers(19, 38));
    const auto nf4 = [&](const QString& precision, auto chosen) { return textFor(finder, QStringLiteral("bnb-nf4"), precision, chosen); };
    const QString bf16 = QStringLiteral("bf16"), int8 = QStringLiteral("bnb-int8");
    const auto in = [](const char* piece) { return [piece = QString::fromLatin1(piece)](const QString& layer) { return matchesLayer(piece, layer); }; };
    QCOMPARE(nf4(int8, [](const QString&) { return false; }), QStringLiteral("bnb-nf4"));
    QCOMPARE(nf4(bf16, in("attn")), QStringLiteral("bnb-nf4?skip=attn"));
    QCOMPARE(nf4(int8, in("attn")), QStringLiteral("bnb-nf4?attn=bnb-int8"));
    QCOMPARE(nf4(bf16, in("norm")), QStringLiteral("bnb-nf4?skip=norm"));                                   // norm1, norm1_context, norm, norm_out
    QCOMPARE(nf4(int8, in("single_transformer_blocks.3")), QStringLiteral("bnb-nf4?single_transformer_blocks.3=bnb-int8"));
    // Not the single one.
    QCOMPARE(nf4(int8, in("^transformer_blocks.3")), QStringLiteral("bnb-nf4?^transformer_blocks.3=bnb-int8"));
    QCOMPARE(nf4(bf16, in("^proj_out$")), QStringLiteral("bnb-nf4?skip=^proj_out"));                        // not those of the blocks
    QCOMPARE(nf4(bf16, in("x_embedder")), QStringLiteral("bnb-nf4?skip=x_embedder"));
    QCOMPARE(nf4(int8, in("text_encoder_2.encoder.block.1")), QStringLiteral("bnb-nf4?text_encoder_2.encoder.block.1=bnb-int8"));
  }

  void aRuleThatLaterOnesMadeNeedlessIsLeftOut() {
    const RuleFinder finder({"a.m.s", "a.m.t", "a.n.u", "b.m.s", "b.m.t", "b.n.u", "c.n.u", "d.n.u", "e.n.u"});
    const auto chosen = [](const QString& layer) { return layer[0] == u'a' || layer[0] == u'b'; };
    QCOMPARE(textFor(finder, "bnb-nf4", "bf16", chosen), QStringLiteral("bnb-nf4?skip=a,b"));   // "m" brought the most at first
  }

  void skippedIsWhatTheBaseComputesIn() {
    const RuleFinder finder({"a.x", "b.x"});
    const FrameAnswer held{{"int8-dynamic", "int8-dynamic"}, "fp32"};
    QCOMPARE(finder.policy({"int8-dynamic", {}, {}}, held, {"fp32", "int8-dynamic"}).text(), QStringLiteral("int8-dynamic?skip=a"));
    QCOMPARE(finder.policy({"int8-dynamic", {}, {}}, held, {"bf16", "int8-dynamic"}).text(), QStringLiteral("int8-dynamic?a=bf16"));
  }

  void allButOneLayerOfABlockIsTheBlockAndAnException() {
    const RuleFinder finder(fluxLayers(19, 38));
    const QString text = textFor(finder, QStringLiteral("bnb-nf4"), QStringLiteral("bf16"), [](const QString& layer) {
      return matchesLayer(QStringLiteral("single_transformer_blocks.7"), layer) && !layer.endsWith(QStringLiteral("proj_mlp"));
    });
    QCOMPARE(text, QStringLiteral("bnb-nf4?skip=single_transformer_blocks.7&proj_mlp=bnb-nf4"));
  }

  void anyTableComesBackFromItsText() {
    const RuleFinder finder(fluxLayers(4, 6));
    const QStringList layers = finder.layers();
    QRandomGenerator random(5);
    const QStringList choices{"bf16", "bnb-nf4", "bnb-int8", "fp32"};
    for (int round = 0; round < 60; ++round) {
      const QString base = choices[random.bounded(3)];
      const QStringList frame = all(layers, base);
      QStringList wanted = frame;
      for (int edit = 0; edit < 1 + round / 6; ++edit) {   // whole pieces of names, and from the middle on single layers, too
        const QString piece = layers[random.bounded(layers.size())].section('.', 0, random.bounded(4));
        const QString precision = choices[random.bounded(choices.size())];
        for (qsizetype i = 0; i < layers.size(); ++i)
          if (round > 30 ? random.bounded(layers.size()) == 0 : layers[i].startsWith(piece)) wanted[i] = precision;
      }
      const PolicyText written = finder.policy({base, {}, {}}, {frame}, wanted);
      const auto read = parsePolicyText(written.text(), kIds);
      QVERIFY2(read, qPrintable(written.text()));
      QCOMPARE(*read, written);
      QCOMPARE(resolve(*read, layers, {frame}), wanted);
      QCOMPARE(finder.policy({base, {}, {}}, {frame}, resolve(*read, layers, {frame})).text(), written.text());   // and stays
    }
  }

  void aLargeModelIsNoWait() {
    QElapsedTimer time;
    time.start();
    const RuleFinder finder(fluxLayers(19, 38));
    const qint64 built = time.restart();
    const auto some = [](const QString& layer) { return layer.contains(QStringLiteral("blocks.1")); };
    const QString text = textFor(finder, QStringLiteral("bnb-nf4"), QStringLiteral("bf16"), some);
    qInfo("%d layers: patterns in %d ms, rules in %d ms", int(finder.layers().size()), int(built), int(time.elapsed()));
    QVERIFY(!text.startsWith(QStringLiteral("WRONG")));
  }
};

QTEST_GUILESS_MAIN(PolicyRulesTest)
#include "policy_rules_test.moc"
