// The quanto precisions against optimum-quanto, number by number: tests/parity/golden/quant/quanto.safetensors.
#include "quant/calibration.h"
#include "quant/conv2d.h"
#include "tests/quant/golden.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

void addWeights() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<QString>("kind");
  for (const char* name : {"wide", "g96", "g32", "odd", "narrow"})
    for (const char* kind : {"int8", "fp8", "int4", "int2"}) QTest::addRow("%s %s", name, kind) << name << kind;
}

bool sameBits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && at::equal(a.reshape({-1}).view(at::kByte), b.reshape({-1}).view(at::kByte));
}

at::Tensor source(const Golden& golden, const QString& name, const QString& kind) {
  return golden[name.toStdString() + (kind == "fp8" ? ".fp8.source" : ".weight")];
}

}  // namespace

class QuantoParityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // What a checkpoint holds, under the keys that it has there.
  void checkpointsAreEqual_data() { addWeights(); }
  void checkpointsAreEqual() {
    QFETCH(QString, name);
    QFETCH(QString, kind);
    const Golden golden("quanto");
    const std::string key = (name + "." + kind + ".").toStdString();
    const Quantizer& q = quantizer("quanto-" + kind.toStdString());
    for (const auto& [path, tensor] : q.onDisk("proj", q.pack(source(golden, name, kind)))) {
      const std::string entry = key + path.substr(5);
      QVERIFY2(golden.has(entry), entry.c_str());
      QVERIFY2(sameBits(tensor, golden[entry]), entry.c_str());
    }
  }

  void weightsAreEqual_data() { addWeights(); }
  void weightsAreEqual() {
    QFETCH(QString, name);
    QFETCH(QString, kind);
    const Golden golden("quanto");
    const Quantizer& q = quantizer("quanto-" + kind.toStdString());
    QVERIFY(sameBits(q.unpack(q.pack(source(golden, name, kind))), golden[(name + "." + kind + ".dequantized").toStdString()]));
  }

  void outputsAreEqual_data() { addWeights(); }
  void outputsAreEqual() {
    QFETCH(QString, name);
    QFETCH(QString, kind);
    const Golden golden("quanto");
    const std::string key = name.toStdString() + ".";
    const Quantizer& q = quantizer("quanto-" + kind.toStdString());
    const auto linear = q.linear(q.pack(source(golden, name, kind)), golden[key + "bias"]);
    for (const char* input : {"ordinary", "edge", "one_row"})
      compareProducts(linear->forward(golden[key + "x." + input]), golden[key + kind.toStdString() + "." + input + ".output"]);
  }

  void convolutionsAreEqual_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"int8", "fp8", "int4", "int2"}) QTest::newRow(kind) << kind;
  }
  void convolutionsAreEqual() {
    QFETCH(QString, kind);
    const Golden golden("quanto");
    const std::string key = "conv." + kind.toStdString() + ".";
    const Quantizer& q = quantizer("quanto-" + kind.toStdString());
    const Conv2d layer(q, golden["conv.weight"], golden["conv.bias"], {.stride = {2, 2}, .padding = {1, 1}});
    QVERIFY(sameBits(q.unpack(layer.weight()).view({16, 16, 3, 3}), golden[key + "dequantized"]));
    compareProducts(layer.forward(golden["conv.x"]), golden[key + "output"]);
  }

  void calibrationFindsTheScales() {
    const Golden golden("quanto");
    const auto linear = packedLinear("quanto-int8a8", golden["a8.weight"], golden["a8.bias"]);
    CalibratedLinear* layer = calibratedLinear(*linear);
    QVERIFY(layer);
    const Calibration watching({layer});
    for (const std::string number : {"0", "1", "2"}) {
      linear->forward(golden["a8.seen_" + number]);
      QCOMPARE(layer->scales().input, golden["a8.input_scale_" + number].item<float>());
      QCOMPARE(layer->scales().output, golden["a8.output_scale_" + number].item<float>());
    }
  }

  void calibratedOutputsAreEqual() {
    const Golden golden("quanto");
    const auto linear = packedLinear("quanto-int8a8", golden["a8.weight"], golden["a8.bias"]);
    CalibratedLinear* layer = calibratedLinear(*linear);
    const ActivationScales found{.input = golden["a8.input_scale_2"].item<float>(), .output = golden["a8.output_scale_2"].item<float>()};
    layer->setScales(found);
    for (const std::string input : {"ordinary", "edge", "one_row"})
      QVERIFY2(sameBits(linear->forward(golden["a8." + input + ".x"]), golden["a8." + input + ".output"]), input.c_str());  // integers: nothing is free
    const auto bare = packedLinear("quanto-int8a8", golden["a8.weight"]);
    calibratedLinear(*bare)->setScales(found);
    QVERIFY(sameBits(bare->forward(golden["a8.seen_0"]), golden["a8.no_bias.output"]));

    ActivationScales rounding = found;
    rounding.quantizeOutput = true;
    layer->setScales(rounding);
    QVERIFY(sameBits(linear->forward(golden["a8.seen_0"]), golden["a8.rounded_output"]));
  }
};

QTEST_GUILESS_MAIN(QuantoParityTest)
#include "quanto_parity_test.moc"
