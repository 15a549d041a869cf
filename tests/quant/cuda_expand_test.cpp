// Device kernels without a device: their decoders and loops, run on the CPU, against what the CPU unpacks.
#include "quant/quanto_bits.h"
#include "tests/quant/device_weights.h"
#include "tests/quant/emulate.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

at::Tensor bits(const at::Tensor& bf16) { return bf16.contiguous().view(at::kShort); }

// All rows, by the loop of the kernel.
at::Tensor expanded(const DeviceWeight& weight, at::ScalarType type, std::int64_t begin, std::int64_t count) {
  const at::Tensor to = at::full({count, weight.columns}, 77, type);
  const DeviceType device = type == at::kFloat ? DeviceType::Fp32 : type == at::kHalf ? DeviceType::Fp16 : DeviceType::Bf16;
  emulateExpand(weight, {begin, count, device, to.mutable_data_ptr()});
  return to;
}

}  // namespace

class CudaExpandTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void valuesAreThoseOfTheCpuToTheBit_data() { addFormats(); }
  void valuesAreThoseOfTheCpuToTheBit() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Described d = described(id.toStdString(), rows, columns);
    QVERIFY(at::equal(bits(expanded(d.weight, at::kBFloat16, 0, rows)), bits(d.unpacked)));
    const at::Tensor wide = expanded(d.weight, at::kFloat, 0, rows);
    QVERIFY(at::equal(wide.to(at::kBFloat16), d.unpacked));
    QVERIFY(at::equal(bits(expanded(d.weight, at::kHalf, 0, rows)), bits(wide.to(at::kHalf))));
  }

  // What layers multiply is not always what unpack() gives: their scales may come after the product.
  void layersThatScaleLaterGetTheCodes() {
    for (const char* id : {"torchao-int8wo", "quanto-int8", "torchao-fp8dq"}) {
      const QuantizedTensor packed = quantizer(id).pack(randomMatrix(16, 80));
      QVERIFY2(at::equal(expanded(byteWeight(packed), at::kBFloat16, 0, 16), packed.part("").to(at::kBFloat16)), id);
    }
  }

  void layersOfQuantoInt4TakeTheirMidpoints() {
    const auto& q = static_cast<const QuantoBits&>(quantizer("quanto-int4"));
    const QuantizedTensor packed = q.pack(randomMatrix(9, 384));
    const at::Tensor pairs = packed.part("_scale_shift").transpose(0, 1).to(at::kFloat);  // (out, groups, 2)
    const at::Tensor centred = q.codes(packed).to(at::kFloat).sub(8).view({9, 3, 128});
    const at::Tensor wanted = (centred * pairs.narrow(2, 0, 1) + pairs.narrow(2, 1, 1)).view({9, 384});
    QVERIFY(at::equal(expanded(fieldsWeight(packed, 4), at::kFloat, 0, 9), wanted));
  }

  void onlyTheRowsAskedForAreWritten() {
    for (const char* id : {"bnb-nf4-dq", "quanto-int2", "torchao-int8wo", "torchao-int4wo", "gguf-q3_k"}) {
      const Described d = described(id, 40, 256);
      const at::Tensor all = at::full({12, 256}, 5, at::kBFloat16);
      emulateExpand(d.weight, {11, 8, DeviceType::Bf16, all.narrow(0, 2, 8).mutable_data_ptr()});
      QVERIFY2(at::equal(all.narrow(0, 2, 8), d.unpacked.narrow(0, 11, 8)), id);
      QVERIFY2(all.narrow(0, 0, 2).eq(5).all().item<bool>() && all.narrow(0, 10, 2).eq(5).all().item<bool>(), id);
    }
  }

  void valuesOfUnevenlyPlacedBytesAreTheSame() {  // a view of a file may begin anywhere
    for (const char* id : {"bnb-fp4", "torchao-fp8wo", "torchao-int4wo?group=32", "quanto-int4"}) {
      const Described d = described(id, 6, 128);
      const at::Tensor& codes = d.packed.part("");
      const at::Tensor moved = at::empty({static_cast<std::int64_t>(codes.nbytes()) + 1}, at::kByte).narrow(0, 1, codes.nbytes());
      moved.copy_(codes.view(at::kByte).flatten());
      DeviceWeight weight = d.weight;
      weight.codes = moved.const_data_ptr<std::uint8_t>();
      QVERIFY2(at::equal(expanded(weight, at::kBFloat16, 0, 6), d.unpacked), id);
    }
  }

  void everyByteOfCodesIsThatOfTheCpu_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"bnb-nf4", "bnb-nf4-dq", "bnb-fp4", "bnb-fp4-dq", "torchao-int8wo", "torchao-int4wo", "quanto-int8", "quanto-int4", "quanto-int2"})
      QTest::newRow(id) << id;
  }
  void everyByteOfCodesIsThatOfTheCpu() {
    QFETCH(QString, id);
    Described d = described(id.toStdString(), 8, 512);
    at::Tensor bytes = d.packed.part("").view(at::kByte);
    QVERIFY(bytes.numel() >= 256);
    bytes.copy_(at::arange(bytes.numel(), at::kLong).remainder(256).to(at::kByte).view(bytes.sizes()));
    QVERIFY(at::equal(bits(expanded(d.weight, at::kBFloat16, 0, 8)), bits(quantizer(id.toStdString()).unpack(d.packed))));
  }

  void everyCodeOfEightBitFloatsIsTorchs_data() {
    QTest::addColumn<bool>("wideExponent");
    QTest::newRow("e4m3fn") << false;
    QTest::newRow("e5m2") << true;
  }
  void everyCodeOfEightBitFloatsIsTorchs() {
    QFETCH(bool, wideExponent);
    const at::ScalarType type = wideExponent ? at::kFloat8_e5m2 : at::kFloat8_e4m3fn;
    const at::Tensor wanted = at::arange(256, at::kByte).view(type).to(at::kFloat);
    for (int code = 0; code < 256; ++code) {
      const auto byte = static_cast<std::uint8_t>(code);
      const float got = wideExponent ? e5m2Of(byte) : e4m3Of(byte), value = wanted[code].item<float>();
      QVERIFY2(std::isnan(value) ? std::isnan(got) : bitsOf(got) == bitsOf(value), qPrintable(QString::number(code)));
    }
  }

  void everyBf16WithinRangeRoundsToTheSameE4m3() {
    const at::Tensor all = at::arange(65536, at::kInt).to(at::kShort).view(at::kBFloat16).to(at::kFloat);
    const at::Tensor inside = all.masked_select(all.abs().le(448));
    const at::Tensor wanted = inside.to(at::kFloat8_e4m3fn).view(at::kByte);
    const float* values = inside.const_data_ptr<float>();
    const auto* codes = wanted.const_data_ptr<std::uint8_t>();
    QVERIFY(inside.numel() > 30000);
    for (std::int64_t i = 0; i < inside.numel(); ++i) QVERIFY2(toE4m3(values[i]) == codes[i], qPrintable(QString::number(values[i])));
  }
};

QTEST_GUILESS_MAIN(CudaExpandTest)
#include "cuda_expand_test.moc"
