// The torchao precisions against torchao, number by number: tests/parity/golden/quant/torchao.safetensors.
#include "quant/torchao_int4.h"
#include "tests/quant/golden.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

void addInputs() {
  QTest::addColumn<QString>("kind");
  QTest::addColumn<QString>("input");
  QTest::addColumn<QString>("id");
  const std::pair<const char*, const char*> kinds[] = {{"int8.wo", "torchao-int8wo"}, {"int8.dq", "torchao-int8dq"}, {"fp8.wo", "torchao-fp8wo"},
      {"fp8.dq", "torchao-fp8dq"}, {"int4.32", "torchao-int4wo?group=32"}, {"int4.64", "torchao-int4wo?group=64"}, {"int4.128", "torchao-int4wo"}};
  for (const auto& [kind, id] : kinds)
    for (const char* input : {"ordinary", "edge", "one_row"}) QTest::addRow("%s %s", kind, input) << kind << input << id;
}

bool sameBits(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() && at::equal(a.view(at::kByte), b.view(at::kByte)); }

}  // namespace

class TorchAoParityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void weightsAreEqual_data() {
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("id");
    QTest::newRow("int8wo") << "int8.wo" << "torchao-int8wo";
    QTest::newRow("int8dq") << "int8.dq" << "torchao-int8dq";
    QTest::newRow("fp8wo") << "fp8.wo" << "torchao-fp8wo";
    QTest::newRow("fp8dq") << "fp8.dq" << "torchao-fp8dq";
  }
  void weightsAreEqual() {
    QFETCH(QString, kind);
    QFETCH(QString, id);
    const Golden golden("torchao");
    const std::string key = kind.toStdString() + ".";
    const Quantizer& q = quantizer(id.toStdString());
    const QuantizedTensor packed = q.pack(golden[kind.section('.', 0, 0).toStdString() + ".weight"]);
    QVERIFY(at::equal(packed.part("").view(at::kByte), golden[key + "qdata"].view(at::kByte)));
    QVERIFY(sameBits(packed.part("scale"), golden[key + "scale"]));
    if (golden.has(key + "zero_point")) QVERIFY(sameBits(packed.part("zero_point"), golden[key + "zero_point"]));
    if (golden.has(key + "dequantized")) QVERIFY(sameBits(q.unpack(packed), golden[key + "dequantized"]));
    const auto written = q.onDisk("proj", packed);
    QCOMPARE(written[0].first, std::string("proj._weight_qdata"));
    QCOMPARE(written[1].first, std::string("proj._weight_scale"));
  }

  void int4WeightsAreEqual_data() {
    QTest::addColumn<int>("group");
    for (const int group : {32, 64, 128}) QTest::addRow("%d", group) << group;
  }
  void int4WeightsAreEqual() {
    QFETCH(int, group);
    const Golden golden("torchao");
    const std::string key = "int4." + std::to_string(group) + ".";
    const TorchAoInt4 q(group);
    const QuantizedTensor packed = q.pack(golden["int4.weight"]);
    QVERIFY(sameBits(q.codes(packed), golden[key + "codes"]));
    QVERIFY(sameBits(packed.part("scale_and_zero"), golden[key + "scale_and_zero"]));
  }

  // The product takes the weight in fp32: against the identity it is the weight, rounded to bf16.
  void int4ExpandsTheUnpackedWeight() {
    const Golden golden("torchao");
    const Quantizer& q = quantizer("torchao-int4wo?group=32");
    const QuantizedTensor packed = q.pack(golden["int4.weight"]);
    const at::Tensor weight = q.linear(packed, {})->forward(at::eye(256, at::kBFloat16)).t().contiguous();
    QVERIFY(at::equal(weight, q.unpack(packed)));
  }

  void int4IsWrittenAsTorchPacksIt() {
    const Golden golden("torchao");
    const Quantizer& q = quantizer("torchao-int4wo?group=64");
    const QuantizedTensor packed = q.pack(golden["int4.weight"]);
    const auto written = q.onDisk("proj", packed);
    QCOMPARE(written[0].first, std::string("proj._weight_qdata"));
    QCOMPARE(written[1].first, std::string("proj._weight_scale_and_zero"));
    const at::Tensor x = golden["int4.x.ordinary"].flatten(0, 1);
    // The packed form is that of this processor, so that torch's product with it is what must agree.
    const at::Tensor y = at::_weight_int4pack_mm_for_cpu(x, written[0].second, 64, written[1].second);
    compareProducts(y, q.linear(packed, {})->forward(x));
  }

  void outputsAreEqual_data() { addInputs(); }
  void outputsAreEqual() {
    QFETCH(QString, kind);
    QFETCH(QString, input);
    QFETCH(QString, id);
    const Golden golden("torchao");
    const std::string key = kind.toStdString() + ".", family = kind.section('.', 0, 0).toStdString();
    const Quantizer& q = quantizer(id.toStdString());
    const at::Tensor weight = golden[family + ".weight"], x = golden[family + ".x." + input.toStdString()];
    const at::Tensor y = q.linear(q.pack(weight), golden[family + ".bias"])->forward(x);
    const at::Tensor wanted = golden[key + input.toStdString() + ".output"];
    if (kind == "int8.dq") QVERIFY(sameBits(y, wanted));  // integers: nothing is free
    compareProducts(y, wanted);
    const std::string bare = key + "no_bias." + input.toStdString() + ".output";
    if (golden.has(bare)) {
      compareProducts(q.linear(q.pack(weight), {})->forward(x), golden[bare]);
    }
  }

  void aRowOfZerosStaysZero() {
    const Quantizer& q = quantizer("torchao-fp8wo");
    const at::Tensor weight = at::zeros({16, 16});
    QVERIFY(at::equal(q.unpack(q.pack(weight)), weight.to(at::kBFloat16)));
  }

  void whatTorchAoLeavesAloneStaysInBf16_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::newRow("narrower than a group") << "torchao-int4wo" << 16 << 64;
    QTest::newRow("no whole groups") << "torchao-int4wo?group=32" << 16 << 80;
    QTest::newRow("rows not in sixteens") << "torchao-fp8dq" << 17 << 64;
    QTest::newRow("columns not in sixteens") << "torchao-fp8dq" << 16 << 72;
  }
  void whatTorchAoLeavesAloneStaysInBf16() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Quantizer& q = quantizer(id.toStdString());
    QCOMPARE(q.precisionFor({rows, columns}), std::string_view("bf16"));
    QVERIFY(thrown([&] { q.pack(randomMatrix(rows, columns)); }).contains("stays in bf16"));
  }
};

QTEST_GUILESS_MAIN(TorchAoParityTest)
#include "torchao_parity_test.moc"
