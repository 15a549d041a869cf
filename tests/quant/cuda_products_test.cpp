// The products of the device kernels, run on the CPU: few rows, tensor cores, and integers.
#include "quant/bnb_int8.h"
#include "quant/device_products.h"
#include "quant/int8_product.h"
#include "tests/quant/device_weights.h"
#include "tests/quant/emulate.h"

#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

using Emulated = void (*)(const DeviceWeight&, const FewJob&);

// x (M, in) bf16 → (M, out) f32, between two rows that must stay as they are.
at::Tensor sums(Emulated kernel, const DeviceWeight& weight, const at::Tensor& x) {
  const at::Tensor guarded = at::full({x.size(0) + 2, weight.rows}, 99, at::kFloat), to = guarded.narrow(0, 1, x.size(0));
  kernel(weight, {static_cast<const Bf16*>(x.const_data_ptr()), x.size(0), to.mutable_data_ptr<float>()});
  const bool untouched = guarded[0].eq(99).all().item<bool>() && guarded[x.size(0) + 1].eq(99).all().item<bool>();
  return untouched ? to : at::Tensor();
}

// The product with the weight that the kernel takes, in fp64.
at::Tensor exactProduct(const DeviceWeight& weight, const at::Tensor& x, bool rounded) {
  const at::Tensor wide = at::empty({weight.rows, weight.columns}, at::kFloat);
  emulateExpand(weight, {0, weight.rows, DeviceType::Fp32, wide.mutable_data_ptr()});
  return at::matmul(x.to(at::kDouble), (rounded ? wide.to(at::kBFloat16) : wide).to(at::kDouble).t());
}

// The largest error, as a share of what the sums of magnitudes allow.
double worst(const at::Tensor& got, const at::Tensor& wanted) { return ((got - wanted).abs() / (wanted.abs().max() + 1e-30)).max().item<double>(); }

struct Int8Case {
  Int8Finish finish;
  RowRule rule;
  const char* id;
};
constexpr Int8Case int8Cases[] = {{Int8Finish::Bnb, RowRule::Bnb, "bnb-int8"},
                                  {Int8Finish::TorchAo, RowRule::TorchAo, "torchao-int8dq"},
                                  {Int8Finish::Quanto, RowRule::Quanto, "quanto-int8a8"},
                                  {Int8Finish::Fbgemm, RowRule::Fbgemm, "int8-dynamic"}};

// What a layer on a device does, phase by phase.
struct EmulatedInt8 {
  at::Tensor scales, outliers, codes, sums, y;

  EmulatedInt8(const Int8Case& c, const at::Tensor& x, const QuantizedTensor& packed, const at::Tensor& columnScales, const at::Tensor& bias,
               float scale, std::int32_t zero) {
    const std::int64_t count = x.size(0), rows = packed.shape[0], columns = x.size(1);
    scales = at::empty({count}, at::kFloat);
    outliers = at::zeros({columns}, at::kByte);
    codes = at::empty({count, columns}, at::kChar);
    RowsJob job{c.rule, x.const_data_ptr(), count, columns, c.rule == RowRule::Bnb ? 6.0f : 0, scale, zero, scales.mutable_data_ptr<float>(),
                outliers.mutable_data_ptr<std::uint8_t>(), static_cast<std::uint8_t*>(codes.mutable_data_ptr())};
    const bool given = c.rule == RowRule::Quanto || c.rule == RowRule::Fbgemm;
    if (!given) emulateRowScales(job);
    emulateRowCodes(job);
    sums = at::full({count, rows}, -1, at::kInt);
    emulateInt8Sums({codes.const_data_ptr<std::int8_t>(), packed.part("").const_data_ptr<std::int8_t>(), count, rows, columns,
                     sums.mutable_data_ptr<std::int32_t>()});
    y = at::empty({count, rows}, c.finish == Int8Finish::Fbgemm ? at::kFloat : at::kBFloat16);
    const at::Tensor wide = bias.to(at::kFloat);
    emulateFinish({c.finish, sums.const_data_ptr<std::int32_t>(), given ? nullptr : scales.const_data_ptr<float>(), scale,
                   columnScales.const_data_ptr<float>(), wide.const_data_ptr<float>(), count, rows, y.mutable_data_ptr()});
  }
};

}  // namespace

class CudaProductsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void fewRowsAreTheProductOfTheWeight_data() { addFormats(); }
  void fewRowsAreTheProductOfTheWeight() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Described d = described(id.toStdString(), rows, columns);
    for (const int count : {1, 3, 4, 7, 16}) {
      const at::Tensor x = randomMatrix(count, columns, 11).to(at::kBFloat16), y = sums(emulateFew, d.weight, x);
      QVERIFY(y.defined());
      const double error = worst(y, exactProduct(d.weight, x, false));
      QVERIFY2(error < 1e-5, qPrintable(QString("%1 rows: %2").arg(count).arg(error)));
    }
  }

  void tensorCoresGetTheWholeProduct_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    for (const char* id : {"bnb-nf4", "bnb-nf4-dq", "torchao-int8wo", "torchao-int4wo?group=32", "quanto-int4"})
      for (const auto& [count, rows, columns] : {std::tuple{17, 5, 32}, {130, 140, 96}, {128, 128, 64}}) {
        const bool odd = count == 17 && !QString(id).contains("int4wo");
        const int width = odd ? 39 : columns;  // neither runs of eight nor whole tiles
        QTest::addRow("%s %dx%dx%d", id, count, width, rows) << QString(id) << count << rows << width;
      }
  }
  void tensorCoresGetTheWholeProduct() {
    QFETCH(QString, id);
    QFETCH(int, count);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Described d = described(id.toStdString(), rows, columns);
    const at::Tensor x = randomMatrix(count, columns, 5).to(at::kBFloat16), y = sums(emulateFused, d.weight, x);
    QVERIFY(y.defined());
    QVERIFY(worst(y, exactProduct(d.weight, x, true)) < 1e-5);
  }

  void tensorCoresRefuseNothingButBlocks() {  // the launcher's table and the emulation agree on what is plain
    const Described blocks = described("gguf-q4_0", 2, 32), plain = described("quanto-int2", 2, 32);
    int calls = 0;
    const auto count = [&]<class Of>() { ++calls; };
    QVERIFY(!withPlainDecoder(blocks.weight, count));
    QVERIFY(withPlainDecoder(plain.weight, count));
    QCOMPARE(calls, 1);
    QVERIFY(thrown([&] { withBlockDecoder(GgmlType::F16, count); }).contains("plain"));
  }

  // Scales, codes, sums and results are the CPU's to the bit.
  void integerLayersAreTheCpusToTheBit_data() {
    QTest::addColumn<int>("which");
    QTest::addColumn<int>("count");
    QTest::addColumn<int>("columns");
    QTest::addColumn<int>("rows");
    for (int i = 0; i < 4; ++i)
      for (const auto& [count, columns, rows] : {std::tuple{1, 1, 1}, {3, 37, 5}, {17, 64, 33}, {40, 384, 130}})
        QTest::addRow("%s %dx%dx%d", int8Cases[i].id, count, columns, rows) << i << count << columns << rows;
  }
  void integerLayersAreTheCpusToTheBit() {
    QFETCH(int, which);
    QFETCH(int, count);
    QFETCH(int, columns);
    QFETCH(int, rows);
    const Int8Case& c = int8Cases[which];
    const Quantizer& q = quantizer(c.id);
    const bool wide = c.finish == Int8Finish::Fbgemm;
    const at::Tensor weight = randomMatrix(rows, columns, 3), bias = randomMatrix(1, rows, 4)[0].to(q.computeType());
    at::Tensor x = randomMatrix(count, columns, 9);
    if (count > 1) x[1].zero_();                                // a row without a scale
    x = x.clamp(-5.9, 5.9).to(q.computeType());                 // no outlier columns, which torch multiplies
    const QuantizedTensor packed = q.pack(weight);
    float scale = 1;
    std::int32_t zero = 0;
    at::Tensor columnScales = packed.parts[1].second.to(at::kFloat).flatten().expand({rows}).contiguous();
    if (c.rule == RowRule::Quanto) {
      scale = (x.abs().max() / 127).item<float>();
      columnScales = (packed.part("_scale") * at::full({}, scale, at::kBFloat16)).to(at::kFloat).flatten();
    }
    if (wide) {
      const auto range = at::aminmax(x);
      const auto found = at::_choose_qparams_per_tensor(at::stack({std::get<0>(range), std::get<1>(range)}), true);
      scale = static_cast<float>(std::get<0>(found));
      zero = static_cast<std::int32_t>(std::get<1>(found));
    }
    const EmulatedInt8 got(c, x, packed, columnScales, bias, scale, zero);
    QVERIFY(got.outliers.eq(0).all().item<bool>());
    const at::Tensor wanted = q.linear(packed, bias)->forward(x);
    QVERIFY2(at::equal(got.y, wanted), qPrintable(QString::number(relativeError(got.y, wanted))));
  }

  void outlierColumnsAreMarkedAndLeftOut() {
    at::Tensor x = randomMatrix(5, 40, 2).clamp(-3, 3).to(at::kBFloat16);
    x[2][7] = 6.0;
    x[4][33] = -41.0;
    const at::Tensor scales = at::empty({5}, at::kFloat), outliers = at::zeros({40}, at::kByte), codes = at::empty({5, 40}, at::kChar);
    const RowsJob job{RowRule::Bnb, x.const_data_ptr(), 5, 40, 6, 1, 0, scales.mutable_data_ptr<float>(), outliers.mutable_data_ptr<std::uint8_t>(),
                      static_cast<std::uint8_t*>(codes.mutable_data_ptr())};
    emulateRowScales(job);
    emulateRowCodes(job);
    QCOMPARE(outliers.sum().item<int>(), 2);
    QVERIFY(outliers[7].item<bool>() && outliers[33].item<bool>());
    QVERIFY(codes.select(1, 7).eq(0).all().item<bool>() && codes.select(1, 33).eq(0).all().item<bool>());
    for (int row = 0; row < 5; ++row) {
      std::vector<std::uint8_t> marks(40);
      const auto* from = static_cast<const Bf16*>(x[row].const_data_ptr());
      QCOMPARE(scales[row].item<float>(), portableInt8Kernels().rowScale(from, 40, 6, marks.data()));
      std::vector<std::int8_t> wanted(40);
      portableInt8Kernels().quantizeRow(from, 40, scales[row].item<float>(), outliers.const_data_ptr<std::uint8_t>(), wanted.data());
      QVERIFY(std::equal(wanted.begin(), wanted.end(), codes.const_data_ptr<std::int8_t>() + row * 40));
    }
  }

  void eightBitFloatRowsAreTorchsToTheBit() {
    at::Tensor x = randomMatrix(9, 100, 2).to(at::kBFloat16);
    x[3].zero_();
    x[4].mul_(1e30);
    const at::Tensor scales = at::empty({9}, at::kFloat), codes = at::empty({9, 100}, at::kByte);
    const RowsJob job{.rule = RowRule::Fp8, .x = x.const_data_ptr(), .rows = 9, .columns = 100, .scales = scales.mutable_data_ptr<float>(),
                      .codes = codes.mutable_data_ptr<std::uint8_t>()};
    emulateRowScales(job);
    emulateRowCodes(job);
    const at::Tensor wantedScales = (x.abs().amax(1, true) / 448.0).to(at::kFloat);
    const at::Tensor wanted = (x.to(at::kFloat) / wantedScales).nan_to_num(0, 448, -448).clamp(-448, 448).to(at::kFloat8_e4m3fn);
    QVERIFY(at::equal(scales, wantedScales.flatten()));
    QVERIFY(at::equal(codes, wanted.view(at::kByte)));
  }

  void rowsWithNaNHaveAScaleOfNaN() {
    at::Tensor x = at::ones({1, 70}, at::kBFloat16);
    x[0][65] = std::numeric_limits<float>::quiet_NaN();
    for (const RowRule rule : {RowRule::Bnb, RowRule::TorchAo, RowRule::Fp8}) {
      float scale = 0;
      std::vector<std::uint8_t> outliers(70);
      const auto* from = x.const_data_ptr();
      emulateRowScales({.rule = rule, .x = from, .rows = 1, .columns = 70, .threshold = 6, .scales = &scale, .outliers = outliers.data()});
      QVERIFY(std::isnan(scale));
    }
  }

  void devicesWithoutKernelsAreNull() { QVERIFY(deviceProducts(at::ones({1})) == nullptr); }
};

QTEST_GUILESS_MAIN(CudaProductsTest)
#include "cuda_products_test.moc"
