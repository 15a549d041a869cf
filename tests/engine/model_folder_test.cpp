// What a folder holds, its hash, and the errors of configurations that cannot work.
#include "engine/model/components.h"
#include "engine/model/folder.h"
#include "engine/model/sha256.h"
#include "tests/engine/model_golden.h"

#include <QCryptographicHash>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace quantspot::model;
using namespace quantspot::model::test;
namespace fs = std::filesystem;

namespace {

// A copy of a golden pipeline that a test may damage.
struct Copy {
  explicit Copy(const char* name) {
    fs::copy(source(std::string("tests/parity/golden/") + name + "/pipeline"), path(), fs::copy_options::recursive);
  }
  fs::path path() const { return fs::path(dir.path().toStdString()) / "pipeline"; }
  void set(const std::string& file, const std::string& key, const nlohmann::json& value) const {
    auto json = readJson(path() / file);
    json[key] = value;
    std::ofstream(path() / file) << json;
  }
  QTemporaryDir dir;
};

template <class Body>
QString errorOf(Body&& body) {
  try {
    body();
    return {};
  } catch (const ModelError& error) {
    return QString::fromUtf8(error.what());
  }
}

}  // namespace

class ModelFolderTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void sha256_data() {
    QTest::addColumn<int>("bytes");
    for (int bytes : {0, 1, 55, 56, 63, 64, 65, 1000, 100000}) QTest::newRow(QByteArray::number(bytes)) << bytes;
  }
  void sha256() {
    QFETCH(int, bytes);
    QByteArray data(bytes, '\0');
    for (int i = 0; i < bytes; ++i) data[i] = static_cast<char>(i * 31);
    const auto expected = QCryptographicHash::hash(data, QCryptographicHash::Sha256).toHex().toStdString();
    QCOMPARE(sha256Hex(data.data(), static_cast<std::size_t>(bytes)), expected);
    Sha256 pieces;
    for (int i = 0; i < bytes; i += 7) pieces.add(data.constData() + i, static_cast<std::size_t>(std::min(7, bytes - i)));
    QCOMPARE(pieces.hex(), expected);
  }

  void noiseHashIsThatOfTheReference() {
    const Golden golden("flux_a");
    const at::Tensor noise = golden["noise"].contiguous();
    QCOMPARE(sha256Hex(noise.const_data_ptr(), noise.nbytes()), golden.recipe["noise_sha256"].get<std::string>());
  }

  void aWholeFolder() {
    const ModelSummary summary = inspectFolder(source("tests/parity/golden/flux_b/pipeline"));
    QCOMPARE(summary.name, std::string("pipeline"));
    QCOMPARE(summary.family, std::string("flux"));
    QVERIFY(summary.missing.empty());
    QVERIFY(summary.bytes > 100000);
  }

  void theHashNamesAllWeights() {
    const Copy copy("flux_a");
    const std::string before = weightsHash(copy.path());
    QCOMPARE(before.size(), std::size_t{64});
    QCOMPARE(weightsHash(fs::path(copy.path().string() + "/")), before);
    QCOMPARE(weightsHash(source("tests/parity/golden/flux_a/pipeline")), before);
    std::fstream weights(copy.path() / "vae" / "diffusion_pytorch_model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    weights.seekp(-1, std::ios::end);
    weights.put('\x55');
    weights.close();
    QVERIFY(weightsHash(copy.path()) != before);
  }

  void missingPartsAreListed() {
    const Copy copy("flux_a");
    fs::remove_all(copy.path() / "text_encoder_2");
    fs::remove(copy.path() / "vae" / "diffusion_pytorch_model.safetensors");
    fs::remove(copy.path() / "tokenizer" / "vocab.json");
    const auto missing = inspectFolder(copy.path()).missing;
    QCOMPARE(missing.size(), std::size_t{3});
    QVERIFY(missing[0].starts_with("text_encoder_2 is missing"));
    QVERIFY(missing[1].starts_with("vae is missing"));
    QVERIFY(missing[2].starts_with("tokenizer is missing"));
  }

  void noPipelineAtAll() {
    QTemporaryDir empty;
    QVERIFY(errorOf([&] { inspectFolder(empty.path().toStdString()); }).contains("model_index.json is missing"));
    QVERIFY(errorOf([&] { inspectFolder(empty.filePath("nowhere").toStdString()); }).contains("no such folder"));
    const Copy copy("flux_a");
    copy.set("model_index.json", "_class_name", "KandinskyPipeline");
    QVERIFY(errorOf([&] { inspectFolder(copy.path()); }).contains("KandinskyPipeline"));
  }

  void configurationsThatCannotWork_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* file, const char* key, const char* value, const char* expected) {
      QTest::addRow("%s %s", key, value) << file << key << QByteArray(value) << expected;
    };
    row("transformer/config.json", "axes_dims_rope", "[2, 4, 6]", "attention_head_dim");
    row("transformer/config.json", "axes_dims_rope", "[1, 5, 8]", "even");
    row("transformer/config.json", "num_attention_heads", "0", "at least 1");
    row("transformer/config.json", "num_attention_heads", "\"two\"", "wrong type");
    row("transformer/config.json", "num_layers", "3", "transformer_blocks.2");
    row("transformer/config.json", "num_layers", "-1", "must lie between");
    row("transformer/config.json", "attention_head_dim", "9000000000000000000", "must lie between");
    row("transformer/config.json", "in_channels", "32", "has shape");
    row("transformer/config.json", "guidance_embeds", "true", "guidance_embedder");
    row("transformer/config.json", "patch_size", "2", "patch_size");
    row("transformer/config.json", "_class_name", "\"SD3Transformer2DModel\"", "SD3Transformer2DModel");
    row("vae/config.json", "_class_name", "\"AutoencoderDC\"", "AutoencoderDC");
    row("vae/config.json", "act_fn", "\"sine\"", "sine");
    row("vae/config.json", "scaling_factor", "0", "must not be 0");
    row("vae/config.json", "upsample_fn", "\"bilinear\"", "bilinear");
    row("text_encoder/config.json", "hidden_act", "\"sine\"", "sine");
    row("text_encoder/config.json", "model_type", "\"bert\"", "bert");
    row("text_encoder/config.json", "max_position_embeddings", "7", "position_embedding");
    row("text_encoder_2/config.json", "feed_forward_proj", "\"gated-sine\"", "gated-sine");
    row("text_encoder_2/config.json", "num_layers", "40", "encoder.block");
    row("tokenizer/tokenizer_config.json", "model_max_length", "2000", "positions of text_encoder");
  }
  void configurationsThatCannotWork() {
    QFETCH(QString, file);
    QFETCH(QString, key);
    QFETCH(QByteArray, value);
    QFETCH(QString, expected);
    const Copy copy("flux_a");
    copy.set(file.toStdString(), key.toStdString(), nlohmann::json::parse(value.toStdString()));
    const QString error = errorOf([&] {
      loadTextEncoders(copy.path(), {});
      loadDenoiser(copy.path(), {});
      loadAutoencoder(copy.path(), {});
    });
    QVERIFY2(error.contains(expected), qPrintable(error));
    QVERIFY2(error.contains(file.section('/', 0, 0)), qPrintable(error));
    QVERIFY(!error.contains('\n'));
  }
};

QTEST_GUILESS_MAIN(ModelFolderTest)
#include "model_folder_test.moc"
