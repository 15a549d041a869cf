// Activations with scales of their own: before, during and after a calibration.
#include "quant/calibration.h"
#include "tests/quant/support.h"

#include <QTest>

#include <limits>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

class CalibrationTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void onlyRoundedActivationsHaveScales() {
    for (const auto& q : quantizers()) {
      const auto linear = q->linear(q->pack(randomMatrix(16, 256)), {});
      QCOMPARE(calibratedLinear(*linear) != nullptr, q->name() == "quanto-int8a8");
    }
  }

  // Without a calibration each input has the scale that one with it alone would find.
  void uncalibratedIsCalibratedWithTheInput() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(32, 64), randomMatrix(1, 32)[0]);
    CalibratedLinear* layer = calibratedLinear(*linear);
    for (const double size : {1.0, 1e-6, 1e6}) {
      const at::Tensor x = (randomMatrix(5, 64, 7) * size).to(at::kBFloat16);
      layer->setScales({});
      const at::Tensor before = linear->forward(x);
      QCOMPARE(layer->scales().input, 1.0f);  // nothing is kept
      {
        const Calibration watching({layer});
        linear->forward(x);
      }
      QVERIFY(at::equal(linear->forward(x), before));
    }
  }

  void scalesStayAfterwards() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(32, 64));
    CalibratedLinear* layer = calibratedLinear(*linear);
    {
      const Calibration watching({layer});
      linear->forward(at::full({1, 64}, 12.7f));
    }
    const float found = layer->scales().input;
    QCOMPARE(found, at::tensor(0.1f).to(at::kBFloat16).item<float>());
    linear->forward(at::full({1, 64}, 1000.0f));
    QCOMPARE(layer->scales().input, found);
  }

  void aSecondCalibrationStartsAnew() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(32, 64));
    CalibratedLinear* layer = calibratedLinear(*linear);
    for (const float value : {127.0f, 254.0f}) {
      const Calibration watching({layer});
      linear->forward(at::full({1, 64}, value * 2));
    }
    QCOMPARE(layer->scales().input, 4.0f);
  }

  void valuesBeyondTheScaleAreCut() {
    const auto linear = packedLinear("quanto-int8a8", at::eye(8));
    calibratedLinear(*linear)->setScales({.input = 0.5f});
    const at::Tensor x = at::tensor({1000.0f, -1000.0f, 63.5f, 0.2f, 0.3f, -0.75f, 0.0f, 1.0f}).view({1, 8});
    const at::Tensor wanted = at::tensor({63.5f, -64.0f, 63.5f, 0.0f, 0.5f, -1.0f, 0.0f, 1.0f}).view({1, 8});
    const at::Tensor y = linear->forward(x);
    QVERIFY2(relativeError(y, wanted) < 0.01, qPrintable(QString::number(relativeError(y, wanted))));
  }

  void outputsAreRoundedWhenAsked() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(32, 64));
    calibratedLinear(*linear)->setScales({.input = 0.03f, .output = 0.25f, .quantizeOutput = true});
    const at::Tensor y = linear->forward(randomMatrix(4, 64, 3));
    QVERIFY(at::equal(y, (y * 4).round() / 4));
    QVERIFY(y.abs().max().item<float>() <= 32);
  }

  void aLayerThatOnlySawZerosStillWorks() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(32, 64), at::ones({32}));
    QVERIFY(at::equal(linear->forward(at::zeros({3, 64})), at::ones({3, 32})));
    const Calibration watching({calibratedLinear(*linear)});
    QVERIFY(at::equal(linear->forward(at::zeros({3, 64})), at::ones({3, 32})));
  }

  void notANumberIsNotHiddenBeforeCalibration() {
    at::Tensor x = at::ones({2, 64});
    x[1][3] = std::numeric_limits<float>::quiet_NaN();
    QVERIFY(packedLinear("quanto-int8a8", randomMatrix(16, 64))->forward(x).isnan().all().item<bool>());
  }

  // What such a calibration finds can be set again.
  void aLayerThatOnlySawZerosGivesItsBias() {
    const at::Tensor bias = randomMatrix(1, 16, 3).flatten().to(at::kBFloat16), zeros = at::zeros({2, 64}, at::kBFloat16);
    const Quantizer& q = quantizer("quanto-int8a8");
    const auto linear = q.linear(q.pack(randomMatrix(16, 64)), bias), again = q.linear(q.pack(randomMatrix(16, 64)), bias);
    {
      const Calibration watching({calibratedLinear(*linear)});
      linear->forward(zeros);
    }
    const ActivationScales found = calibratedLinear(*linear)->scales();
    QCOMPARE(found.input, 0.0f);
    calibratedLinear(*again)->setScales(found);
    QVERIFY(at::equal(again->forward(zeros), bias.expand({2, 16})));
  }

  void impossibleScalesAreRefused() {
    const auto linear = packedLinear("quanto-int8a8", randomMatrix(16, 64));
    for (const float bad : {-1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      QVERIFY(thrown([&] { calibratedLinear(*linear)->setScales({.input = bad}); }).contains("activation scale"));
      QVERIFY(thrown([&] { calibratedLinear(*linear)->setScales({.output = bad}); }).contains("activation scale"));
    }
  }
};

QTEST_GUILESS_MAIN(CalibrationTest)
#include "calibration_test.moc"
