#include "quant/policy.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using quantspot::quant::test::thrown;

class PolicyTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aSoftmaxIsNoLayersRule() {
    const Policy policy = parsePolicy("bnb-nf4?softmax=fp16&attn=bf16&softmax=fp32");
    QCOMPARE(policy.softmax(), std::string("fp32"));
    QCOMPARE(policy.precisionOf("blocks.0.attn.to_q"), std::string("bf16"));
    QCOMPARE(parsePolicy("bnb-nf4?skip=a").softmax(), std::string());
    QCOMPARE(policy.text(), std::string("bnb-nf4?softmax=fp16&attn=bf16&softmax=fp32"));
    QVERIFY_THROWS_EXCEPTION(std::invalid_argument, parsePolicy("fp32?softmax=bnb-nf4"));
  }

  void plainIdGovernsEveryLayer() {
    const Policy policy = parsePolicy("bf16");
    QCOMPARE(policy.precision, std::string("bf16"));
    QCOMPARE(policy.precisionOf("transformer_blocks.0.attn.to_q"), std::string("bf16"));
  }

  void skippedLayersStayInTheComputeType() {
    QCOMPARE(parsePolicy("bf16?skip=proj_out&blocks.0=fp32").precisionOf("proj_out"), std::string("bf16"));
  }

  void laterRuleWinsAndBeatsSkip() {
    const Policy policy = parsePolicy("bf16?skip=attn&attn=fp32&attn.to_q=bf16");
    QCOMPARE(policy.precisionOf("x.attn.to_k"), std::string("fp32"));
    QCOMPARE(policy.precisionOf("x.attn.to_q"), std::string("bf16"));
  }

  void textEncodersNeedARuleOfTheirOwn() {
    const std::string q = "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q", wo = "text_encoder_2.encoder.block.0.layer.1.DenseReluDense.wo";
    const std::string clip = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj";
    QCOMPARE(parsePolicy("bnb-nf4?layer=bnb-int8").precisionOf(q), std::string("bf16"));
    const Policy both = parsePolicy("bnb-nf4?text_encoder=bnb-int8");
    QCOMPARE(both.precisionOf(q), std::string("bnb-int8"));
    QCOMPARE(both.precisionOf(clip), std::string("bnb-int8"));
    QCOMPARE(both.precisionOf("transformer_blocks.0.attn.to_q"), std::string("bnb-nf4"));
    QCOMPARE(both.precisionOf(wo), std::string("bf16"));   // transformers leaves it out
    QCOMPARE(parsePolicy("bnb-nf4?text_encoder_2=bnb-nf4").precisionOf(clip), std::string("bf16"));
    QCOMPARE(parsePolicy("bf16?text_encoder=bnb-nf4&text_encoder_2.encoder.block.0.layer.1.DenseReluDense.wo=bnb-nf4").precisionOf(wo), std::string("bnb-nf4"));
    QCOMPARE(parsePolicy("bf16?skip=text_encoder_2.encoder.block.0&text_encoder=bnb-nf4").precisionOf(q), std::string("bf16"));
    QCOMPARE(parsePolicy("bnb-nf4?skip=text_encoder").precisionOf("transformer_blocks.0.attn.to_q"), std::string("bnb-nf4"));
  }

  void whatIsSaidOfTextEncodersIsOneLine() {
    QCOMPARE(parsePolicy("bnb-nf4?attn=bf16").textEncoderRules(), std::string());
    QCOMPARE(parsePolicy("bnb-nf4?skip=a,text_encoder_2.x&attn=bf16&text_encoder=fp32").textEncoderRules(), std::string("skip=text_encoder_2.x&text_encoder=fp32&"));
  }

  void patternsMatch_data() {
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
  }
  void patternsMatch() {
    QFETCH(QString, pattern);
    QFETCH(QString, layer);
    QTEST(matchesLayer(pattern.toStdString(), layer.toStdString()), "matches");
  }

  void textComesBack_data() {
    QTest::addColumn<QString>("text");
    for (const char* text : {"bf16", "bf16?skip=a", "bf16?skip=a,b&c=fp32", "fp32?x=bf16&y=bf16", "torchao-int4wo?group=64",
                             "torchao-int4wo?group=32&skip=a&b=bf16", "bf16?attn=torchao-int4wo?group=64",
                             "bnb-int8?threshold=2.5", "bnb-fp4-dq?blocksize=4096&skip=a"}) QTest::newRow(text) << text;
  }
  void textComesBack() {
    QFETCH(QString, text);
    QCOMPARE(QString::fromStdString(parsePolicy(text.toStdString()).text()), text);
  }

  void convolutionsFollowWhatTheReferenceDoes_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("layer");
    QTest::addColumn<QString>("linear");
    QTest::addColumn<QString>("convolution");
    QTest::newRow("bitsandbytes leaves them") << "bnb-nf4" << "down_blocks.0.conv1" << "bnb-nf4" << "bf16";
    QTest::newRow("quanto takes them") << "quanto-int8" << "down_blocks.0.conv1" << "quanto-int8" << "quanto-int8";
    QTest::newRow("layerwise casting takes them") << "fp8-layerwise" << "down_blocks.0.conv1" << "fp8-layerwise" << "fp8-layerwise";
    QTest::newRow("skips hold for them") << "quanto-int8?skip=conv1" << "down_blocks.0.conv1" << "bf16" << "bf16";
    QTest::newRow("default skips hold for them") << "fp8-layerwise" << "conv_norm_out" << "bf16" << "bf16";
    QTest::newRow("rule that reaches them") << "bnb-nf4?down=quanto-int8" << "down_blocks.0.conv1" << "quanto-int8" << "quanto-int8";
    QTest::newRow("rule that does not") << "quanto-int8?down=bnb-nf4" << "down_blocks.0.conv1" << "bnb-nf4" << "quanto-int8";
    QTest::newRow("rule for them alone") << "bf16?conv:down_blocks=gguf-q8_0" << "down_blocks.0.conv1" << "bf16" << "gguf-q8_0";
    QTest::newRow("all of them") << "bnb-nf4?conv:=quanto-int4" << "mid.conv" << "bnb-nf4" << "quanto-int4";
    QTest::newRow("anchored") << "bnb-nf4?conv:^mid=quanto-int4" << "down.mid" << "bnb-nf4" << "bf16";
    QTest::newRow("the last rule wins") << "bnb-nf4?conv:=quanto-int4&mid=fp32" << "mid.conv" << "fp32" << "fp32";
    QTest::newRow("a decoder asks for itself") << "quanto-int8" << "vae.decoder.conv_in" << "bf16" << "bf16";
    QTest::newRow("decoder") << "bf16?vae.decoder=bnb-nf4" << "vae.decoder.conv_in" << "bnb-nf4" << "bnb-nf4";
    QTest::newRow("decoder's convolutions") << "bf16?conv:vae=quanto-int8" << "vae.decoder.conv_in" << "bf16" << "quanto-int8";
    QTest::newRow("not the decoder") << "bf16?decoder=quanto-int8" << "vae.decoder.conv_in" << "bf16" << "bf16";
    QTest::newRow("text encoders are not the decoder") << "bf16?text_encoder=quanto-int8" << "vae.decoder.conv_in" << "bf16" << "bf16";
  }
  void convolutionsFollowWhatTheReferenceDoes() {
    QFETCH(QString, text);
    QFETCH(QString, layer);
    QFETCH(QString, linear);
    QFETCH(QString, convolution);
    const Policy policy = parsePolicy(text.toStdString());
    QCOMPARE(QString::fromStdString(policy.precisionOf(layer.toStdString())), linear);
    QCOMPARE(QString::fromStdString(policy.precisionOf(layer.toStdString(), LayerKind::Convolution)), convolution);
    QCOMPARE(QString::fromStdString(parsePolicy(policy.text()).text()), text);
  }

  void optionsGoWithThePrecision() {
    const Policy policy = parsePolicy("torchao-int4wo?group=64&skip=proj");
    QCOMPARE(policy.precision, std::string("torchao-int4wo?group=64"));
    QCOMPARE(policy.precisionOf("attn"), std::string("torchao-int4wo?group=64"));
    QCOMPARE(policy.precisionOf("proj"), std::string("bf16"));
    QCOMPARE(parsePolicy("torchao-int4wo?group=128").precision, std::string("torchao-int4wo"));  // the default says nothing
    QCOMPARE(&quantizer("torchao-int4wo?group=64"), &quantizer("torchao-int4wo?group=64"));
  }

  void mistakesAreNamed_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("unknown id") << "nf5" << "unknown precision \"nf5\"; choose from fp32, bf16";
    QTest::newRow("empty") << "" << "unknown precision \"\"";
    QTest::newRow("unknown override") << "bf16?attn=nf5" << "unknown precision \"nf5\"";
    QTest::newRow("no value") << "bf16?attn" << "\"attn\" is neither";
    QTest::newRow("nothing after ?") << "bf16?" << "\"\" is neither";
    QTest::newRow("empty value") << "bf16?skip=" << "\"skip=\" is neither";
    QTest::newRow("empty pattern") << "bf16?skip=a,,b" << "empty pattern in \"skip=a,,b\"";
    QTest::newRow("unknown option value") << "torchao-int4wo?group=48" << "group=48 is not one of 32, 64, 128";
    QTest::newRow("option that is no number") << "torchao-int4wo?group=64x" << "group=64x is not one of";
    QTest::newRow("blocksize") << "bnb-nf4-dq?blocksize=96" << "bnb-nf4-dq: blocksize=96 is not one of 64, 128, 256, 512, 1024, 2048, 4096";
    QTest::newRow("threshold") << "bnb-int8?threshold=-1" << "threshold=-1 is no number of 0";
    QTest::newRow("threshold that is no number") << "bnb-int8?threshold=nan" << "threshold=nan is no number";
    QTest::newRow("option of another precision") << "bf16?group=64" << "unknown precision \"64\"";
    QTest::newRow("option of an override") << "bf16?attn=torchao-int8wo?group=64" << "torchao-int8wo has no option \"group\"";
    QTest::newRow("empty key") << "bf16?=fp32" << "\"=fp32\" is neither";
  }
  void mistakesAreNamed() {
    QFETCH(QString, text);
    QFETCH(QString, says);
    const QString error = thrown([&] { parsePolicy(text.toStdString()); });
    QVERIFY2(error.contains(says), qPrintable(error));
  }
};

QTEST_GUILESS_MAIN(PolicyTest)
#include "policy_test.moc"
