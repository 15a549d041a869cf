// FlowMatchEulerDiscreteScheduler: figures from diffusers 0.42.1 with FluxPipeline's sigmas and mu.
#include "engine/model/folder.h"
#include "engine/model/scheduler.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace quantspot::model;

class ModelSchedulerTest : public QObject {
  Q_OBJECT

  QTemporaryDir dir_;
  FlowMatchEuler scheduler(const QString& settings) const {
    const std::filesystem::path folder = std::filesystem::path(dir_.path().toStdString()) / "scheduler";
    std::filesystem::create_directories(folder);
    const QString comma = settings.isEmpty() ? "" : ", ";
    std::ofstream(folder / "scheduler_config.json") << "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"" << (comma + settings).toStdString() << "}";
    return FlowMatchEuler(folder.parent_path());
  }

 private Q_SLOTS:
  void sigmas_data();
  void sigmas() {
    QFETCH(QString, settings);
    QFETCH(int, steps);
    QFETCH(int, length);
    QFETCH(QList<double>, expected);
    FlowMatchEuler s = scheduler(settings);
    s.setTimesteps(steps, length);
    QCOMPARE(s.sigmas().size(), static_cast<std::size_t>(steps) + 1);
    QCOMPARE(s.timesteps().size(), static_cast<std::size_t>(steps));
    for (int i = 0; i <= steps; ++i)
      QVERIFY2(s.sigmas()[static_cast<std::size_t>(i)] == static_cast<float>(expected[i]), qPrintable(QString::number(s.sigmas()[static_cast<std::size_t>(i)], 'g', 9)));
  }

  void unsupportedSettings_data() {
    QTest::addColumn<QString>("settings");
    QTest::newRow("beta") << R"("use_beta_sigmas": true)";
    QTest::newRow("stochastic") << R"("stochastic_sampling": true)";
    QTest::newRow("shift type") << R"("time_shift_type": "cosine")";
    QTest::newRow("two spacings") << R"("use_karras_sigmas": true, "use_exponential_sigmas": true)";
    QTest::newRow("type") << R"("shift": "three")";
    QTest::newRow("timesteps") << R"("num_train_timesteps": 0)";
  }
  void unsupportedSettings() {
    QFETCH(QString, settings);
    QVERIFY_THROWS_EXCEPTION(ModelError, scheduler(settings));
  }

  void anotherSchedulerIsNamed() {
    std::ofstream(dir_.filePath("scheduler/scheduler_config.json").toStdString()) << R"({"_class_name": "DDIMScheduler"})";
    try {
      FlowMatchEuler s(dir_.path().toStdString());
      QFAIL("no error");
    } catch (const ModelError& error) {
      QVERIFY2(QString(error.what()).contains("DDIMScheduler"), error.what());
    }
  }

  void aStepGoesAlongTheVelocity() {
    FlowMatchEuler s = scheduler("");
    s.setTimesteps(2, 16);  // 1, 0.5, 0
    const at::Tensor sample = at::ones({1, 2, 4}), velocity = at::full({1, 2, 4}, 0.25);
    QVERIFY(s.step(velocity, 0, sample).equal(at::full({1, 2, 4}, 0.875)));
    QCOMPARE(s.step(velocity.to(at::kBFloat16), 1, sample.to(at::kBFloat16)).scalar_type(), at::kBFloat16);
  }

  void noStepsIsAnError() {
    FlowMatchEuler s = scheduler("");
    QVERIFY_THROWS_EXCEPTION(ModelError, s.setTimesteps(0, 16));
  }
};

void ModelSchedulerTest::sigmas_data() {
  QTest::addColumn<QString>("settings");
  QTest::addColumn<int>("steps");
  QTest::addColumn<int>("length");
  QTest::addColumn<QList<double>>("expected");
  QTest::newRow("plain") << "" << 4 << 16
      << QList<double>{1.0, 0.75, 0.5, 0.25, 0.0};
  QTest::newRow("one step") << "" << 1 << 16
      << QList<double>{1.0, 0.0};
  QTest::newRow("static shift") << R"("shift": 3.0)" << 5 << 64
      << QList<double>{1.0, 0.923076987, 0.818181813, 0.666666687, 0.428571463, 0.0};
  QTest::newRow("dynamic") << R"("use_dynamic_shifting": true)" << 6 << 1024
      << QList<double>{1.0, 0.903735578, 0.7897048, 0.652489424, 0.484218419, 0.27300331, 0.0};
  QTest::newRow("dynamic linear, other lengths") << R"("use_dynamic_shifting": true, "time_shift_type": "linear", "base_shift": 0.3, "max_shift": 1.7, "base_image_seq_len": 100, "max_image_seq_len": 999)" << 5 << 333
      << QList<double>{1.0, 0.726131737, 0.498563766, 0.306469887, 0.142155111, 0.0};
  QTest::newRow("terminal") << R"("use_dynamic_shifting": true, "shift_terminal": 0.1)" << 5 << 256
      << QList<double>{1.0, 0.832655549, 0.634053588, 0.394534111, 0.100000024, 0.0};
  QTest::newRow("karras") << R"("use_karras_sigmas": true, "shift": 2.0)" << 5 << 16
      << QList<double>{1.0, 0.771888673, 0.589915693, 0.446026564, 0.333333313, 0.0};
  QTest::newRow("exponential") << R"("use_exponential_sigmas": true)" << 5 << 16
      << QList<double>{1.0, 0.668740332, 0.44721359, 0.299069762, 0.200000003, 0.0};
  QTest::newRow("inverted") << R"("invert_sigmas": true, "shift": 1.5)" << 4 << 16
      << QList<double>{0.0, 0.181818187, 0.399999976, 0.666666627, 1.0};
  QTest::newRow("fewer training steps") << R"("num_train_timesteps": 500)" << 3 << 16
      << QList<double>{1.0, 0.666666687, 0.333333343, 0.0};
}

QTEST_GUILESS_MAIN(ModelSchedulerTest)
#include "model_scheduler_test.moc"
