// ggml's formats against ggml itself and gguf-py, byte by byte and bit by bit: tests/parity/golden/quant/gguf.safetensors.
#include "engine/model/safetensors.h"
#include "quant/gguf.h"
#include "quant/kernels/gguf.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

at::Tensor golden(const std::string& key) {
  static const quantspot::model::SafeTensors file(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/quant/gguf.safetensors");
  return file.copy(file.entries().at(key));
}

// The values of golden blocks by one set of kernels.
at::Tensor expanded(const GgufKernels& kernels, const GgmlTypeInfo& type, const at::Tensor& blocks) {
  const at::Tensor values = at::empty({1, blocks.numel() / type.bytes * type.elements}, at::kFloat);
  kernels.toFp32(type.type, blocks.const_data_ptr<std::uint8_t>(), values.numel(), values.mutable_data_ptr<float>());
  return values;
}

bool sameBits(const at::Tensor& a, const at::Tensor& b) { return at::equal(a.view(at::kInt), b.view(at::kInt)); }

}  // namespace

class GgufParityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void packedBytesAreGgmls_data() {
    QTest::addColumn<QString>("id");
    for (const GgmlTypeInfo& type : ggmlTypes)
      if (!type.id.empty() && !type.id.starts_with("gguf-iq")) QTest::newRow(type.id.data()) << QString::fromUtf8(type.id.data());
  }
  void packedBytesAreGgmls() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const std::string key = id.mid(5).toUpper().toStdString() + ".";
    QVERIFY(at::equal(q.pack(golden("weight")).part(""), golden(key + "weight")));
    const at::Tensor hard = golden("hard"), wanted = golden(key + "hard");
    for (std::int64_t row = 0; row < hard.size(0); ++row)
      QVERIFY2(at::equal(q.pack(hard.narrow(0, row, 1)).part(""), wanted.narrow(0, row, 1)), qPrintable(QString("hard row %1").arg(row)));
  }

  void valuesAreGgmls_data() {
    QTest::addColumn<QString>("name");
    for (const GgmlTypeInfo& type : ggmlTypes)
      if (!type.id.empty()) QTest::newRow(type.name.data()) << QString::fromUtf8(type.name.data());
  }
  void valuesAreGgmls() {
    QFETCH(QString, name);
    const auto* type = std::find_if(ggmlTypes.begin(), ggmlTypes.end(), [&](const auto& info) { return info.name == name.toStdString(); });
    const at::Tensor blocks = golden(type->name.data() + std::string(".blocks")), values = golden(type->name.data() + std::string(".values"));
    QVERIFY(sameBits(expanded(portableGgufKernels(), *type, blocks), values));
    if (avx2GgufKernels()) QVERIFY(sameBits(expanded(*avx2GgufKernels(), *type, blocks), values));
    if (avx512GgufKernels()) QVERIFY(sameBits(expanded(*avx512GgufKernels(), *type, blocks), values));
    const Gguf& q = ggufQuantizer(type->type);
    QVERIFY(at::equal(q.unpack(q.adopt(blocks, {1, values.numel()})), values.to(at::kBFloat16)));
  }
};

QTEST_GUILESS_MAIN(GgufParityTest)
#include "gguf_parity_test.moc"
