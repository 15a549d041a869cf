// Reading and writing safetensors: every damaged file is one clear line.
#include "engine/model/folder.h"
#include "engine/model/safetensors.h"
#include "engine/model/weights.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <iterator>
#include <random>

using namespace quantspot::model;

namespace {

std::string lengthPrefix(std::uint64_t length) { return std::string(reinterpret_cast<const char*>(&length), 8); }
QByteArray file(const std::string& header, std::size_t dataBytes) {
  return QByteArray::fromStdString(lengthPrefix(header.size()) + header + std::string(dataBytes, '\1'));
}
std::string entry(const char* dtype, const char* shape, const char* offsets) {
  return std::string(R"({"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

void write(const std::filesystem::path& path, const QByteArray& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), bytes.size());
}

}  // namespace

class ModelSafetensorsTest : public QObject {
  Q_OBJECT

  QTemporaryDir dir_;
  std::filesystem::path path(const std::string& name) const { return std::filesystem::path(dir_.path().toStdString()) / name; }

  template <class Body>
  void expectError(Body&& body, const QString& expected) {
    try {
      body();
      QFAIL("no error");
    } catch (const ModelError& error) {
      QVERIFY2(QString(error.what()).contains(expected), error.what());
      QVERIFY(!QString(error.what()).contains('\n'));
    }
  }

