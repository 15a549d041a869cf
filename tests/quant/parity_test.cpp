// Formats and products against bitsandbytes and torch, number by number: tests/parity/golden/quant.
#include "quant/bnb_4bit.h"
#include "quant/double_quant.h"
#include "tests/quant/golden.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

void addFourBitRows() {
  QTest::addColumn<QString>("kind");
  QTest::addColumn<QString>("name");
  for (const char* kind : {"nf4", "fp4"})
    for (const char* name : {"square", "one_row", "blocks", "extremes", "rest", "odd", "short", "narrow"}) QTest::addRow("%s %s", kind, name) << kind << name;
}

}  // namespace

class ParityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void fourBitBitsAreEqual_data() { addFourBitRows(); }
  void fourBitBitsAreEqual() {
    QFETCH(QString, kind);
    QFETCH(QString, name);
    const Golden golden("four_bit");
    const std::string key = (kind + "." + name + ".").toStdString();
    const Quantizer& q = quantizer("bnb-" + kind.toStdString());
    const QuantizedTensor packed = q.pack(golden[key + "weight"]);
    QVERIFY(at::equal(packed.part(""), golden[key + "codes"]));
    QVERIFY(at::equal(packed.part("absmax"), golden[key + "absmax"]));
    QVERIFY(at::equal(q.unpack(packed), golden[key + "dequantized"]));
    if (golden.has(key + "x")) compareProducts(q.linear(packed, golden[key + "bias"])->forward(golden[key + "x"]), golden[key + "output"]);
  }

  void largerBlocksAreEqual_data() {
    QTest::addColumn<QString>("kind");
    QTest::addColumn<int>("size");
    for (const char* kind : {"nf4", "fp4"}) {
      for (const int size : {128, 512, 4096}) QTest::addRow("%s %d", kind, size) << kind << size;
      QTest::addRow("%s-dq 256", kind) << QString(kind) + "-dq" << 256;
    }
  }
  void largerBlocksAreEqual() {
    QFETCH(QString, kind);
    QFETCH(int, size);
    const Golden golden("four_bit_blocks");
    const std::string name = kind.toStdString(), key = "blocks." + name + "." + std::to_string(size) + ".";
    const Quantizer& q = quantizer("bnb-" + name + "?blocksize=" + std::to_string(size));
    const at::Tensor weight = golden["blocks.weight"];
    const QuantizedTensor packed = q.pack(weight);
    QVERIFY(at::equal(packed.part(""), golden[key + "codes"]));
    QVERIFY(at::equal(packed.part("absmax"), golden[key + "absmax"]));
    QVERIFY(at::equal(q.unpack(packed).narrow(0, 8, 3), golden[key + "rows"]));
    const at::Tensor expanded = q.linear(packed, {})->forward(at::eye(900, at::kBFloat16)).t();
    QVERIFY(at::equal(expanded, q.unpack(packed)));
  }

  // The weight of this case is fp32, which a precision would round to bf16 first; so only the search is compared.
  void fourBitTiesGoToTheLowerValue_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"nf4", "fp4"}) QTest::newRow(kind) << kind;
  }
  void fourBitTiesGoToTheLowerValue() {
    QFETCH(QString, kind);
    const Golden golden("four_bit");
    const FourBitMap& map = kind == "nf4" ? nf4Map() : fp4Map();
    QVERIFY(at::equal(golden[kind.toStdString() + ".code"], at::tensor(at::ArrayRef<float>(map.values))));
    const at::Tensor weight = golden[kind.toStdString() + ".ties.weight"].flatten(), codes = golden[kind.toStdString() + ".ties.codes"];
    for (std::int64_t i = 0; i < weight.numel(); ++i) {
      const auto below = std::count_if(map.bounds.begin(), map.bounds.end(), [&](float bound) { return weight[i].item<float>() > bound; });
      const int byte = codes[i / 2].item<int>();
      QCOMPARE(map.order[below], i % 2 ? byte & 15 : byte >> 4);
    }
  }

  void doubleQuantizationIsEqual_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"nf4-dq", "fp4-dq"}) QTest::newRow(kind) << kind;
  }
  void doubleQuantizationIsEqual() {
    QFETCH(QString, kind);
    const Golden golden("double");
    const std::string key = kind.toStdString() + ".";
    const Quantizer& q = quantizer("bnb-" + kind.toStdString());
    const QuantizedTensor packed = q.pack(golden["weight"]);
    QVERIFY(at::equal(dynamicMap(), golden[key + "nested_quant_map"]));
    QVERIFY(at::equal(packed.part(""), golden[key + "codes"]));
    QVERIFY(at::equal(packed.part("nested_offset"), golden[key + "nested_offset"]));
    QVERIFY(at::equal(packed.part("absmax"), golden[key + "absmax"]));
    QVERIFY(at::equal(packed.part("nested_absmax"), golden[key + "nested_absmax"]));
    const DoubleScales scales{packed.part("absmax"), packed.part("nested_absmax"), packed.part("nested_offset")};
    QVERIFY(at::equal(recoverScales(scales, 0, 260), golden[key + "absmax_recovered"]));
    QVERIFY(at::equal(recoverScales(scales, 250, 10), golden[key + "absmax_recovered"].narrow(0, 250, 10)));
    QVERIFY(at::equal(q.unpack(packed).narrow(0, 61, 4), golden[key + "dequantized_rows"]));
  }

  void int8WeightIsEqual() {
    const Golden golden("int8");
    const Quantizer& q = quantizer("bnb-int8");
    const QuantizedTensor packed = q.pack(golden["int8.weight"]);
    QVERIFY(at::equal(packed.part(""), golden["int8.CB"]));
    QVERIFY(at::equal(packed.part("SCB"), golden["int8.SCB"]));
    QVERIFY(at::equal(q.unpack(packed), golden["int8.dequantized"].to(at::kBFloat16)));
  }

  void int8ProductIsEqual_data() {
    QTest::addColumn<QString>("input");
    QTest::addColumn<int>("threshold");
    for (const char* input : {"plain", "outliers", "edge", "one_row"})
      for (const int threshold : {6, 0}) QTest::addRow("%s at %d", input, threshold) << input << threshold;
  }
  void int8ProductIsEqual() {
    QFETCH(QString, input);
    QFETCH(int, threshold);
    const Golden golden("int8");
    const std::string key = "int8." + input.toStdString() + ".";
    const Quantizer& q = quantizer(threshold ? "bnb-int8" : "bnb-int8?threshold=0");
    const auto linear = q.linear(q.pack(golden["int8.weight"]), golden["int8.bias"]);
    const at::Tensor y = linear->forward(golden[key + "x"]), wanted = golden[key + "output_" + std::to_string(threshold)];
    if (threshold == 0 || input == "plain")
      QVERIFY(at::equal(y, wanted));  // integers: nothing is free
    else
      compareProducts(y, wanted);
  }

  void fp8BytesAreEqual_data() {
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("id");
    QTest::newRow("e4m3fn") << "e4m3fn" << "fp8-layerwise";
    QTest::newRow("e5m2") << "e5m2" << "fp8-layerwise-e5m2";
  }
  void fp8BytesAreEqual() {
    QFETCH(QString, type);
    QFETCH(QString, id);
    const Golden golden("float8");
    const std::string key = "float8." + type.toStdString() + ".";
    const Quantizer& q = quantizer(id.toStdString());
    const at::Tensor finite = golden["float8.values"].to(at::kBFloat16).isfinite();
    const QuantizedTensor packed = q.pack(golden["float8.values"].masked_select(finite).view({1, -1}));
    QVERIFY(at::equal(packed.part("").view(at::kByte).flatten(), golden[key + "from_bf16"].masked_select(finite)));
    const auto linear = q.linear(q.pack(golden["float8.weight"]), golden["float8.bias"]);
    compareProducts(linear->forward(golden["float8.x"]), golden[key + "output"]);
  }

  void fp8ExpandsEveryByte_data() { fp8BytesAreEqual_data(); }
  void fp8ExpandsEveryByte() {
    QFETCH(QString, type);
    QFETCH(QString, id);
    const at::Tensor wanted = Golden("float8")["float8." + type.toStdString() + ".decoded"];
    const at::Tensor number = wanted.isfinite();
    const at::Tensor codes = at::arange(256, at::kByte).masked_select(number).view({-1, 1});
    const at::ScalarType storage = type == "e5m2" ? at::kFloat8_e5m2 : at::kFloat8_e4m3fn;
    const QuantizedTensor packed{id.toStdString(), codes.sizes().vec(), at::kBFloat16, {{"", codes.view(storage)}}};
    const at::Tensor y = quantizer(id.toStdString()).linear(packed, {})->forward(at::ones({1, 1}, at::kBFloat16));
    QVERIFY(at::equal(y.flatten().to(at::kFloat), wanted.masked_select(number)));
  }

  void bf16RoundsAsTorch() {
    const Golden golden("float8");
    const at::Tensor values = golden["bf16.values"], finite = values.to(at::kBFloat16).isfinite();
    const Quantizer& q = quantizer("bf16");
    const at::Tensor kept = q.unpack(q.pack(values.masked_select(finite).view({1, -1}))).flatten();
    QVERIFY(at::equal(kept.view(at::kShort), golden["bf16.rounded"].masked_select(finite).view(at::kShort)));
  }
};

QTEST_GUILESS_MAIN(ParityTest)
#include "parity_test.moc"
