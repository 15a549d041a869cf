// Weight and statistics files: what torch and numpy wrote is read, nothing in them is run, what is damaged is refused.
#include "metrics/npz.h"
#include "metrics/torch_file.h"
#include "tests/metrics/formulas.h"

#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using metrics::Bytes;
using metrics::FileError;
using namespace std::string_literals;   // texts with zeros inside

namespace {

std::string messageOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

Bytes bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

class FilesTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  std::filesystem::path write(const Bytes& bytes) const {
    const std::filesystem::path path = folder_.filePath("file").toStdString();
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  std::string refusal(const Bytes& bytes) const {
    return messageOf([&] { metrics::readTorchFile(write(bytes)); });
  }
  static Bytes archiveOf(const std::string& pickle) { return metrics::writeZip({{"archive/data.pkl", bytesOf(pickle)},
                                                                                {"archive/data/0", Bytes(16)}}); }
  // A dictionary with one tensor of four numbers; what follows its storage is given.
  static std::string tensorPickle(const std::string& offsetSizesStrides) {
    return "\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0" "0X\x03\0\0\0cpuK\x04tQ"s + offsetSizesStrides + "\x89}tRs.";
  }

 private Q_SLOTS:
  void bothFormsOfTorchSaveAreRead_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("since 1.6") << "zip.pth";
    QTest::newRow("before") << "plain.pth";
  }
  void bothFormsOfTorchSaveAreRead() {
    QFETCH(QString, name);
    const auto tensors = metrics::readTorchFile(test::kScores / name.toStdString());
    const at::Tensor base = test::weight("base.weight", {4, 6});
    QCOMPARE(tensors.size(), std::size_t{9});
    QVERIFY(at::equal(tensors.at("a"), base));
    QVERIFY(at::equal(tensors.at("transposed"), base.t()) && tensors.at("transposed").is_contiguous());
    QVERIFY(at::equal(tensors.at("row"), base[2]));
    QVERIFY(at::equal(tensors.at("nested.half"), base.to(at::kHalf)) && at::equal(tensors.at("nested.bf16"), base.to(at::kBFloat16)));
    QVERIFY(at::equal(tensors.at("parameter"), base.slice(0, 0, 2)) && at::equal(tensors.at("double"), base.to(at::kDouble)));
    QCOMPARE(tensors.at("nested.count").item<std::int64_t>(), std::int64_t{7});
    QCOMPARE(tensors.at("nested.empty").sizes().vec(), (std::vector<std::int64_t>{0, 3}));
  }

  void dictionariesOfPython2AreRead() {   // OrderedDict([[name, tensor]]), as lpips' own files have it
    const std::string tensor = tensorPickle("K\x01K\x03\x85K\x01\x85");
    const std::string inner = tensor.substr(tensor.find("ctorch._utils"), tensor.size() - tensor.find("ctorch._utils") - 2);
    const auto tensors = metrics::readTorchFile(write(archiveOf("\x80\x02" "ccollections\nOrderedDict\n](]("s + "U\x04lin0" + inner + "ee\x85R.")));
    QCOMPARE(tensors.size(), std::size_t{1});
    QCOMPARE(tensors.at("lin0").numel(), std::int64_t{3});
    QVERIFY(refusal(archiveOf("\x80\x02" "ccollections\nOrderedDict\n](](K\x01" "ee\x85R.")).find("damaged") != std::string::npos);
  }

  void torchScriptsTensorsAreReadByTheirModules() {
    const auto tensors = metrics::readTorchFile(test::kScores / "script.pt");
    QCOMPARE(tensors.size(), std::size_t{4});
    QVERIFY(at::equal(tensors.at("inner.weight"), test::weight("inner.weight", {2, 3})));
    QVERIFY(at::equal(tensors.at("inner.mean"), test::weight("inner.mean", {3})));
    QVERIFY(at::equal(tensors.at("last.weight"), test::weight("last.weight", {2, 2})) &&
            at::equal(tensors.at("last.bias"), test::weight("last.bias", {2})));
  }

  void codeIsRefusedByItsName() {
    const std::string code = "\x80\x02" "cposix\nsystem\nX\x04\0\0\0true\x85R."s;
    QVERIFY2(refusal(archiveOf(code)).find("posix system") != std::string::npos, refusal(archiveOf(code)).c_str());
    QVERIFY(refusal(bytesOf(code)).find("posix system") != std::string::npos);
    const std::string stacked = "\x80\x04\x8c\x08" "builtins\x8c\x04" "eval\x93\x8c\x01" "1\x85R."s;
    QVERIFY2(refusal(archiveOf(stacked)).find("builtins eval") != std::string::npos, refusal(archiveOf(stacked)).c_str());
    QVERIFY(refusal(archiveOf("\x80\x02" "(S'x'\nios\nsystem\n.")).find("step") != std::string::npos);         // INST and STRING are not plain data
    QVERIFY(refusal(archiveOf("\x80\x02" "ctorch._utils\n_rebuild_tensor\n.")).find("_rebuild_tensor") != std::string::npos);
    QVERIFY(refusal(archiveOf("\x80\x02" "ctorch._utils\n_rebuild_tensor_v2\n)R.")).find("not run") != std::string::npos);
    QVERIFY(refusal(archiveOf("\x80\x02" "ccollections\nOrderedDict\n)\x81.")).find("OrderedDict") != std::string::npos);
  }

