// What quantspot-cli and quantspot-engine say of wrong values: one line that names the value, before any work; and of a disk without room.
#include "tests/engine/cli_process.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTemporaryFile>
#include <QTest>

using quantspot::test::Outcome;
using quantspot::test::runCli;

namespace {

const QString kText = QStringLiteral(QUANTSPOT_SOURCE_DIR "/README.md");   // neither a picture nor JSON

// One line, and no bound that nobody can read.
bool isClear(const QByteArray& line) {
  static const QRegularExpression huge(QStringLiteral("\\d{20}"));
  return line.endsWith('\n') && line.count('\n') == 1 && !huge.match(QString::fromUtf8(line)).hasMatch();
}

Outcome runEngine(const QStringList& arguments) {
  QProcess engine;
  engine.start(QStringLiteral(QUANTSPOT_ENGINE_PROGRAM), arguments);
  engine.closeWriteChannel();
  return quantspot::test::finish(engine);
}

}  // namespace

class CliUsageTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QTemporaryFile there_;                 // elsewhere: that folder stays empty
  QString path(const QString& name) const { return folder_.filePath(name); }

 private Q_SLOTS:
  void wrongValuesAreToldInOneLine_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("said");
    const QString png = path("a.png"), out = path("out");
    QVERIFY(there_.open());
    const QStringList draw = {"generate", "--prompt", "x", "--out", png}, compare = {"compare", "--prompt", "x", "--out", out};
    const auto row = [](const char* name, const QStringList& arguments, int code, const char* said) {
      QTest::newRow(name) << arguments << code << said;
    };
    row("no command", {}, 2, "a command is missing; commands: generate, compare, ");
    row("unknown command", {"draw"}, 2, "there is no command 'draw'; commands: generate, ");
    row("unknown command of models", {"models", "fetch"}, 2,
        "there is no command 'fetch'; commands: list, path, download (see quantspot-cli models --help)");
    row("nothing required", {"generate"}, 2, "--prompt is required (see quantspot-cli generate --help)");
    row("unknown option", draw + QStringList{"--colour"}, 2, "not expected: --colour");
    row("seed below nothing", draw + QStringList{"--seed", "-1"}, 2, "--seed: '-1' is no whole number from 0 below 2^64");
    row("seed beyond all", draw + QStringList{"--seed", "18446744073709551616"}, 2, "--seed: '18446744073709551616' is no");
    row("half a seed", draw + QStringList{"--seed", "1.5"}, 2, "--seed: '1.5' is no");
    row("seed of an export", {"export", "--precision", "bf16", "--out", out, "--prompt", "x", "--seed", "-1"}, 2, "--seed: '-1'");
    row("no number", draw + QStringList{"--steps", "many"}, 2, "--steps = many is no number, or too large a one");
    row("too large a number", draw + QStringList{"--steps", "99999999999"}, 2, "--steps = 99999999999");
    row("no threads", draw + QStringList{"--threads", "0"}, 2, "--threads: '0' is no whole number from 1 to 1024");
    row("too many threads", draw + QStringList{"--threads", "999999999"}, 2, "--threads: '999999999' is no");
    row("no device", draw + QStringList{"--device", "tpu"}, 2, "--device: 'tpu' is no device; give cpu or cuda:0");
    row("no such device", draw + QStringList{"--device", "cuda:x"}, 2, "--device: 'cuda:x' is no device");
    row("one of the devices", {"compare", "--out", out, "--devices", "cpu,gpu"}, 2, "--devices: 'gpu' is no device");
    row("negative size", draw + QStringList{"--original-size", "30x-30"}, 2, "--original-size: -30 is not within 1 to 65536");
    row("rescale", draw + QStringList{"--guidance-rescale", "3"}, 2, "--guidance-rescale: '3' is not a number from 0 to 1");
    row("scale of a LoRA", draw + QStringList{"--lora", "x:nan"}, 2, "'x:nan' ends in no number");
    row("error", draw + QStringList{"--max-error", "0"}, 2, "--max-error: '0' is not a number above 0");
    row("no picture", draw + QStringList{"--image", kText}, 1, "/README.md: these ");
    row("no name", {"generate", "--prompt", "x", "--out", ""}, 2, "--out: is empty");
    row("no model", draw + QStringList{"--model", ""}, 2, "--model: is empty");
    row("parts of nothing", draw + QStringList{"--parts", "/"}, 2, "--parts lends to a --model that is one file");
    row("a folder for a picture", {"generate", "--prompt", "x", "--out", folder_.path()}, 1, "it is a folder");
    row("price", compare + QStringList{"--price", "-1"}, 2, "--price: '-1' is not a number from 0");
    row("no price", compare + QStringList{"--price", "nan"}, 2, "--price: 'nan' is not");
    row("error growth", compare + QStringList{"--error-growth", "x"}, 2, "--error-growth: 'x' is no whole number from 1 to 1000000");
    row("a range of error growth", compare + QStringList{"--error-growth", "1..3"}, 2, "--error-growth: '1..3'");
    row("thresholds of something else", compare + QStringList{"--thresholds", kText}, 1, "/README.md");
    row("ratings of something else", compare + QStringList{"--ratings", kText}, 1, "/README.md");
    row("timeout", {"serve", "--timeout", "nan"}, 2, "--timeout: 'nan' is not a number from 0.001 to 86400");
    row("rating", {"recommend", "--min-rating", "9"}, 2, "--min-rating: '9' is not a number from 1 to 5");
    row("seconds", {"recommend", "--max-seconds", "-1"}, 2, "--max-seconds: '-1' is not a number above 0");
    row("LPIPS", {"recommend", "--max-lpips", "inf"}, 2, "--max-lpips: 'inf' is not a number from 0");
    row("models of nowhere", {"models", "list", "/nowhere"}, 1, "/nowhere: is not there");
    row("a GGUF file that is there", {"quantize", "--precision", "gguf-q4_0", "--out", there_.fileName()}, 2, "is already there; give a path that is not");
    row("a folder for a GGUF file", {"quantize", "--precision", "gguf-q4_0", "--out", folder_.path()}, 1, "it is a folder");
  }
  void wrongValuesAreToldInOneLine() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, said);
    const Outcome end = runCli(arguments);
    QVERIFY2(end.code == code, end.err + end.out);
    QVERIFY2(end.err.startsWith("quantspot-cli: ") && end.err.contains(said.toUtf8()), end.err);
    QVERIFY2(isClear(QByteArray(end.err).replace("18446744073709551616", "")), end.err);   // the one that was given
    QVERIFY2(end.out.isEmpty(), end.out);
    QVERIFY(QDir(folder_.path()).isEmpty());
  }

  void theEngineSaysItToo() {
    for (const QStringList& arguments : {QStringList{"--threads", "0"}, {"--threads", "many"}, {"--device", "tpu"}, {"--colour"}}) {
      const Outcome end = runEngine(arguments);
      QVERIFY2(end.code == 2 && end.err.startsWith("quantspot-engine: ") && isClear(end.err), end.err);
      QVERIFY2(end.err.contains(arguments.first().toUtf8()), end.err);
    }
  }

  // Every command tells what it takes, on stdout and with 0, and knows the words of its own text.
  void helpIsThereOfEveryCommand() {
    static const QRegularExpression command(QStringLiteral("^  ([a-z]+) "), QRegularExpression::MultilineOption);
    const Outcome all = runCli({"--help"});
    QVERIFY(all.code == 0 && all.err.isEmpty());
    int commands = 0;
    for (auto found = command.globalMatch(QString::fromUtf8(all.out.mid(all.out.indexOf("Subcommands:")))); found.hasNext(); ++commands) {
      const QString name = found.next().captured(1);
      const Outcome help = runCli({name, "--help"});
      QVERIFY2(help.code == 0 && help.err.isEmpty() && help.out.contains("--help"), qPrintable(name));
    }
    QVERIFY2(commands >= 12, all.out);
  }

  void aSeedMayBeTheLargest() {
    const QStringList small = {"--steps", "1", "--threads", "1", "--width", "64", "--height", "64", "--max-sequence-length", "16"};
    QTemporaryDir folder;
    const Outcome end = runCli(QStringList{"generate", "--prompt", "x", "--out", folder.filePath("a.png"), "--seed", "18446744073709551615"} + small);
    QVERIFY2(end.code == 0, end.err);
  }

  void aDiskWithoutRoomIsToldBeforeAnythingIsWritten_data() {
    QTest::addColumn<QString>("precision");
    QTest::addColumn<QString>("name");
    QTest::newRow("a pipeline") << "bnb-nf4" << "packed";
    QTest::newRow("a GGUF file") << "gguf-q4_0" << "packed.gguf";
  }
  void aDiskWithoutRoomIsToldBeforeAnythingIsWritten() {
    QFETCH(QString, precision);
    QFETCH(QString, name);
    const QStringList arguments = {"quantize", "--precision", precision, "--out", path(name)};
    const Outcome full = runCli(arguments, {"LD_PRELOAD=" FULL_DISK, "QUANTSPOT_TEST_FREE_BYTES=1000000"});
    QVERIFY2(full.code == 1 && isClear(full.err), full.err);
    QVERIFY2(full.err.contains("are to be written, 1.0 MiB are free; make room") && full.err.contains(folder_.path().toUtf8()), full.err);
    QVERIFY(QDir(folder_.path()).isEmpty());
    const Outcome room = runCli(arguments, {"LD_PRELOAD=" FULL_DISK, "QUANTSPOT_TEST_FREE_BYTES=1000000000"});
    QVERIFY2(room.code == 0, room.err);
    QVERIFY(QFile::exists(path(name)) && QDir(folder_.path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot) == QStringList{name});
    QVERIFY(QDir(path(name)).removeRecursively() && (QFile::remove(path(name)) || !QFile::exists(path(name))));
  }
};

QTEST_GUILESS_MAIN(CliUsageTest)
#include "cli_usage_test.moc"
