// Every layer as it works on a CUDA device, without one: the kernels run emulated, on tensors of the CPU, and all that is around them
// is what a device gets.
#include "quant/cuda_stream.h"
#include "quant/device_products.h"
#include "tests/quant/emulate.h"
#include "tests/quant/support.h"

#include <c10/core/InferenceMode.h>
#include <QTest>

namespace quantspot::quant {

static bool emulating = false;
static int launches = 0, failure = 0;

template <class Body>
int emulated(Body&& body) {
  ++launches;
  if (!failure) body();
  return failure;
}

struct OnDevice::Guard {};
OnDevice::OnDevice(const at::Tensor&) : stream_(nullptr) {}
OnDevice::~OnDevice() = default;
bool OnDevice::takes(const at::Tensor&) { return emulating; }

int cudaExpand(const DeviceWeight& w, const ExpandJob& job, CudaStream) { return emulated([&] { test::emulateExpand(w, job); }); }
int cudaFew(const DeviceWeight& w, const FewJob& job, CudaStream) { return emulated([&] { test::emulateFew(w, job); }); }
int cudaFused(const DeviceWeight& w, const FewJob& job, CudaStream) { return emulated([&] { test::emulateFused(w, job); }); }
int cudaRowScales(const RowsJob& job, CudaStream) { return emulated([&] { test::emulateRowScales(job); }); }
int cudaRowCodes(const RowsJob& job, CudaStream) { return emulated([&] { test::emulateRowCodes(job); }); }
int cudaInt8Sums(const Int8SumsJob& job, CudaStream) { return emulated([&] { test::emulateInt8Sums(job); }); }
int cudaFinish(const FinishJob& job, CudaStream) { return emulated([&] { test::emulateFinish(job); }); }
int cudaMajor(int* major) { return *major = 8, 0; }
const char* cudaMessage(int) { return "out of resources"; }

}  // namespace quantspot::quant

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

// While it lives, tensors of the CPU count as a device's.
struct Emulation {
  Emulation() { emulating = true, launches = 0; }
  ~Emulation() { emulating = false, failure = 0; }
};

bool isPlain(const QString& id) { return id == "fp32" || id == "bf16" || id == "fp16"; }

void addIds() {
  QTest::addColumn<QString>("id");
  for (const auto& known : quantizers())
    if (known->name() != "torchao-fp8dq")  // its product is torch's, which has none of the kind on a CPU
      QTest::newRow(known->name().data()) << QString::fromUtf8(known->name().data());
  for (const char* id : {"bnb-nf4?blocksize=256", "torchao-int4wo?group=32", "bnb-int8?threshold=0", "int8-dynamic?weights=per-channel"})
    QTest::newRow(id) << QString(id);
}

}  // namespace

class CudaLayersTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void layersGiveWhatTheCpuGives_data() { addIds(); }
  void layersGiveWhatTheCpuGives() {
    QFETCH(QString, id);
    c10::InferenceMode guard;
    const int shapes[][3] = {{1, 256, 24}, {5, 384, 17}, {16, 130, 40}, {20, 130, 33}, {40, 256, 64}};
    for (const auto& [rows, in, out] : shapes) {
      const Quantizer& q = quantizer(quantizer(id.toStdString()).precisionFor({out, in}));
      const at::Tensor bias = randomMatrix(1, out, 4)[0] * 3;
      const QuantizedTensor packed = q.pack(randomMatrix(out, in, 3));
      at::Tensor x = randomMatrix(rows, in, 5).to(q.computeType());
      x.select(1, 3).mul_(20);  // an outlier column
      for (const bool withBias : {true, false}) {
        const std::optional<at::Tensor> added = withBias ? std::optional(bias) : std::nullopt;
        const at::Tensor wanted = q.linear(packed, added)->forward(x);
        const Emulation device;
        const at::Tensor y = q.linear(packed, added)->forward(x);
        const double error = relativeError(y, wanted);
        QCOMPARE(launches > 0, !isPlain(QString::fromUtf8(q.name().data())));
        QCOMPARE(y.scalar_type(), wanted.scalar_type());
        QVERIFY2(error < 0.004, qPrintable(QString("%1 x %2 x %3: %4").arg(rows).arg(in).arg(out).arg(error)));
        const bool exact = id == "torchao-int8dq" || id == "quanto-int8a8" || id.startsWith("int8-dynamic") || id == "bnb-int8?threshold=0";
        QVERIFY(!exact || at::equal(y, wanted));
      }
    }
  }

  void unpackGivesTheSameBits_data() { addIds(); }
  void unpackGivesTheSameBits() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const QuantizedTensor packed = q.pack(randomMatrix(30, 512, 3));
    const at::Tensor wanted = q.unpack(packed), some = q.unpackRows(packed, 7, 9);
    const Emulation device;
    QVERIFY(at::equal(q.unpack(packed), wanted));
    QVERIFY(at::equal(q.unpackRows(packed, 7, 9), some));
  }

  void wideLayersAreMultipliedInTiles() {  // 128 MiB of bf16 hold 2048 rows of 32768: tiles of 1050
    c10::InferenceMode guard;
    const Quantizer& q = quantizer("torchao-int8wo");
    const QuantizedTensor packed{"torchao-int8wo", {2100, 32768}, at::kBFloat16,
                                 {{"", at::arange(2100, at::kInt).remainder(11).sub(5).to(at::kChar).view({-1, 1}).expand({2100, 32768}).contiguous()},
                                  {"scale", at::full({2100, 1}, 0.5, at::kFloat)},
                                  {"zero_point", at::zeros({2100, 1}, at::kChar)}}};
    const at::Tensor x = at::zeros({17, 32768}, at::kBFloat16);
    x.select(1, 9).fill_(2);
    const Emulation device;
    const at::Tensor y = q.linear(packed, {})->forward(x);
    QCOMPARE(launches, 2);
    QVERIFY(at::equal(y, packed.part("").select(1, 0).to(at::kBFloat16).expand({17, 2100})));
  }

  void kernelsThatCannotStartAreNamed() {
    const Quantizer& q = quantizer("bnb-nf4");
    const auto layer = q.linear(q.pack(randomMatrix(8, 64)), {});
    const Emulation device;
    failure = 701;
    const QString error = thrown([&] { layer->forward(at::ones({2, 64}, at::kBFloat16)); });
    QVERIFY2(error.contains("few rows") && error.contains("out of resources"), qPrintable(error));
  }

  void typesWithoutKernelsAreRefused() {
    const Emulation device;
    const QString error = thrown([] { deviceProducts(at::ones({1}))->expand({}, 0, 0, at::kDouble); });
    QVERIFY2(error.contains("Double") && error.contains("bf16"), qPrintable(error));
  }

  void nothingGivesNothing_data() { addIds(); }
  void nothingGivesNothing() {
    QFETCH(QString, id);
    const Emulation device;
    const auto layer = packedLinear(id.toStdString(), randomMatrix(16, 256));
    QVERIFY(layer->forward(at::empty({0, 256})).sizes() == at::IntArrayRef({0, 16}));
  }
};

QTEST_GUILESS_MAIN(CudaLayersTest)
#include "cuda_layers_test.moc"
