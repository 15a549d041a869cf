// "quantspot-cli recommend" as a script meets it.
#include "tests/engine/cli_process.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using quantspot::test::Outcome;
using quantspot::test::runCli;

namespace {

const QStringList kSmall = {"--steps", "1", "--width", "64", "--height", "64", "--threads", "1"};

QString chosen(const Outcome& outcome) { return outcome.json()["chosen"].toString(); }

Outcome recommend(const QStringList& arguments) { return runCli(QStringList{"recommend"} + kSmall + arguments); }

QJsonObject rowOf(const QJsonObject& json, const QString& precision) {
  for (const QJsonValue& row : json["ranked"].toArray())
    if (row["precision"] == precision) return row.toObject();
  return {};
}

}  // namespace

class CliRecommendTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  QString written(const QString& name, const QByteArray& text) const {
    QFile file(folder_.filePath(name));
    return file.open(QIODevice::WriteOnly) && file.write(text) == text.size() ? file.fileName() : QString();
  }

 private Q_SLOTS:
  void aSmallModelNeedsNoPacking() {
    const Outcome outcome = recommend({"--hardware", "rtx-4070"});
    QVERIFY2(outcome.code == 0, outcome.err.constData());
    QCOMPARE(chosen(outcome), QString("bf16"));
    const QJsonObject json = outcome.json();
    QVERIFY(json["sentence"].toString().startsWith("Use `bf16`"));
    QCOMPARE(json["hardware"]["id"].toString(), QString("rtx-4070"));
    QCOMPARE(json["ranked"].toArray().size(), 11);
    QVERIFY(json["path"].toArray().size() >= 3);
    QVERIFY(json["unknown"].toArray().at(0).toString().startsWith("There is no evidence"));
    QVERIFY(rowOf(json, "bf16")[u"memory"][u"denoise"][u"weights"].toDouble() > 1e7);
  }

  void memoryBinds() {
    // Of 640 MiB the driver's reserve leaves 26.
    const Outcome outcome = recommend({"--hardware", "rtx-4070", "--max-memory", "627MiB", "--no-offload"});
    QVERIFY2(outcome.code == 0, (outcome.out + outcome.err).constData());
    QVERIFY(chosen(outcome) != "bf16");
    QCOMPARE(rowOf(outcome.json(), "bf16")["binds"].toArray(), QJsonArray{"memory"});
    QVERIFY(outcome.json()["changes"].toArray().at(0)["text"].toString().startsWith("with "));
    const Outcome none = recommend({"--hardware", "rtx-4070", "--max-memory", "100MiB"});
    QCOMPARE(none.code, 1);
    QVERIFY(none.json()["chosen"].isNull() && none.json()["sentence"].toString().startsWith("Nothing fits"));
  }

  void evidenceAndStudyCount() {
    const QString study = written("analysis.json", R"({"title": "study 3", "headline": "with_exclusions", "with_exclusions": {"detection": [
      {"variant": "gguf-q8_0", "verdict": "noticeable", "kind": "abx", "detection": 0.4, "detection_interval": [0.3, 0.5], "margin": 0.1, "trials": 100, "people": 10}]}})");
    const Outcome outcome = recommend({"--hardware", "rtx-4070", "--precisions", "gguf-q8_0,bnb-int8", "--study", study, "--max-visible", "10%"});
    QCOMPARE(chosen(outcome), QString("bnb-int8"));
    QCOMPARE(rowOf(outcome.json(), "gguf-q8_0")["binds"].toArray(), QJsonArray{"visibility"});
    const Outcome wrong = recommend({"--evidence", study});
    QCOMPARE(wrong.code, 1);
    QVERIFY2(wrong.err.contains("no report of a comparison") && wrong.err.count('\n') == 1, wrong.err.constData());
  }

  void ratingsCount() {
    const QString ratings = written("ratings.json", R"({"gguf-q8_0": {"value": 3.2, "ci95": [2.9, 3.5], "n": 9},
                                                        "bnb-int8": {"value": 4.6, "ci95": [4.3, 4.9], "n": 9}})");
    const QStringList asked = {"--hardware", "rtx-4070", "--precisions", "gguf-q8_0,bnb-int8", "--ratings", ratings};
    QCOMPARE(chosen(recommend(asked)), QString("gguf-q8_0"));
    const Outcome outcome = recommend(asked + QStringList{"--min-rating", "4"});
    QVERIFY2(outcome.code == 0, outcome.err.constData());
    QCOMPARE(chosen(outcome), QString("bnb-int8"));
    QCOMPARE(rowOf(outcome.json(), "gguf-q8_0")["binds"].toArray(), QJsonArray{"rating"});
    QVERIFY(outcome.json()["sentence"].toString().contains("rated 4.6 of 5 (4.3 to 4.9) (N = 9)"));
    QCOMPARE(recommend({"--min-rating", "6"}).code, 2);
    const Outcome wrong = recommend({"--ratings", written("none.json", "[]")});
    QVERIFY2(wrong.code == 1 && wrong.err.contains("none.json: it holds no rating") && wrong.err.count('\n') == 1, wrong.err.constData());
  }

  void itMeasuresWhatIsMissing() {
    const Outcome outcome = recommend({"--measure", "--precisions", "bf16,bnb-int8,gguf-q2_k", "--prompt", "a fox", "--max-seconds", "200", "--min-psnr", "5"});
    QVERIFY2(outcome.code == 0, outcome.err.constData());
    const QJsonObject known = outcome.json()[u"evidence"][u"precisions"].toObject();
    QVERIFY(known[u"gguf-q2_k"][u"psnr"][u"value"].toDouble() > 0 && known[u"bf16"][u"seconds"][u"value"].toDouble() > 0);
    const QJsonValue change = known[u"gguf-q2_k"][u"clip_change"];
    QVERIFY(change[u"value"].isDouble() && change[u"label"].toString() == "CLIP-tiny score");
    QVERIFY(!outcome.out.contains("CLIP score"));
    QCOMPARE(outcome.json()[u"evidence"][u"sources"][0][u"kind"].toString(), QString("comparison"));
    QCOMPARE(outcome.json()["order"].toString(), QString("PSNR against the reference"));
  }

  void itSearchesAMix() {
    // The engine's reserve on the CPU is not known beforehand, so the GPU's: 614 MiB, and 8 of 13 for the denoiser.
    const Outcome outcome = recommend({"--search", "--hardware", "rtx-4070", "--max-memory", "630MiB", "--no-offload", "--precisions", "bf16,bnb-nf4", "--prompt", "a fox"});
    QVERIFY2(outcome.code == 0, (outcome.out + outcome.err).constData());
    QVERIFY2(chosen(outcome).contains("bnb-nf4"), qPrintable(chosen(outcome)));
    QVERIFY2(outcome.json()["ranked"].toArray().size() == 3 || outcome.err.contains("--search"), outcome.err.constData());
  }

  void theTable() {
    const Outcome json = recommend({"--table", "--precisions", "bf16,bnb-nf4"}), text = recommend({"--table", "--text", "--precisions", "bf16,bnb-nf4"});
    QCOMPARE(json.json()["rows"].toArray().size(), 2);
    QVERIFY(json.json()["gpus"].toArray().size() >= 15);
    QVERIFY(text.out.contains("bnb-nf4") && text.out.contains("fits"));
  }

  void typingErrorsAreTold() {
    QCOMPARE(recommend({"--hardware", "voodoo"}).code, 2);
    QCOMPARE(recommend({"--min-clip-change", "much"}).code, 2);
    QCOMPARE(recommend({"--precisions", "bnb-nf3"}).code, 2);
    QCOMPARE(recommend({"--max-seconds", "-1"}).code, 2);
  }

  void textIsForReading() {
    const Outcome outcome = recommend({"--text", "--hardware", "rtx-4060"});
    QVERIFY(outcome.out.startsWith("Use `bf16`"));
    QVERIFY(outcome.out.contains("The path"));
    for (const QByteArray& line : outcome.out.split('\n')) QVERIFY2(QString::fromUtf8(line).size() <= 200, line.constData());
  }
};

QTEST_GUILESS_MAIN(CliRecommendTest)
#include "cli_recommend_test.moc"
