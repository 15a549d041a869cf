// Inception, LPIPS and DISTS with random weights against torch-fidelity, lpips and piq.
#include "metrics/dists.h"
#include "metrics/inception.h"
#include "metrics/lpips.h"
#include "tests/metrics/formulas.h"

#include <QTest>

#include <c10/core/InferenceMode.h>

#include <set>

using namespace quantspot;

class NetworksTest : public QObject {
  Q_OBJECT
  const nlohmann::json numbers_ = test::scoreNumbers();
  const c10::InferenceMode inference_;

 private Q_SLOTS:
  void inceptionFeaturesAreThoseOfTorchFidelity() {
    const metrics::Inception inception(test::weight);
    const at::Tensor pixels = at::cat({metrics::inceptionPixels(test::texture(40, 52, 30)), metrics::inceptionPixels(test::texture(128, 96, 30))});
    const at::Tensor got = inception.features(pixels);
    QCOMPARE(got.size(1), metrics::Inception::kFeatures);
    const model::SafeTensors file(test::kScores / "scores.safetensors");
    const at::Tensor expected = file.copy(file.entries().at("inception"));
    const double error = ((got.slice(1, 0, metrics::Inception::kFeatures, 8) - expected).norm() / expected.norm()).item<double>();
    qInfo("relative error of the features: %.2g", error);
    QVERIFY(error < 1e-5);
    QVERIFY(((expected[0] - expected[1]).norm() / expected.norm()).item<double>() > 1e-3);   // the two pictures differ far more
  }

  void everyTensorOfInceptionHasANameInTorchScript() {
    std::set<std::string> names;
    int without = 0;
    metrics::Inception([&](const std::string& name, const std::vector<std::int64_t>& shape) {
      const std::string script = metrics::torchScriptName(name);
      if (script.empty()) ++without;
      else if (!names.insert(script).second) qFatal("%s twice", script.c_str());
      if (script.empty() != name.ends_with("bn.weight")) qFatal("%s", name.c_str());
      return test::weight(name, shape);
    });
    QCOMPARE(names.size(), std::size_t{94 * 4});
    QCOMPARE(without, 94);
    for (const char* name : {"layers.conv.weight", "layers.conv_4.var", "layers.mixed_2.tower_1.conv_2.beta", "layers.mixed_3.tower.conv_2.mean",
                             "layers.mixed_3.conv.weight",
                             "layers.mixed_7.tower_1.conv_4.weight", "layers.mixed_8.tower_1.conv_3.weight", "layers.mixed_8.tower.conv_1.beta",
                                 "layers.mixed_9.tower_mixed_conv_1.weight",
                             "layers.mixed_10.tower_1_mixed_conv.mean", "layers.mixed_10.tower_2_conv.weight", "layers.mixed_4.tower_2.conv.weight"})
      QVERIFY2(names.contains(name), name);
    QCOMPARE(metrics::torchScriptName("Mixed_9z.branch.conv.weight"), std::string());
    QCOMPARE(metrics::torchScriptName("fc"), std::string());
  }

  void lpipsIsThatOfItsAuthors_data() {
    QTest::addColumn<int>("row");
    for (int i = 0; i < static_cast<int>(numbers_["lpips"].size()); ++i)
      QTest::newRow((numbers_["lpips"][i]["net"].get<std::string>() + std::to_string(i)).c_str()) << i;
  }
  void lpipsIsThatOfItsAuthors() {
    QFETCH(int, row);
    const auto& c = numbers_["lpips"][row];
    const std::string net = c["net"];
    const metrics::Lpips lpips(net == "alex" ? metrics::TrunkKind::Alex : net == "vgg" ? metrics::TrunkKind::Vgg : metrics::TrunkKind::Squeeze,
                               test::weight);
    const metrics::Image image = test::texture(c["width"], c["height"], c["seed"]), other = test::worse(image, c["seed"].get<std::uint32_t>() + 1);
    const double got = lpips(other, image), expected = c["value"];
    QVERIFY2(test::near(got, expected, 1e-4), qPrintable(QString("%1 against %2").arg(got, 0, 'g', 9).arg(expected, 0, 'g', 9)));
    QVERIFY(test::near(lpips(image, other), got, 1e-6));
    QCOMPARE(lpips(image, image), 0.0);
    QVERIFY_EXCEPTION_THROWN(lpips(image, test::texture(20, 20, 1)), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(lpips(test::texture(9, 40, 1), test::texture(9, 40, 1)), std::invalid_argument);
  }

  void distsIsThatOfPiq() {
    const metrics::Dists dists(test::weight);
    for (const auto& c : numbers_["dists"]) {
      const metrics::Image image = test::texture(c["width"], c["height"], c["seed"]), other = test::worse(image, c["seed"].get<std::uint32_t>() + 1);
      const double got = dists(other, image), expected = c["value"];
      QVERIFY2(std::abs(got - expected) < 1e-5, qPrintable(QString("%1 against %2").arg(got, 0, 'g', 9).arg(expected, 0, 'g', 9)));
      QVERIFY(std::abs(dists(image, image)) < 1e-6);
    }
  }
};

QTEST_APPLESS_MAIN(NetworksTest)
#include "networks_test.moc"
