// Reading and writing GGUF files: a file of another program, our own, and damaged ones.
#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_weights.h"
#include "engine/model/sha256.h"
#include "engine/model/weights.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

using namespace quantspot::model;
using quantspot::quant::GgmlType;

namespace {

std::filesystem::path golden(const char* name) { return std::filesystem::path(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/gguf") / name; }

std::string readAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string text(const std::string& value) { return raw(std::uint64_t{value.size()}) + value; }
std::string header(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) { return "GGUF" + raw(version) + raw(tensors) + raw(keys); }
std::string tensor(const std::string& name, const std::vector<std::uint64_t>& extents, std::uint32_t type, std::uint64_t offset) {
  std::string bytes = text(name) + raw(static_cast<std::uint32_t>(extents.size()));
  for (const std::uint64_t extent : extents) bytes += raw(extent);
  return bytes + raw(type) + raw(offset);
}
std::string padded(std::string bytes, std::size_t data) {
  bytes.resize((bytes.size() + 31) / 32 * 32 + data);
  return bytes;
}

}  // namespace

class ModelGgufTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;

  std::filesystem::path write(const std::string& bytes, const char* name = "x.gguf") const {
    const auto path = std::filesystem::path(folder_.path().toStdString()) / name;
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  // Empty when it can be read; any other exception than ModelError fails the test.
  static QString errorOf(const std::filesystem::path& path) {
    try {
      const GgufWeights weights(path);
      for (const std::string& name : weights.names()) weights.read(name);
    } catch (const ModelError& error) {
      return QString::fromStdString(error.what());
    }
    return {};
  }

 private Q_SLOTS:
  void anotherProgramsFileGivesDiffusersTensors() {
    const GgufWeights weights(golden("mixed.gguf"));
    const nlohmann::json expected = readJson(golden("mixed.json"));
    QCOMPARE(weights.names().size(), expected.size());
    for (const auto& [name, wanted] : expected.items()) {
      QVERIFY2(weights.has(name), name.c_str());
      const at::Tensor values = weights.read(name).to(at::kFloat).contiguous();
      QCOMPARE(values.sizes().vec(), wanted["shape"].get<std::vector<std::int64_t>>());
      QCOMPARE(sha256Hex(values.const_data_ptr(), values.nbytes()), wanted["sha256"].get<std::string>());
    }
    QCOMPARE(weights.mainPrecision(), std::string_view("gguf-q8_0"));
  }

  void anotherProgramsMetadataIsRead() {
    const GgufFile file(golden("mixed.gguf"));
    QCOMPARE(std::get<std::string>(file.metadata().at("general.architecture")), std::string("flux"));
    QCOMPARE(std::get<double>(file.metadata().at("test.half")), 0.5);
    QCOMPARE(std::get<bool>(file.metadata().at("test.yes")), true);
    QVERIFY(!file.metadata().contains("test.words"));   // arrays are left out
  }

  void packedWeightsAreTheStoredBytes() {
    const GgufWeights weights(golden("mixed.gguf"));
    const auto key = weights.packed("transformer_blocks.0.attn.to_k.weight");   // the second third of a Q4_0 tensor
    QVERIFY(key.has_value());
    QCOMPARE(key->precision, std::string("gguf-q4_0"));
    const GgufFile file(golden("mixed.gguf"));
    const auto& fused = file.tensors().at("double_blocks.0.img_attn.qkv.weight");
    QCOMPARE(fused.shape, (std::vector<std::int64_t>{96, 32}));
    QVERIFY(std::memcmp(key->part("").const_data_ptr(), fused.bytes.data() + fused.bytes.size() / 3, fused.bytes.size() / 3) == 0);
    QVERIFY(!weights.packed("x_embedder.weight").has_value());
  }

  void aComponentFolderMayHoldOne() {
    const std::filesystem::path folder(folder_.filePath("transformer").toStdString());
    std::filesystem::create_directory(folder);
    std::filesystem::copy(golden("mixed.gguf"), folder / "some name.gguf");
    const Weights weights(folder);
    QVERIFY(weights.read("proj_out.bias", {16}).isfinite().all().item<bool>());
    QVERIFY_THROWS_EXCEPTION(ModelError, weights.read("proj_out.bias", {17}));
    try {
      weights.read("proj_out.weights", {16});
      QFAIL("a missing tensor was read");
    } catch (const ModelError& error) {
      QVERIFY2(QString(error.what()).contains("closest name there is 'proj_out.weight'"), error.what());
    }
    std::filesystem::copy(golden("mixed.gguf"), folder / "another.gguf");
    QVERIFY_THROWS_EXCEPTION(ModelError, weightFiles(folder));
  }

  void whatIsWrittenIsRead() {
    const auto path = std::filesystem::path(folder_.filePath("written.gguf").toStdString());
    const at::Tensor plain = at::arange(6, at::kFloat).view({2, 3}), blocks = at::arange(68, at::kByte).view({2, 34});
    saveGguf(path, {{"general.architecture", "flux"}, {"general.file_type", 7u}},
             {{"b", GgmlType::Q8_0, {2, 32}, [&] { return blocks; }}, {"a", GgmlType::F32, {2, 3}, [&] { return plain; }}});
    const GgufFile file(path);
    QCOMPARE(std::get<std::uint64_t>(file.metadata().at("general.file_type")), std::uint64_t{7});
    QCOMPARE(file.tensors().size(), std::size_t{2});
    QVERIFY(at::equal(file.copyRows(file.tensors().at("b"), 0, 2), blocks));
    QVERIFY(at::equal(file.copyRows(file.tensors().at("b"), 1, 1), blocks.narrow(0, 1, 1)));
    QVERIFY(at::equal(file.copyRows(file.tensors().at("a"), 0, 2).view(at::kFloat), plain));
    QCOMPARE(file.tensors().at("a").shape, (std::vector<std::int64_t>{2, 3}));
  }

  void writingFailsWhole() {
    const auto path = std::filesystem::path(folder_.filePath("half.gguf").toStdString());
    const auto four = [] { return at::zeros({4}, at::kByte); };
    QVERIFY_THROWS_EXCEPTION(ModelError, saveGguf(path, {}, {{"a", GgmlType::F32, {2}, four}}));     // 4 bytes, not 8
    QVERIFY_THROWS_EXCEPTION(ModelError, saveGguf(path, {}, {{"a", GgmlType::Q8_0, {2, 31}, four}}));
    QVERIFY_THROWS_EXCEPTION(std::runtime_error, saveGguf(path, {}, {{"a", GgmlType::F32, {1}, []() -> at::Tensor { throw std::runtime_error("cancelled"); }}}));
    QVERIFY_THROWS_EXCEPTION(ModelError, saveGguf("/nowhere/x.gguf", {}, {{"a", GgmlType::F32, {1}, four}}));
    QVERIFY(!std::filesystem::exists(path));
    QVERIFY(!std::filesystem::exists(path.string() + ".part"));
  }

  void damageIsOneLine_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* name, const std::string& bytes, const char* says) { QTest::newRow(name) << QByteArray::fromStdString(bytes) << says; };
    const std::uint64_t huge = std::uint64_t{1} << 62;
    row("empty", "", "is not a GGUF file");
    row("other magic", "GGML" + std::string(60, '\0'), "is not a GGUF file");
    row("version 1", header(0, 0, 1), "is GGUF version 1; versions 2 and 3 are read");
    row("big-endian", header(0, 0, 0x03000000), "big-endian");
    row("impossible counts", header(huge, 0), "do not fit");
    row("impossible keys", header(0, huge), "do not fit");
    row("long key", header(0, 1) + raw(huge) + std::string(40, 'k'), "is truncated or damaged: a key");
    row("unknown value type", header(0, 1) + text("k") + raw(std::uint32_t{13}) + std::string(20, '\0'), "key 'k' has a value of unknown type 13");
    row("long array", header(0, 1) + text("k") + raw(std::uint32_t{9}) + raw(std::uint32_t{4}) + raw(huge), "key 'k' has an array");
    std::string nested;
    for (int i = 0; i < 6; ++i) nested += raw(std::uint32_t{9}) + raw(std::uint64_t{1});
    row("nested arrays", header(0, 1) + text("k") + raw(std::uint32_t{9}) + nested + std::string(40, '\0'), "deep in each other");
    row("key twice", header(0, 2) + text("k") + raw(std::uint32_t{0}) + "a" + text("k") + raw(std::uint32_t{0}) + "a" + std::string(9, ' '), "key 'k' twice");
    row("alignment", header(0, 1) + text("general.alignment") + raw(std::uint32_t{4}) + raw(std::uint32_t{24}), "general.alignment is no power of two");
    row("no dimensions", padded(header(1, 0) + tensor("t", {}, 0, 0), 32), "tensor 't': 0 dimensions");
    row("five dimensions", padded(header(1, 0) + tensor("t", {1, 1, 1, 1, 1}, 0, 0), 32), "tensor 't': 5 dimensions");
    row("extent 0", padded(header(1, 0) + tensor("t", {4, 0}, 0, 0), 32), "an extent of 0");
    row("unknown type", padded(header(1, 0) + tensor("t", {32}, 17, 0), 32), "ggml type 17 is not read here");
    row("overflow", padded(header(1, 0) + tensor("t", {huge, 8}, 0, 0), 32), "shape [8, 4611686018427387904] is impossible");
    row("cut block", padded(header(1, 0) + tensor("t", {33}, 8, 0), 64), "shape [33] is impossible for Q8_0");
    row("offset", padded(header(1, 0) + tensor("t", {1}, 0, 8), 64), "offset 8 is no multiple of 32");
    row("past the end", padded(header(1, 0) + tensor("t", {16}, 0, 32), 64), "tensor 't' needs 64 bytes at offset 32, the file has 64");
    row("far past the end", padded(header(1, 0) + tensor("t", {16}, 0, ~std::uint64_t{31}), 64), "needs 64 bytes");
    row("overlap", padded(header(2, 0) + tensor("a", {16}, 0, 0) + tensor("b", {8}, 0, 32), 96), "tensors 'a' and 'b' overlap");
    row("twice", padded(header(2, 0) + tensor("a", {8}, 0, 0) + tensor("a", {8}, 0, 32), 96), "has the tensor 'a' twice");
    row("no FLUX", padded(header(1, 0) + tensor("token_embd.weight", {8}, 0, 0), 32), "holds no FLUX transformer");
  }
  void damageIsOneLine() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, says);
    const QString error = errorOf(write(bytes.toStdString()));
    QVERIFY2(error.contains(says), qPrintable(error));
    QVERIFY(error.contains("x.gguf") && !error.contains('\n'));
  }

  void everyTruncationIsToldApart() {
    const std::string whole = readAll(golden("mixed.gguf"));
    const auto path = write(whole);
    for (std::size_t length = whole.size() - 1; length > 0; length -= length > 8192 ? 257 : 1) {   // every byte of the header
      std::filesystem::resize_file(path, length);
      const QString error = errorOf(path);
      QVERIFY2(error.contains("is truncated") || error.contains("is not a GGUF file"), qPrintable(QString("%1: %2").arg(length).arg(error)));
    }
  }

  void flippedBitsNeverCrash() {
    const std::string whole = readAll(golden("mixed.gguf"));
    std::mt19937 random(17);
    int refused = 0;
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = whole;
      for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips)
        damaged[random() % (round % 4 == 0 ? damaged.size() : 5000)] ^= static_cast<char>(1 << random() % 8);
      refused += !errorOf(write(damaged)).isEmpty();
    }
    QVERIFY2(refused > 300, qPrintable(QString::number(refused)));   // a flipped weight is a weight
  }
};

QTEST_GUILESS_MAIN(ModelGgufTest)
#include "model_gguf_test.moc"
