// int8-dynamic against torch with fbgemm, to the bit: tests/parity/golden/quant/dynamic.safetensors.
#include "tests/quant/golden.h"
#include "tests/quant/support.h"

#include <QTest>

#include <limits>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

class Int8DynamicParityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void weightsAreEqual_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"per-tensor", "per-channel"}) QTest::newRow(kind) << kind;
  }
  void weightsAreEqual() {
    QFETCH(QString, kind);
    const Golden golden("dynamic");
    const std::string name = kind.toStdString();
    const QuantizedTensor packed = quantizer("int8-dynamic?weights=" + name).pack(golden["weight"]);
    QVERIFY(at::equal(packed.part(""), golden[name + ".codes"]));
    QVERIFY(at::equal(packed.part("scale"), golden[name + ".scale"]));
  }

  void outputsAreEqual_data() {
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("input");
    for (const char* kind : {"per-tensor", "per-channel"})
      for (const char* input : {"ordinary", "positive", "negative", "lone", "zeros", "tiny", "tiniest"}) QTest::addRow("%s %s", kind, input) << kind << input;
  }
  void outputsAreEqual() {
    QFETCH(QString, kind);
    QFETCH(QString, input);
    const Golden golden("dynamic");
    const std::string key = (kind + "." + input).toStdString(), id = "int8-dynamic?weights=" + kind.toStdString();
    const at::Tensor x = golden["x." + input.toStdString()];
    QVERIFY(at::equal(packedLinear(id, golden["weight"], golden["bias"])->forward(x), golden[key + ".output"]));
    QVERIFY(at::equal(packedLinear(id, golden["weight"])->forward(x), golden[key + ".no_bias"]));
  }

  void notANumberIsNotHidden() {
    at::Tensor x = at::ones({2, 64});
    x[1][3] = std::numeric_limits<float>::infinity();
    QVERIFY(packedLinear("int8-dynamic", randomMatrix(16, 64))->forward(x).isnan().all().item<bool>());
  }

  void aWrongOptionIsNamed() {
    QVERIFY(thrown([] { quantizer("int8-dynamic?weights=per-row"); }).contains("weights=per-row is not one of per-tensor, per-channel"));
  }
};

QTEST_GUILESS_MAIN(Int8DynamicParityTest)
#include "int8_dynamic_parity_test.moc"
