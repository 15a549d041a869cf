// The kernels of every precision on a CUDA device, against the CPU. Skips where there is none, or where they were not built.
#include "quant/device_products.h"
#include "tests/quant/device_weights.h"

#include <c10/core/InferenceMode.h>
#include <QTest>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

QuantizedTensor onDevice(const QuantizedTensor& packed) {
  QuantizedTensor there = packed;
  for (auto& [name, part] : there.parts) part = part.to(at::kCUDA);
  return there;
}

DeviceWeight describedThere(const std::string& id, const QuantizedTensor& there, const DeviceWeight& here, const at::Tensor& nestedMap) {
  switch (here.packing) {
    case Packing::FourBit:
      return fourBitWeight(there, id.starts_with("bnb-nf4") ? nf4Map() : fp4Map(), std::int64_t{1} << here.blockShift, nestedMap);
    case Packing::Bytes: return byteWeight(there, here.rowScale == RowScale::None ? "" : id.starts_with("torchao") ? "scale" : "_scale");
    case Packing::Halves: return halvesWeight(there, here.group);
    case Packing::Fields: return fieldsWeight(there, here.bits);
    case Packing::Blocks: break;
  }
  return blocksWeight(there, here.ggml);
}

// As PrecisionsTest: what activations of 8 bits and roundings between the steps of a reference add.
double errorBound(const QString& id) {
  if (id == "fp32") return 1e-3;  // torch may multiply in TF32
  if (id == "torchao-fp8dq") return 0.04;
  if (id == "int8-dynamic") return 0.03;
  if (id == "bnb-int8" || id.endsWith("int8dq") || id.endsWith("a8")) return 0.012;
  return id == "quanto-int4" ? 0.006 : 0.004;
}

}  // namespace

class CudaTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    if (!at::hasCUDA()) QSKIP("no CUDA device");
    if (!deviceProducts(at::empty({1}, at::kCUDA))) QSKIP("no CUDA device kernels in this build: configure with QUANTSPOT_CUDA=ON");
  }

  void valuesAreThoseOfTheCpuToTheBit_data() { addFormats(); }
  void valuesAreThoseOfTheCpuToTheBit() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Described d = described(id.toStdString(), rows, columns);
    const QuantizedTensor there = onDevice(d.packed);
    const at::Tensor map = dynamicMap().to(at::kCUDA);
    const DeviceWeight weight = describedThere(id.toStdString(), there, d.weight, map);
    const DeviceProducts& products = *deviceProducts(map);
    const at::TensorOptions cuda = at::TensorOptions().device(at::kCUDA);
    const at::Tensor got = products.expand(weight, 0, rows, cuda.dtype(at::kBFloat16)).cpu();
    QVERIFY(at::equal(got.view(at::kShort), d.unpacked.contiguous().view(at::kShort)));
    const at::Tensor wide = products.expand(weight, 0, rows, cuda.dtype(at::kFloat)).cpu();
    QVERIFY(at::equal(wide.to(at::kBFloat16), d.unpacked));
    QVERIFY(at::equal(products.expand(weight, 0, rows, cuda.dtype(at::kHalf)).cpu(), wide.to(at::kHalf)));
  }

  void productsAreThoseOfTheWeight_data() { addFormats(); }
  void productsAreThoseOfTheWeight() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, columns);
    const Described d = described(id.toStdString(), rows, columns);
    const QuantizedTensor there = onDevice(d.packed);
    const at::Tensor map = dynamicMap().to(at::kCUDA);
    const DeviceWeight weight = describedThere(id.toStdString(), there, d.weight, map);
    const DeviceProducts& products = *deviceProducts(map);
    const at::Tensor wide = products.expand(weight, 0, rows, at::TensorOptions().device(at::kCUDA).dtype(at::kFloat)).to(at::kDouble);
    for (const int count : {1, 4, 13, 16, 150}) {
      const at::Tensor x = randomMatrix(count, columns, 3).to(at::kBFloat16).to(at::kCUDA), wanted = at::matmul(x.to(at::kDouble), wide.t());
      const double size = wanted.abs().max().item<double>() + 1e-30;
      if (count <= DeviceProducts::fewRows) QVERIFY((products.few(weight, x) - wanted).abs().max().item<double>() < 1e-5 * size);
      if (weight.packing != Packing::Blocks)  // its weight is rounded to bf16
        QVERIFY((products.fused(weight, x) - wanted).abs().max().item<double>() < 4e-3 * size);
    }
  }

  void layersKeepTheirBounds_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("in");
    QTest::addColumn<int>("out");
    const int shapes[][3] = {{1, 64, 32}, {5, 96, 17}, {16, 256, 256}, {17, 256, 40}, {64, 256, 1024}, {3, 3072, 2500}, {130, 130, 130}};
    for (const auto& known : quantizers())
      for (const auto& [m, k, n] : shapes) {
        const QString id = QString::fromUtf8(known->name().data());
        QTest::addRow("%s %dx%dx%d", qPrintable(id), m, k, n) << id << m << k << n;
      }
  }
  void layersKeepTheirBounds() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, in);
    QFETCH(int, out);
    c10::InferenceMode guard;
    const Quantizer& q = quantizer(quantizer(id.toStdString()).precisionFor({out, in}));
    const at::Tensor weight = randomMatrix(out, in, 3), bias = randomMatrix(1, out, 4)[0] * 10;
    at::Tensor x = randomMatrix(rows, in, 5).to(q.computeType());
    x.select(1, 3).mul_(20);  // an outlier column
    const at::Tensor y = q.linear(onDevice(q.pack(weight)), bias.to(at::kCUDA))->forward(x.to(at::kCUDA)).cpu();
    const at::Tensor wanted = q.linear(q.pack(weight), bias)->forward(x);
    QCOMPARE(y.scalar_type(), q.computeType());
    const double error = relativeError(y, wanted);
    QVERIFY2(error < errorBound(id), qPrintable(QString::number(error)));
    const bool exact = id == "torchao-int8dq" || id == "quanto-int8a8" || id == "int8-dynamic";
    QVERIFY2(!exact || at::equal(y, wanted), qPrintable(QString::number(error)));
  }

  void nothingAndOtherTypesWork() {
    c10::InferenceMode guard;
    const Quantizer& q = quantizer("bnb-nf4");
    const auto layer = q.linear(onDevice(q.pack(randomMatrix(40, 64))), {});
    QVERIFY(layer->forward(at::empty({0, 64}, at::TensorOptions().device(at::kCUDA).dtype(at::kBFloat16))).sizes() == at::IntArrayRef({0, 40}));
    QVERIFY(layer->forward(at::ones({2, 64}, at::TensorOptions().device(at::kCUDA).dtype(at::kHalf))).scalar_type() == at::kHalf);
  }
};

QTEST_GUILESS_MAIN(CudaTest)
#include "cuda_test.moc"
