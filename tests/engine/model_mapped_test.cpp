// Files that change while they are mapped: an error that names the file, or one line and an end; never a crash, never zeros for weights.
#include "engine/model/folder.h"
#include "engine/model/mapped_file.h"
#include "tests/real_memory.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace quantspot;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSize = 1 << 20;

int sumOf(std::span<const std::byte> bytes) {
  int sum = 0;
  for (const std::byte one : bytes) sum += std::to_integer<int>(one);
  return sum;
}

// Reads what is cut under its eyes. A program of its own, because Qt Test has handlers for every signal.
int readWhatIsCut(const std::string& how, const fs::path& name) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  model::MappedFile file(name);
  if (how == "signal") ::raise(SIGBUS);
  if (how == "other") {                  // a mapping of somebody else
    const int copy = ::memfd_create("copy", 0);
    if (::ftruncate(copy, kSize) != 0) return 4;
    const auto* bytes = static_cast<const volatile char*>(::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, copy, 0));
    return ::ftruncate(copy, 0) == 0 && bytes[kSize / 2] == 1 ? 3 : 4;
  }
  fs::resize_file(name, 4096);
  const auto read = [](const model::MappedFile& mapped) { if (sumOf(mapped.bytes()) != static_cast<int>(kSize)) ::_exit(3); };
  if (how == "moved") read(model::MappedFile(std::move(file)));
  else if (how == "thread") std::thread([&] { read(file); }).join();
  else read(file);
  return 0;
}

struct End {
  bool crashed = false;
  int code = 0;                          // the signal where it crashed
  QByteArray err;
};
End inAProgram(const char* how, const fs::path& name) {
  QProcess process;
  process.start(QCoreApplication::applicationFilePath(), {"--read", how, QString::fromStdString(name.string())});
  if (!process.waitForFinished(120000)) return {};
  return {process.exitStatus() == QProcess::CrashExit, process.exitCode(), process.readAllStandardError()};
}

}  // namespace

class MappedTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  fs::path path(const char* name) const { return fs::path(folder_.path().toStdString()) / name; }
  fs::path made(const char* name) const {
    std::ofstream(path(name), std::ios::binary) << std::string(kSize, '\1');
    return path(name);
  }
  QString complaintOfCopy(const model::MappedFile& file, std::size_t from, std::size_t bytes) const {
    std::vector<std::byte> copy(bytes);
    try {
      file.copy(file.bytes().subspan(from, bytes), copy.data());
    } catch (const model::ModelError& error) {
      return QString::fromUtf8(error.what());
    }
    return sumOf(copy) == static_cast<int>(bytes) ? QStringLiteral("copied") : QStringLiteral("copied something else");
  }

 private Q_SLOTS:
  void aCopyOfWhatWasCutIsAnError() {
    const model::MappedFile file(made("cut"));
    QCOMPARE(complaintOfCopy(file, 5, kSize - 5), QStringLiteral("copied"));
    fs::resize_file(path("cut"), kSize / 2 + 7);   // inside a page, whose rest the kernel fills with zeros
    QCOMPARE(complaintOfCopy(file, 0, kSize / 2 + 7), QStringLiteral("copied"));
    const QString said = complaintOfCopy(file, kSize / 2, 8);
    QVERIFY2(said.startsWith(QString::fromStdString(path("cut").string())) && said.contains("ends after 524295 bytes and had 1048576"), qPrintable(said));
  }

  // As programs save that care: the file that was opened goes on to be there.
  void aFileThatWasReplacedIsReadAsItWas() {
    const model::MappedFile file(made("replaced"));
    std::ofstream(path("other")) << "short";
    fs::rename(path("other"), path("replaced"));
    QCOMPARE(complaintOfCopy(file, 0, kSize), QStringLiteral("copied"));
    QCOMPARE(sumOf(file.bytes()), static_cast<int>(kSize));
  }

  void aMovedFileIsReadAndClosedOnce() {
    model::MappedFile file(made("moved"));
    const model::MappedFile there(std::move(file));
    QCOMPARE(complaintOfCopy(there, 1, 100), QStringLiteral("copied"));
    QVERIFY(file.bytes().empty());       // NOLINT: that it is empty is the point
  }

  void readingWhatWasCutIsOneLineAndAnEnd_data() {
    QTest::addColumn<QByteArray>("how");
    for (const char* how : {"at once", "moved", "thread"}) QTest::newRow(how) << QByteArray(how);
  }
  void readingWhatWasCutIsOneLineAndAnEnd() {
    QFETCH(QByteArray, how);
    const fs::path name = made("read");
    const End end = inAProgram(how.constData(), name);
    QVERIFY2(!end.crashed && end.code == 1, QByteArray::number(end.code) + end.err);
    const QByteArray line = "model_mapped_test: " + QByteArray::fromStdString(name.string()) + ": has 4096 bytes now and had 1048576 when";
    QVERIFY2(end.err.startsWith(line) && end.err.endsWith("begin again\n") && end.err.count('\n') == 1, end.err.constData());
  }

  // Others of the same process are none of ours: they end it as ever.
  void otherBusErrorsAreNotHidden_data() {
    QTest::addColumn<QByteArray>("how");
    for (const char* how : {"signal", "other"}) QTest::newRow(how) << QByteArray(how);
  }
  void otherBusErrorsAreNotHidden() {
    SKIP_UNDER_SANITIZER();              // which handles them itself
    QFETCH(QByteArray, how);
    const End end = inAProgram(how.constData(), made("read"));
    QVERIFY2(end.crashed && end.code == SIGBUS, QByteArray::number(end.code) + end.err);
    QVERIFY2(end.err.isEmpty(), end.err.constData());
  }
};

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--read") return readWhatIsCut(argv[2], argv[3]);
  QCoreApplication application(argc, argv);
  MappedTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "model_mapped_test.moc"
