// metrics/score with weights from files, sets of pictures, the catalogue of weights.
#include "engine/model/safetensors.h"
#include "engine/pipeline/png.h"
#include "engine/protocol/base64.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/metric_offer.h"
#include "engine/service/metric_weights.h"
#include "engine/service/models.h"
#include "engine/service/scorer.h"
#include "evaluation/figures.h"
#include "metrics/lpips.h"
#include "metrics/npz.h"
#include "metrics/pair_moments.h"
#include "tests/metrics/formulas.h"

#include <QDir>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using protocol::ScoreParams;
namespace fs = std::filesystem;

namespace {

std::string png(const metrics::Image& image) { return protocol::toBase64(pipeline::encodePng({image.width, image.height, image.pixels})); }

std::vector<std::string> pictures(int count, std::uint32_t seed) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(png(test::texture(32, 32, seed + static_cast<std::uint32_t>(i))));
  return all;
}

template <class Work>
QString messageOf(Work&& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

class ScoresTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  service::Scorer scorer_;
  fs::path path(const char* name) const { return folder_.filePath(name).toStdString(); }

 private Q_SLOTS:
  void initTestCase() {
    qputenv("QUANTSPOT_METRICS", folder_.filePath("metrics").toUtf8());
    // LPIPS of squeezenet as lpips keeps it: the trunk in slices, the lines in a file of their own.
    std::vector<std::pair<std::string, at::Tensor>> trunk, lines;
    metrics::Lpips(metrics::TrunkKind::Squeeze, [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      const at::Tensor tensor = test::weight(name, shape);
      if (name.starts_with("lin")) lines.emplace_back(name, tensor);
      else trunk.emplace_back("net.slice3." + name.substr(9), tensor);
      return tensor;
    });
    model::saveSafeTensors(path("trunk.safetensors"), trunk);
    model::saveSafeTensors(path("lines.safetensors"), lines);
  }

  void lpipsTakesItsWeightsFromFiles() {
    const auto row = test::scoreNumbers()["lpips"][3];
    QCOMPARE(row["net"].get<std::string>(), std::string("squeeze"));
    const metrics::Image image = test::texture(row["width"], row["height"], 20), other = test::worse(image, 21);
    ScoreParams params{"lpips", png(other), png(image)};
    params.net = "squeeze";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("metrics download lpips-squeeze"));
    params.weights = {path("trunk.safetensors").string(), path("lines.safetensors").string()};
    const auto result = scorer_.score(params);
    QVERIFY(test::near(result.value, row["value"], 1e-4));
    QCOMPARE(result.weights_sha256.size(), std::size_t{64});
    QCOMPARE(result.label, std::string("LPIPS (squeeze)"));
    params.weights.pop_back();
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("lin0.model.1.weight"));
    params.weights = {path("trunk.safetensors").string()};
    params.net = "alex";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("shape"));
    params.net = "resnet";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("alex, vgg or squeeze"));
  }

  void lpipsIsFoundWhereItWasDownloaded() {
    const fs::path place = service::metricsFolder() / "lpips-squeeze";
    fs::create_directories(place);
    QVERIFY(service::installedMetric("lpips-squeeze").empty());
    std::error_code error;
    const service::MetricEntry& entry = *service::findMetric("lpips-squeeze");
    // The catalogue's names end in .pth; what is read goes by the content of the file in that place.
    for (const auto& file : entry.files) std::ofstream(place / file.name) << "x";
    QCOMPARE(service::installedMetric("lpips-squeeze").size(), std::size_t{2});
    ScoreParams params{"lpips", png(test::texture(40, 40, 1)), png(test::texture(40, 40, 2))};
    params.net = "squeeze";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("squeezenet1_1-b8a52dc0.pth"));
    fs::remove_all(place, error);
  }

  // What is offered follows what is here: real weights, else what stands in for them, else what is lacking.
  void offersFollowWhatIsInstalled() {
    const auto offer = [](const char* id) {
      for (const auto& metric : service::offeredMetrics({"default"}).metrics)
        if (metric.id == id) return metric;
      return protocol::OfferedMetric{};
    };
    const auto clip = offer("clip"), fid = offer("fid"), lpips = offer("lpips-squeeze"), msSsim = offer("ms-ssim");
    QVERIFY(clip.ready && clip.label == "CLIP-tiny" && clip.needs == "clip-vit-large-patch14" && clip.weights_sha256.size() == 64 &&
            clip.clip.empty());
    QVERIFY(fid.ready && fid.gives == "fd-clip-tiny" && fid.label == "FD-CLIP-tiny" && fid.needs == "inception" && fid.kind == "set");
    QVERIFY(!lpips.ready && lpips.needs == "lpips-squeeze" && lpips.metric == "lpips" && lpips.net == "squeeze");
    QVERIFY(msSsim.ready && msSsim.needs.empty() && msSsim.weights_sha256.empty() && msSsim.smallest == 176);
    for (const auto& metric : service::offeredMetrics({"default"}).metrics) QVERIFY2(evaluation::figureInfo(metric.gives), metric.gives.c_str());

    const fs::path place = service::metricsFolder() / "lpips-squeeze";
    fs::create_directories(place);
    const service::MetricEntry& entry = *service::findMetric("lpips-squeeze");
    fs::copy_file(path("trunk.safetensors"), place / entry.files[0].name);   // read by content, not by name
    fs::copy_file(path("lines.safetensors"), place / entry.files[1].name);
    const auto there = offer("lpips-squeeze");
    QVERIFY(there.ready && there.needs.empty() && there.weights_sha256.size() == 64);
    ScoreParams params{there.metric, png(test::texture(40, 40, 1)), png(test::texture(40, 40, 2))};
    params.net = there.net;
    QCOMPARE(scorer_.score(params).weights_sha256, there.weights_sha256);
    fs::remove_all(place);
    QVERIFY(!offer("lpips-squeeze").ready);

    const fs::path large = service::metricsFolder() / "clip-vit-large-patch14";
    fs::create_directories(large.parent_path());
    fs::create_directory_symlink(test::kScores / "clip", large);
    const bool whole = fs::exists(large / "model.safetensors");
    const auto real = offer("clip");
    QCOMPARE(real.label, std::string(whole ? "CLIP" : "CLIP-tiny"));
    QCOMPARE(real.clip, std::string(whole ? "clip-vit-large-patch14" : ""));
    fs::remove(large);
    QVERIFY(messageOf([] { service::offeredMetrics({"/no/such/model"}); }).contains("/no/such/model"));
  }

  // A comparison asks for several metrics picture by picture: each network is read once.
  void networksAreKeptBetweenMetrics() {
    ScoreParams lpips{"lpips", png(test::texture(40, 40, 1)), png(test::texture(40, 40, 2))}, psnr{"psnr", lpips.image, lpips.reference};
    lpips.net = "squeeze";
    lpips.weights = {path("trunk.safetensors").string(), path("lines.safetensors").string()};
    service::Scorer scorer;
    const double first = scorer.score(lpips).value;
    scorer.score(psnr);
    fs::rename(path("trunk.safetensors"), path("away.safetensors"));
    QCOMPARE(scorer.score(lpips).value, first);
    fs::rename(path("away.safetensors"), path("trunk.safetensors"));
  }

  void statisticsAreSentAsAFile() {
    ScoreParams params{.metric = "fid"};
    params.image_features = {{1, 2, 0}, {3, 5, 1}, {2, 2, 2}, {0, 1, 4}, {4, 4, 4}, {1, 0, 1}};
    params.reference_features = {{1, 1, 1}, {2, 5, 0}, {3, 3, 3}, {0, 4, 2}, {2, 2, 5}, {1, 3, 1}};
    const double value = scorer_.score(params).value;
    at::Tensor rows = at::empty({6, 3});
    for (int i = 0; i < 6; ++i)
      for (int k = 0; k < 3; ++k) rows[i][k] = params.reference_features[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
    metrics::writeStatistics(path("sent.npz"), metrics::statisticsOf(rows));
    params.reference_features.clear();
    params.reference_file = protocol::toBase64(metrics::readAll(path("sent.npz")));
    const auto sent = scorer_.score(params);
    QVERIFY(test::near(sent.value, value, 1e-9) && !sent.ci95 && sent.n == 6);
    params.reference_file = "UEsDBA==";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("reference_file"));
    params.metric = "kid";
    params.reference_file = protocol::toBase64(metrics::readAll(path("sent.npz")));
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("single pictures"));
  }

  void namesOfTorchScriptAreFound() {
    model::saveSafeTensors(path("script.safetensors"), {{"layers.conv.weight", test::weight("w", {32, 3, 3, 3})},
                                                        {"layers.conv.beta", test::weight("b", {32})},
                                                        {"layers.mixed_9.tower_mixed_conv.mean", test::weight("m", {384})}});
    const service::MetricWeights weights({path("script.safetensors")});
    QVERIFY(at::equal(weights.read("Conv2d_1a_3x3.conv.weight", {32, 3, 3, 3}), test::weight("w", {32, 3, 3, 3})));
    QVERIFY(at::equal(weights.read("Conv2d_1a_3x3.bn.bias", {32}), test::weight("b", {32})));
    QVERIFY(at::equal(weights.read("Conv2d_1a_3x3.bn.weight", {32}), at::ones({32})));
    QVERIFY(at::equal(weights.read("Mixed_7b.branch3x3_2a.bn.running_mean", {384}), test::weight("m", {384})));
    QVERIFY(messageOf([&] { weights.read("Mixed_7b.branch3x3_2a.bn.running_var", {384}); }).contains("running_var"));
    QVERIFY(messageOf([&] { weights.read("Conv2d_1a_3x3.bn.bias", {31}); }).contains("(32)"));
  }

  void setsAreNeverCalledFidWithoutInception() {
    ScoreParams params{.metric = "fid"};
    params.images = pictures(8, 1);
    params.references = pictures(7, 100);
    const auto fid = scorer_.score(params);
    QCOMPARE(fid.label, std::string("FD-CLIP-tiny"));
    QCOMPARE(fid.metric, std::string("fd-clip-tiny"));
    QVERIFY(fid.value > 0 && fid.n == 8 && fid.ci95 && (*fid.ci95)[0] <= fid.value && fid.value <= (*fid.ci95)[1]);
    QVERIFY(QString::fromStdString(fid.warnings.at(0)).contains("metrics download inception"));
    params.metric = "kid";
    QCOMPARE(scorer_.score(params).label, std::string("KD-CLIP-tiny"));
    params.metric = "cmmd";
    const auto cmmd = scorer_.score(params);
    QCOMPARE(cmmd.metric, std::string("cmmd-clip-tiny"));
    QVERIFY(cmmd.published && *cmmd.published > cmmd.value && cmmd.ci95);
    params.references = params.images;
    QVERIFY(std::abs(*scorer_.score(params).published) < 1e-6);
    params.metric = "fid";
    QVERIFY(std::abs(scorer_.score(params).value) < 1e-6);
  }

  void featuresStandForPictures() {
    ScoreParams params{.metric = "kid"};
    params.images = pictures(6, 1);
    params.references = pictures(6, 50);
    const double value = scorer_.score(params).value;
    ScoreParams only = params;
    only.references.clear();
    only.return_features = true;
    const auto features = scorer_.score(only);
    QCOMPARE(features.features.size(), std::size_t{6});
    QVERIFY(std::isnan(features.value));
    ScoreParams given{.metric = "kid"};
    given.image_features = features.features;
    given.references = params.references;
    QVERIFY(test::near(scorer_.score(given).value, value, 1e-5));
  }

  void setsThatCannotBeComparedAreRefused() {
    ScoreParams params{.metric = "fid"};
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("images"));
    params.images = pictures(1, 1);
    params.references = pictures(3, 2);
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("two pictures"));
    params.images = {"AAAA", "AAAA"};
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("picture 1"));
    params.images.clear();
    params.image_features = {{1, 2}, {3}};
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("row 2"));
    params.image_features = {{1, 2}, {3, NAN}};
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("finite"));
    params.image_features = {{1, 2}, {3, 5}};
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("one network"));
    params.metric = "beauty";
    QVERIFY(messageOf([&] { scorer_.score(params); }).contains("ms-ssim"));
  }

  void statisticsFilesStandForSets() {
    const at::Tensor a = test::uniform("a", {30, 4}), b = test::uniform("b", {20, 4}) + 0.1;
    metrics::writeStatistics(path("a.npz"), metrics::statisticsOf(a));
    metrics::writeNpz(path("b.npz"), {{"feats", b}});
    const auto sa = service::readFeatureSet(path("a.npz")), sb = service::readFeatureSet(path("b.npz"));
    const auto score = service::scoreSets("fid", "inception", sa, sb);
    QVERIFY(test::near(score.value, metrics::frechetDistance(metrics::statisticsOf(a), metrics::statisticsOf(b)), 1e-9));
    QVERIFY(score.label == "FID" && !score.ci95 && score.warnings.size() == 2);
    QVERIFY(QString::fromStdString(score.warnings[0]).contains("20 pictures: below 2048"));
    QVERIFY(messageOf([&] { service::scoreSets("kid", "inception", sa, sb); }).contains("single pictures"));
  }

  // Sets drawn from two normal distributions; what the interval must hold is the mean of the distances of such sets.
  void intervalsOfFidTellItsSpread() {
    constexpr int kSets = 100, kN = 80, kWidth = 4;
    const auto draw = [&](std::uint64_t seed, double shift) { return shift + at::randn({kN, kWidth}, at::detail::createCPUGenerator(seed),
                                                                                       at::kDouble); };
    std::vector<service::SetScore> scores;
    double mean = 0;
    for (std::uint64_t i = 0; i < kSets; ++i) {
      scores.push_back(service::scoreSets("fid", "inception", {draw(2 * i, 0), {}}, {draw(2 * i + 1, 0.4), {}}));
      mean += scores.back().value / kSets;
    }
    int held = 0;
    for (const auto& score : scores) held += score.ci95->low <= mean && mean <= score.ci95->high ? 1 : 0;
    qInfo("coverage of FID's interval: %.3f", held / double(kSets));
    QVERIFY(held / double(kSets) > 0.90);
  }

  // Pictures of the same prompts and seeds are drawn together: what they have in common says nothing of their distance.
  void pairedSetsAreResampledTogether() {
    constexpr int kSets = 100, kN = 80, kWidth = 4;
    const auto draw = [&](std::uint64_t seed) { return at::randn({kN, kWidth}, at::detail::createCPUGenerator(seed), at::kDouble); };
    std::vector<service::SetScore> together;
    double mean = 0, width = 0, apart = 0;
    for (std::uint64_t i = 0; i < kSets; ++i) {
      const at::Tensor a = draw(2 * i), b = a + 0.4 + 0.3 * draw(2 * i + 1);
      together.push_back(service::scoreSets("fid", "inception", {a, {}}, {b, {}}, true));
      const auto unpaired = service::scoreSets("fid", "inception", {a, {}}, {b, {}});
      QCOMPARE(unpaired.value, together.back().value);
      mean += unpaired.value / kSets;
      width += together.back().ci95->high - together.back().ci95->low, apart += unpaired.ci95->high - unpaired.ci95->low;
    }
    int held = 0;
    for (const auto& score : together) held += score.ci95->low <= mean && mean <= score.ci95->high ? 1 : 0;
    qInfo("coverage %.3f, width %.2f of the unpaired one", held / double(kSets), width / apart);
    QVERIFY(held / double(kSets) > 0.90 && width < 0.7 * apart);
    const at::Tensor a = draw(1);
    const auto same = service::scoreSets("fid", "inception", {a, {}}, {a, {}}, true);
    QVERIFY(same.ci95->high - same.ci95->low < 1e-6);
    QVERIFY(messageOf([&] { service::scoreSets("fid", "inception", {a, {}}, {a.slice(0, 1), {}}, true); }).contains("equally many pictures"));
  }

  void kernelDistancesOfPairsLeaveThePartnersOut() {
    const auto draw = [](std::uint64_t seed) { return at::randn({40, 6}, at::detail::createCPUGenerator(seed), at::kDouble); };
    const at::Tensor a = draw(1), b = a + 0.2 + 0.3 * draw(2);
    for (const auto& [metric, kernel] : {std::pair{"kid", metrics::Kernel::Cubic}, {"cmmd", metrics::Kernel::Gaussian}}) {
      const auto apart = service::scoreSets(metric, "inception", {a, {}}, {b, {}});
      const auto pairs = service::scoreSets(metric, "inception", {a, {}}, {b, {}}, true);
      const auto moments = metrics::pairMoments(kernel, a, b);
      QVERIFY(pairs.value == moments.value && pairs.n == 40 && pairs.label == apart.label);
      QVERIFY(pairs.value > apart.value);            // partners are alike
      QVERIFY(pairs.ci95->low <= pairs.value && pairs.value <= pairs.ci95->high);
      QVERIFY(pairs.ci95->high - pairs.ci95->low < apart.ci95->high - apart.ci95->low);
      // What the references give of the same pictures is told with it.
      QCOMPARE(*pairs.published, std::string(metric) == "kid" ? apart.value : *apart.published);
      const auto same = service::scoreSets(metric, "inception", {a, {}}, {a, {}}, true);
      QVERIFY(same.value == 0 && same.ci95->low == 0 && same.ci95->high == 0);
      QVERIFY(pairs.ci95->low > 0 && pairs.warnings.empty() && same.warnings.size() == 1);
      QVERIFY(QString::fromStdString(same.warnings[0]).contains("do not tell the two sets apart"));
      QVERIFY(!service::scoreSets(metric, "inception", {a.slice(0, 0, 5), {}}, {b.slice(0, 0, 5), {}}, true).ci95);
      QVERIFY(messageOf([&] { service::scoreSets(metric, "inception", {a, {}}, {b.slice(0, 1), {}}, true); }).contains("equally many pictures"));
    }
  }

  void clipFoldersAreFoundByName() {
    QVERIFY(messageOf([] { service::clipFolder("clip-vit-large-patch14", {}); }).contains("metrics download clip-vit-large-patch14"));
    QVERIFY(messageOf([] { service::clipFolder("/nowhere/x", {}); }).contains("no folder of a CLIPModel"));
    QCOMPARE(service::clipFolder((test::kScores / "clip").string(), {}), test::kScores / "clip");
    ScoreParams params{"clip-image", png(test::texture(50, 40, 1)), png(test::texture(50, 40, 1))};
    const auto tiny = scorer_.score(params);
    QVERIFY(tiny.label == "CLIP-tiny-image" && test::near(tiny.value, 100, 1e-5));
    params.clip = (test::kScores / "clip").string();
    QCOMPARE(scorer_.score(params).label, std::string("CLIP-image"));
  }

  void catalogueIsFetchedAsAskedFor() {
    const QString root = folder_.filePath("hub"), repo = root + "/openai/clip-vit-base-patch32";
    QVERIFY(QDir().mkpath(repo));
    for (const char* name : {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"})
      QVERIFY(QFile::copy(QString::fromStdString((test::kScores / "clip" / name).string()), repo + "/" + name));
    QVERIFY(QFile::copy(QString::fromStdString((test::kScores / "zip.pth").string()), repo + "/pytorch_model.bin"));
    QVERIFY(QFile::copy(QString::fromStdString((test::kScores / "zip.pth").string()), repo + "/tf_model.h5"));
    QProcess hub;
    hub.start(PYTHON3, {QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/engine/fake_hub.py"), root});
    QVERIFY(hub.waitForReadyRead(20000));
    qputenv("HF_ENDPOINT", "http://127.0.0.1:" + hub.readLine().trimmed());
    qputenv("HF_HUB_CACHE", folder_.filePath("cache").toUtf8());
    const fs::path place = service::downloadMetric("clip-vit-base-patch32", {});
    QCOMPARE(service::installedMetric("clip-vit-base-patch32"), std::vector{place});
    QVERIFY(fs::exists(place / "tokenizer.json") && !fs::exists(place / "tf_model.h5"));
    const model::SafeTensors weights(place / "model.safetensors");
    QVERIFY(at::equal(weights.copy(weights.entries().at("a")), test::weight("base.weight", {4, 6})));
    // that hub has none
    QVERIFY(messageOf([] { service::downloadMetric("clip-vit-large-patch14", {}); }).contains("openai/clip-vit-large-patch14"));
    QVERIFY(messageOf([] { service::downloadMetric("beauty", {}); }).contains("inception"));
    hub.kill();
    hub.waitForFinished();
  }
};

QTEST_GUILESS_MAIN(ScoresTest)
#include "service_scores_test.moc"