  void tensorsBeyondTheirDataAreRefused() {
    const auto tensors = metrics::readTorchFile(write(archiveOf(tensorPickle("K\x01K\x03\x85K\x01\x85"))));
    QCOMPARE(tensors.at("a").numel(), std::int64_t{3});
    for (const std::string& bad : {"K\x01K\x04\x85K\x01\x85"s, "K\0K\x02\x85K\x04\x85"s, "J\xff\xff\xff\xffK\x02\x85K\x01\x85"s,
                                   "K\0J\xff\xff\xff\xff\x85K\x01\x85"s,
                                   "K\0\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85K\x01\x85"s})
      QVERIFY2(refusal(archiveOf(tensorPickle(bad))).find("beyond") != std::string::npos, refusal(archiveOf(tensorPickle(bad))).c_str());
  }

  void nestingWithoutEndIsSurvived() {
    std::string deep = "\x80\x02)";
    deep.append(2'000'000, '\x85');
    QVERIFY(refusal(archiveOf(deep + ".")).find("no tensor") != std::string::npos);
    QVERIFY(refusal(archiveOf("\x80\x02}q\0X\x01\0\0\0ah\0s."s)).find("no tensor") != std::string::npos);   // a dictionary that holds itself
  }

  void everyCutAndEveryChangedByteIsAnErrorOrAFile_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"zip.pth", "plain.pth", "script.pt", "stored.npz", "deflated.npz"}) QTest::newRow(name) << name;
  }
  void everyCutAndEveryChangedByteIsAnErrorOrAFile() {
    QFETCH(QString, name);
    const Bytes good = metrics::readAll(test::kScores / name.toStdString());
    const auto read = [&](const Bytes& bytes) {
      try {
        if (name.endsWith(".npz")) metrics::readNpz(write(bytes));
        else metrics::readTorchFile(write(bytes));
        return true;
      } catch (const FileError&) {
        return false;
      }
    };
    QVERIFY(read(good));
    for (std::size_t cut = 0; cut < good.size(); cut += 23)
      QVERIFY2(!read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut))), qPrintable(QString::number(cut)));
    int refused = 0;
    for (std::size_t i = 0; i < good.size(); i += 13) {
      Bytes changed = good;
      changed[i] ^= static_cast<std::uint8_t>(1 + i % 255);
      refused += read(changed) ? 0 : 1;
    }
    QVERIFY(refused > 10);
  }

  void numpysArchivesAreRead() {
    for (const char* name : {"stored.npz", "deflated.npz"}) {
      const auto arrays = metrics::readNpz(test::kScores / name);
      QVERIFY(at::equal(arrays.at("mu").to(at::kFloat), test::weight("mu", {5})));
      QVERIFY(at::equal(arrays.at("sigma"), test::weight("sigma", {5, 5}).to(at::kDouble)));
    }
    QVERIFY(messageOf([] { metrics::readNpz(test::kScores / "fortran.npz"); }).find("Fortran") != std::string::npos);
    QVERIFY(messageOf([] { metrics::readNpz(test::kScores / "objects.npz"); }).find("type") != std::string::npos);
  }

  void arraysComeBack() {
    const std::filesystem::path path = folder_.filePath("out.npz").toStdString();
    const at::Tensor x = test::uniform("x", {3, 4, 2}), count = at::scalar_tensor(9, at::kLong);
    metrics::writeNpz(path, {{"x", x.transpose(0, 1)}, {"count", count}});
    const auto arrays = metrics::readNpz(path);
    QVERIFY(at::equal(arrays.at("x"), x.transpose(0, 1)) && at::equal(arrays.at("count"), count));
    QVERIFY(messageOf([&] { metrics::writeNpz("/nowhere/x.npz", {{"x", x}}); }).find("cannot be written") != std::string::npos);
    QVERIFY(messageOf([] { metrics::readNpz("/nowhere/x.npz"); }).find("cannot be opened") != std::string::npos);
  }
};

QTEST_APPLESS_MAIN(FilesTest)
#include "files_test.moc"
