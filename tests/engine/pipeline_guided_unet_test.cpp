// UNets that embed the guidance scale, as consistency distillation leaves them: sd_a's with one more weight, against diffusers.
#include "engine/model/folder.h"
#include "tests/engine/pipeline_case.h"

#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace quantspot;
using namespace quantspot::test;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kWidth = 10;

// The formula of tests/parity/guided_unet_cases.py.
at::Tensor projection(std::int64_t rows) {
  return (0.3 * at::sin(at::arange(rows * kWidth, at::kDouble) * 0.7 + 1)).to(at::kFloat).reshape({rows, kWidth});
}

// sd_a's pipeline in `folder`, with the UNet that has the weight, or whose configuration alone says so.
void makePipeline(const fs::path& folder, bool weight) {
  fs::copy(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/sd_a/pipeline", folder, fs::copy_options::recursive);
  auto config = nlohmann::json::parse(std::ifstream(folder / "unet" / "config.json"));
  config["time_cond_proj_dim"] = kWidth;
  std::ofstream(folder / "unet" / "config.json") << config;
  if (!weight) return;
  const fs::path file = folder / "unet" / "diffusion_pytorch_model.safetensors";
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  {
    const model::SafeTensors stored(file);
    for (const auto& [name, entry] : stored.entries()) tensors.emplace_back(name, stored.copy(entry));
  }
  tensors.emplace_back("time_embedding.cond_proj.weight", projection(config["block_out_channels"][0].get<std::int64_t>()));
  model::saveSafeTensors(file, tensors);
}

pipeline::SampleRequest requestFor(const fs::path& folder) {
  const Case golden("sd_a");
  pipeline::SampleRequest request = golden.request("fp32");
  request.more.clear();
  request.model = folder;
  request.recipe.scheduler = "lcm", request.recipe.steps = 4;
  return request;
}

}  // namespace

class GuidedUnetTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // One pass whatever the scale: the UNet has learned what the second was for.
  void itIsThatOfDiffusers_data() {
    QTest::addColumn<double>("guidance");
    QTest::addColumn<QString>("key");
    QTest::newRow("scale") << 6.5 << "latents_6.5";
    QTest::newRow("scale of one pass") << 1.0 << "latents_1.0";
  }
  void itIsThatOfDiffusers() {
    QFETCH(double, guidance);
    QFETCH(QString, key);
    QTemporaryDir dir;
    const fs::path folder = fs::path(dir.path().toStdString()) / "pipeline";
    makePipeline(folder, true);
    pipeline::SampleRequest request = requestFor(folder);
    request.recipe.guidance = guidance;
    pipeline::Sampler sampler;
    const pipeline::Sample sample = sampler.generate(request);
    const model::SafeTensors golden(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/guided_unet/sd_a.safetensors");
    const double error = relativeError(sample.latents, golden.copy(golden.entries().at(key.toStdString())));
    QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
    QCOMPARE(sample.report["recipe"]["guidance"].get<double>(), guidance);
  }

  void aMissingWeightIsNamed() {
    QTemporaryDir dir;
    const fs::path folder = fs::path(dir.path().toStdString()) / "pipeline";
    makePipeline(folder, false);
    pipeline::Sampler sampler;
    try {
      sampler.generate(requestFor(folder));
      QFAIL("drawn");
    } catch (const model::ModelError& error) {
      QVERIFY2(QByteArray(error.what()).contains("time_embedding.cond_proj"), error.what());
    }
  }
};

QTEST_GUILESS_MAIN(GuidedUnetTest)
#include "pipeline_guided_unet_test.moc"