 private Q_SLOTS:
  void damagedFiles_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("expected");
    const std::string good = R"({"w":)" + entry("F32", "[2,2]", "[0,16]") + "}";
    QTest::newRow("empty") << QByteArray() << "is truncated: 0 bytes";
    QTest::newRow("half a length") << QByteArray(4, '\0') << "is truncated: 4 bytes";
    QTest::newRow("an HTML page") << QByteArray("<!DOCTYPE html><html></html>") << "this is not a safetensors file";
    QTest::newRow("header cut") << QByteArray::fromStdString(lengthPrefix(1000) + "{") << "is truncated: the header needs 1008 bytes, the file has 9";
    QTest::newRow("not JSON") << file("{]", 0) << "header that is not a JSON object";
    QTest::newRow("JSON array") << file("[]", 0) << "header that is not a JSON object";
    QTest::newRow("data cut") << file(good, 12) << "is truncated or damaged: tensor 'w' ends at byte";
    QTest::newRow("too long") << file(good, 20) << "has 4 bytes after its last tensor";
    QTest::newRow("unknown dtype") << file(R"({"w":)" + entry("F31", "[4]", "[0,16]") + "}", 16) << "unknown dtype 'F31'";
    QTest::newRow("no offsets") << file(R"({"w":{"dtype":"F32","shape":[4]}})", 16) << "tensor 'w': dtype, shape or data_offsets is missing";
    QTest::newRow("one offset") << file(R"({"w":)" + entry("F32", "[4]", "[0]") + "}", 16) << "do not span the 16 bytes";
    QTest::newRow("offsets of another shape") << file(R"({"w":)" + entry("F32", "[5]", "[0,16]") + "}", 16) << "do not span the 20 bytes";
    QTest::newRow("offsets reversed") << file(R"({"w":)" + entry("F32", "[4]", "[16,0]") + "}", 16) << "do not span";
    QTest::newRow("negative extent") << file(R"({"w":)" + entry("F32", "[-4]", "[0,16]") + "}", 16) << "has the wrong type";
    QTest::newRow("fraction") << file(R"({"w":)" + entry("F32", "[1e30]", "[0,16]") + "}", 16) << "has the wrong type";
    QTest::newRow("overflow") << file(R"({"w":)" + entry("F32", "[4611686018427387904,16]", "[0,0]") + "}", 0) << "is impossible";
    QTest::newRow("overlap") << file(R"({"a":)" + entry("F32", "[4]", "[0,16]") + R"(,"b":)" + entry("F32", "[4]", "[8,24]") + "}", 24)
                             << "tensor 'b' overlaps the one before it";
    QTest::newRow("gap") << file(R"({"a":)" + entry("U8", "[4]", "[4,8]") + "}", 8) << "has 4 unused bytes before tensor 'a'";
  }
  void damagedFiles() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, expected);
    write(path("damaged.safetensors"), bytes);
    expectError([&] { SafeTensors file(path("damaged.safetensors")); }, expected);
    expectError([&] { SafeTensors file(path("damaged.safetensors")); }, "damaged.safetensors");
  }

  // Whatever happens to a file, it is read or refused with a ModelError.
  void randomDamage() {
    saveSafeTensors(path("whole.safetensors"), {{"a", at::ones({3, 5})}, {"b", at::zeros({7}, at::kBFloat16)}}, {{"k", "v"}});
    std::ifstream in(path("whole.safetensors"), std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    std::mt19937 random(1);
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
      std::string bytes = whole;
      for (unsigned j = random() % 3 + 1; j > 0; --j) bytes[random() % 200] = static_cast<char>(random());
      if (i % 4 == 0) bytes.resize(random() % bytes.size());
      write(path("random.safetensors"), QByteArray::fromStdString(bytes));
      try {
        const SafeTensors file(path("random.safetensors"));
        for (const auto& [name, entry] : file.entries()) file.copy(entry);
      } catch (const ModelError&) {
        ++refused;
      }
    }
    QVERIFY2(refused > 1000, QByteArray::number(refused));
  }

  void missingFileAndFolder() {
    expectError([&] { SafeTensors file(path("nowhere.safetensors")); }, "cannot be opened: No such file");
    expectError([&] { SafeTensors file(dir_.path().toStdString()); }, "is not a regular file");
  }

  void whatIsSavedIsRead_data() {
    QTest::addColumn<int>("dtype");
    for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kChar, at::kByte, at::kBool})
      QTest::newRow(c10::toString(type)) << static_cast<int>(type);
  }
  void whatIsSavedIsRead() {
    QFETCH(int, dtype);
    const auto type = static_cast<at::ScalarType>(dtype);
    const at::Tensor a = at::arange(24, at::kFloat).reshape({2, 3, 4}).to(type), scalar = at::ones({}, type), none = at::empty({0, 3}, type);
    saveSafeTensors(path("saved.safetensors"), {{"z", a.permute({2, 0, 1})}, {"a", scalar}, {"none", none}}, {{"prompt", "ein Fuchs"}});
    const SafeTensors file(path("saved.safetensors"));
    QCOMPARE(file.entries().size(), std::size_t{3});
    QVERIFY(file.copy(file.entries().at("z")).equal(a.permute({2, 0, 1})));
    QVERIFY(file.copy(file.entries().at("a")).equal(scalar));
    QVERIFY(file.copy(file.entries().at("none")).equal(none));
    QVERIFY(!std::filesystem::exists(path("saved.safetensors.part")));
  }

  void savingWhereNothingCanBe() {
    expectError([&] { saveSafeTensors(path("no/such/folder/x.safetensors"), {{"a", at::ones({1})}}); }, "cannot be written");
    expectError([&] { saveSafeTensors(path("complex.safetensors"), {{"a", at::ones({1}, at::kComplexFloat)}}); }, "safetensors cannot hold");
  }

  void weightsNameWhatIsWrong() {
    const auto folder = path("component");
    std::filesystem::create_directory(folder);
    expectError([&] { Weights weights(folder); }, "holds neither diffusion_pytorch_model.safetensors nor model.safetensors");
    saveSafeTensors(folder / "model.safetensors", {{"encoder.layer.weight", at::ones({2, 3})}, {"ids", at::ones({2}, at::kLong)}});
    const Weights weights(folder);
    QVERIFY(weights.read("encoder.layer.weight", {2, 3}).equal(at::ones({2, 3})));
    expectError([&] { weights.read("encoder.layers.weight", {2, 3}); }, "'encoder.layers.weight' is missing; the closest name there is 'encoder.layer.weight'");
    expectError([&] { weights.read("encoder.layer.weight", {3, 2}); }, "has shape [2, 3], config.json asks for [3, 2]");
    expectError([&] { weights.read("ids", {2}); }, "only floating-point weights");
  }

  void shards() {
    const auto folder = path("sharded");
    std::filesystem::create_directory(folder);
    const auto index = folder / "diffusion_pytorch_model.safetensors.index.json";
    saveSafeTensors(folder / "one.safetensors", {{"a", at::ones({1})}});
    write(index, R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
    expectError([&] { Weights weights(folder); }, "shard 'two.safetensors'");
    saveSafeTensors(folder / "two.safetensors", {{"b", at::zeros({1})}});
    const Weights weights(folder);
    QVERIFY(weights.has("a") && weights.has("b"));
    saveSafeTensors(folder / "two.safetensors", {{"a", at::zeros({1})}});
    expectError([&] { Weights again(folder); }, "tensor 'a' is also in another shard");
    write(index, R"({"weight_map": {"a": "../component/model.safetensors"}})");
    expectError([&] { Weights outside(folder); }, "lies outside of the folder");
    write(index, R"({"weights": 1})");
    expectError([&] { Weights wrong(folder); }, "weight_map is missing");
  }
};

QTEST_GUILESS_MAIN(ModelSafetensorsTest)
#include "model_safetensors_test.moc"
