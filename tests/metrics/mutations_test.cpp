// Files of numbers and pictures with random damage: read, or refused in one line; nothing else happens.
#include "metrics/npz.h"
#include "metrics/torch_file.h"
#include "tests/mutations.h"
#ifdef QUANTSPOT_HAS_OPENCV
#include "metrics/image.h"
#include <QBuffer>
#include <QImage>
#endif

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

using namespace quantspot;
namespace fs = std::filesystem;

namespace {

const fs::path kScores = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/scores";

std::string text(const metrics::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
metrics::Bytes bytes(const std::string& text) { return {text.begin(), text.end()}; }

// The archive with this member's bytes, sums that fit them, and all others.
std::string repacked(const metrics::ZipArchive& archive, const std::string& member, const std::string& changed) {
  std::vector<std::pair<std::string, metrics::Bytes>> members;
  for (const std::string& name : archive.names()) members.emplace_back(name, name == member ? bytes(changed) : archive.read(name));
  return text(metrics::writeZip(members));
}

std::string withEnding(const metrics::ZipArchive& archive, const std::string& ending) {
  for (const std::string& name : archive.names())
    if (name.ends_with(ending)) return name;
  return {};
}

}  // namespace

class MutationsTest : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;

  // read(path) for each damaged file that make(i) gives.
  void damage(const std::function<std::string()>& make, const std::function<void(const fs::path& path)>& read, int least) {
    const fs::path path = dir_.filePath("damaged").toStdString();
    const test::AllocationLimit limit(std::uint64_t{2} << 30);
    int refused = 0;
    for (int i = 0; i < test::mutations(400); ++i) {
      test::writeBytes(path.string(), make());
      try {
        read(path);
      } catch (const metrics::FileError& error) {
        const QString line = QString::fromUtf8(error.what());
        QVERIFY2(line.contains("damaged: ") && line.size() < 2000, qPrintable(line));
        ++refused;
      } catch (const std::exception& error) {
        QFAIL(qPrintable(QStringLiteral("mutation %1: %2").arg(i).arg(error.what())));
      }
    }
    QVERIFY2(refused >= least, qPrintable(QString::number(refused)));
  }

 private Q_SLOTS:
  void files_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"stored.npz", "deflated.npz", "plain.pth", "zip.pth", "script.pt"}) QTest::newRow(name) << name;
  }
  void files() {
    QFETCH(QString, name);
    const std::string whole = test::readBytes((kScores / name.toStdString()).string());
    test::Mutator mutate(1);
    const bool numpy = name.endsWith("npz");
    damage([&] { return mutate(whole); }, [&](const fs::path& path) { numpy ? metrics::readNpz(path) : metrics::readTorchFile(path); }, 100);
  }

  // An archive's sums keep most damage from what is inside it: here they fit.
  void members_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("ending");
    QTest::newRow("numpy") << "stored.npz" << ".npy";
    QTest::newRow("torch") << "zip.pth" << "data.pkl";
    QTest::newRow("TorchScript") << "script.pt" << "data.pkl";
  }
  void members() {
    QFETCH(QString, name);
    QFETCH(QString, ending);
    const fs::path file = kScores / name.toStdString();
    const metrics::ZipArchive archive(file, metrics::readAll(file));
    const std::string member = withEnding(archive, ending.toStdString()), whole = text(archive.read(member));
    test::Mutator mutate(2);
    const bool numpy = name.endsWith("npz");
    damage([&] { return repacked(archive, member, mutate(whole, numpy)); },
           [&](const fs::path& path) { numpy ? metrics::readNpz(path) : metrics::readTorchFile(path); }, 50);
  }

  // A dictionary that holds itself twice has 2^40 paths of 40 steps.
  void whatHoldsItselfHasAnEnd() {
    using namespace std::string_literals;
    const fs::path path = dir_.filePath("damaged").toStdString();
    const std::string pickle = "\x80\x02}q\0X\x01\0\0\0ah\0sX\x01\0\0\0bh\0s."s;
    test::writeBytes(path.string(), text(metrics::writeZip({{"archive/data.pkl", bytes(pickle)}})));
    QVERIFY_THROWS_EXCEPTION(metrics::FileError, metrics::readTorchFile(path));
  }

  void anArrayWithoutValuesIsRead() {
    const fs::path path = dir_.filePath("empty.npz").toStdString();
    metrics::writeNpz(path, {{"none", at::zeros({0, 3})}});
    QCOMPARE(metrics::readNpz(path).at("none").sizes().vec(), (std::vector<std::int64_t>{0, 3}));
  }

#ifdef QUANTSPOT_HAS_OPENCV
  void pictures_data() {
    QTest::addColumn<QString>("format");
    QTest::newRow("PNG") << "PNG";
    QTest::newRow("JPEG") << "JPG";
  }
  void pictures() {
    QFETCH(QString, format);
    QImage image(37, 23, QImage::Format_RGB888);
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < image.width(); ++x) image.setPixelColor(x, y, QColor(x * 6, y * 11, (x * y) % 256));
    QByteArray encoded;
    QBuffer buffer(&encoded);
    buffer.open(QIODevice::WriteOnly);
    QVERIFY(image.save(&buffer, qPrintable(format)));
    test::Mutator mutate(3);
    const test::AllocationLimit limit(std::uint64_t{2} << 30);
    int refused = 0;
    for (int i = 0; i < test::mutations(400); ++i) {
      const std::string changed = mutate(encoded.toStdString());
      try {
        metrics::decodeImage(std::span(reinterpret_cast<const std::uint8_t*>(changed.data()), changed.size()));
      } catch (const std::invalid_argument& error) {
        QVERIFY(QString::fromUtf8(error.what()).contains("no picture"));
        ++refused;
      }
    }
    QVERIFY(refused > 20);
  }
  void aPictureOfAThousandMillionPixelsIsNotBegun() {
    QByteArray encoded;
    QBuffer buffer(&encoded);
    buffer.open(QIODevice::WriteOnly);
    QVERIFY(QImage(8, 8, QImage::Format_RGB888).save(&buffer, "PNG"));
    for (const int at : {18, 22}) encoded[at] = 0x70;   // 28,680 pixels wide and high
    const std::span file(reinterpret_cast<const std::uint8_t*>(encoded.constData()), static_cast<std::size_t>(encoded.size()));
    QVERIFY_THROWS_EXCEPTION(std::invalid_argument, metrics::decodeImage(file));
  }
#endif
};

QTEST_GUILESS_MAIN(MutationsTest)
#include "mutations_test.moc"
