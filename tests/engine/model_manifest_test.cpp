// The public configurations of real models, built on the meta device without any weight file: every parameter's name and shape is
// that of the reference (tests/parity/manifest_cases.py).
#include "engine/model/autoencoder.h"
#include "engine/model/clip_text.h"
#include "engine/model/family.h"
#include "engine/model/flux/flux.h"
#include "engine/model/sha256.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/unet/unet.h"
#include "tests/engine/model_golden.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <numeric>
#include <set>

using namespace quantspot::model;
using namespace quantspot::model::test;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const json& configs() {
  static const json all = readJson(source("tests/parity/golden/manifest/configs.json"));
  return all;
}

// A Linear layer that knows its shape alone.
class NoLinear final : public quantspot::quant::Linear {
 public:
  explicit NoLinear(const std::vector<std::int64_t>& shape) : shape_(shape) {}
  at::Tensor forward(const at::Tensor&) const override { throw std::logic_error("there is no weight"); }
  std::string_view precision() const override { return "fp32"; }
  std::int64_t bytes() const override { return 4 * shape_[0] * shape_[1]; }
  std::int64_t inFeatures() const override { return shape_[1]; }
  std::int64_t outFeatures() const override { return shape_[0]; }

 private:
  std::vector<std::int64_t> shape_;
};

// What a model asks of its files.
struct Manifest {
  std::set<std::string> lines;           // "name 1,2"
  std::int64_t parameters = 0;
};

using Load = std::function<void(const fs::path& pipeline, const LoadOptions& options)>;

Load loaderOf(const std::string& part, const std::string& name) {
  const auto in = [part](const fs::path& pipeline) { return pipeline / part; };
  if (name == "CLIPTextModel") return [in](const fs::path& p, const LoadOptions& o) { ClipText(in(p), o, ""); };
  if (name == "CLIPTextModelWithProjection") return [in](const fs::path& p, const LoadOptions& o) { ClipText(in(p), o, "", {.projected = true}); };
  if (name == "T5EncoderModel") return [in](const fs::path& p, const LoadOptions& o) { T5Encoder(in(p), o, ""); };
  if (name == "AutoencoderKL")
    return [in](const fs::path& p, const LoadOptions& o) {
      loadVae(in(p), o);
      loadVaeEncoder(in(p), o);
    };
  return [](const fs::path& p, const LoadOptions& o) { loadDenoiser(p, o); };
}

Manifest manifestOf(const fs::path& pipeline, const std::string& part, const std::string& name) {
  Manifest made;
  Catalog catalog;
  // What transformers 5 names so, and no name of older versions.
  catalog.has = [&](const std::string& tensor) { return tensor == "shared.weight" || (name == "CLIPTextModelWithProjection" && tensor.starts_with("text_model.")); };
  catalog.check = [&](const std::string& tensor, const std::vector<std::int64_t>& shape) {
    std::string sizes;
    for (const std::int64_t size : shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    if (made.lines.insert(tensor + " " + sizes).second) made.parameters += std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  };
  LoadOptions options;
  options.device = at::kMeta;
  options.catalog = &catalog;
  options.linear = [](const LayerWeight& weight, std::optional<at::Tensor>) { return std::make_unique<NoLinear>(weight.shape); };
  loaderOf(part, name)(pipeline, options);
  return made;
}

// Up to the first number, or the first word: what a difference is told for.
std::string blockOf(const std::string& line) {
  const std::string name = line.substr(0, line.find(' '));
  std::string words;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string word = name.substr(begin, end - begin);
    words += (words.empty() ? "" : ".") + word;
    if (word.find_first_not_of("0123456789") == std::string::npos) return words;
    begin = end + 1;
  }
  return name.substr(0, name.find('.'));
}

json blocksOf(const Manifest& manifest) {
  std::map<std::string, std::vector<std::string>> blocks;
  for (const std::string& line : manifest.lines) blocks[blockOf(line)].push_back(line);
  json all;
  for (auto& [block, lines] : blocks) {
    std::ranges::sort(lines);
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    all[block] = {lines.size(), sha256Hex(text.data(), text.size()).substr(0, 16)};
  }
  return all;
}

}  // namespace

class ModelManifestTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyParameterIsThatOfTheReference_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("part");
    for (const auto& [model, parts] : configs().items())
      for (const auto& [part, config] : parts.items())
        if (part != "model_index") QTest::addRow("%s %s", model.c_str(), part.c_str()) << QString::fromStdString(model) << QString::fromStdString(part);
  }
  void everyParameterIsThatOfTheReference() {
    QFETCH(QString, model);
    QFETCH(QString, part);
    QTemporaryDir folder;
    const fs::path pipeline(folder.path().toStdString());
    const json& parts = configs()[model.toStdString()];
    for (const auto& [name, config] : parts.items()) {
      if (name != "model_index") fs::create_directories(pipeline / name);
      std::ofstream(name == "model_index" ? pipeline / "model_index.json" : pipeline / name / "config.json") << config;
    }
    const json& config = parts[part.toStdString()];
    const std::string name = config.contains("_class_name") ? config["_class_name"] : config["architectures"][0];
    const Manifest made = manifestOf(pipeline, part.toStdString(), name);
    static const json expected = readJson(source("tests/parity/golden/manifest/expected.json"));
    const json& wanted = expected[model.toStdString()][part.toStdString()];
    const json blocks = blocksOf(made);
    for (const auto& [block, digest] : wanted["blocks"].items())
      QVERIFY2(blocks.contains(block) && blocks[block] == digest, (block + ": " + (blocks.contains(block) ? blocks[block].dump() : "nothing") + ", not " + digest.dump()).c_str());
    QCOMPARE(blocks.size(), wanted["blocks"].size());
    QCOMPARE(made.lines.size(), wanted["tensors"].get<std::size_t>());
    QCOMPARE(made.parameters, wanted["parameters"].get<std::int64_t>());
  }

  void everyModelIsOfAFamilyWithItsParts() {
    for (const auto& [model, parts] : configs().items()) {
      QTemporaryDir folder;
      std::ofstream(folder.filePath("model_index.json").toStdString()) << parts["model_index"];
      const FamilyInfo& family = familyOf(folder.path().toStdString()).info();
      std::set<std::string> has, wanted(family.weighted.begin(), family.weighted.end());
      for (const auto& [part, config] : parts.items())
        if (part != "model_index") has.insert(part);
      QVERIFY2(has == wanted, model.c_str());
      QVERIFY2(has.contains(std::string(family.denoiser)), model.c_str());
    }
  }
};

QTEST_GUILESS_MAIN(ModelManifestTest)
#include "model_manifest_test.moc"
