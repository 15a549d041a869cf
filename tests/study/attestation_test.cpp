// What a study says of how its pictures were made: what is known, what is not, and what of it lies under the seal.
#include "study/attestation.h"
#include "study/bundle.h"
#include "study/error.h"
#include "study/zip_file.h"
#include "tests/study/sample_study.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::study;
using quantspot::statistics::Random;

namespace {

// What the window attests of a comparison that was generated here.
QJsonObject whole() {
  const QJsonObject variant{{"policy", QJsonObject{{"skip", QJsonArray{}}}},
                            {"weights", QJsonObject{{"transformer", QJsonObject{{"bytes", 9}, {"layers", QJsonObject{{"bf16", 3}}}}}}}};
  return {{"noise_sha256", "n"}, {"recipe", QJsonObject{{"seed", 7}}}, {"model", QJsonObject{{"weights_sha256", "w"}}},
          {"engine", QJsonObject{{"version", "1"}}}, {"variants", QJsonObject{{"bf16", variant}, {"bnb-nf4", variant}, {"gguf-q4_k", variant}}},
          {"reference_repeats", 1}, {"reference_repeats_equal", true}, {"pixels", QJsonObject{{"width", 8}, {"height", 8}}}, {"gate", QJsonObject{{"variants", 2}}}};
}

QStringList lines(const Protocol& protocol) {
  QStringList all;
  for (const QJsonValue& line : attestationFigures(protocol)["lines"].toArray()) all << line.toString();
  return all;
}

// Anything that JSON may hold, and now and then what is asked for.
QJsonValue oddOr(const QJsonValue& wanted, Random& random) {
  const QJsonValue odd[] = {QJsonValue::Null, false, true, 0, 1, 2.5, "", "x", QJsonArray{}, QJsonArray{1}, QJsonObject{}, QJsonObject{{"a", 1}},
                            QJsonValue::Undefined};
  return random.uniform() < 0.6 ? wanted : odd[random.below(std::size(odd))];
}

QJsonValue disturbed(const QJsonValue& value, Random& random, int depth) {
  if (!value.isObject() || depth == 0) return oddOr(value, random);
  QJsonObject all = value.toObject();
  for (const QString& key : all.keys())
    if (random.uniform() < 0.25) all[key] = disturbed(all[key], random, depth - 1);
  return all;
}

}  // namespace

class AttestationTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void whatIsKnownAndWhatIsNotIsSaid() {
    Protocol p = sample::protocol();
    p.model = "FLUX.1-dev";
    for (StudyComparison& c : p.comparisons) c.attested = whole();
    QStringList said = lines(p);
    QCOMPARE(said.size(), 3);
    QCOMPARE(said[2], QStringLiteral("Noise floor: drawn again, the reference had the same pixels in 6 of 6 comparisons."));
    QCOMPARE(said[0], QStringLiteral("Model: FLUX.1-dev."));
    QVERIFY2(said[1].startsWith("Known of all 6 comparisons: starting noise, recipe, weights of the model, program, precision of every layer"),
             qPrintable(said[1]));
    p.comparisons[2].attested = {{"imported", true}, {"pixels", QJsonObject{{"width", 8}}}, {"gate", QJsonObject{{"overruled", true}}}};
    said = lines(p);
    QCOMPARE(said[1], QStringLiteral("Known of all 6 comparisons: pixels (their hashes lie with the mapping), passed or overruled sanity gate."));
    QVERIFY2(said[2].contains("starting noise (5)") && said[2].contains("(noise floor) (5)"), qPrintable(said[2]));
    QVERIFY2(said[3].contains("is not proved: it is the experimenter's word"), qPrintable(said[3]));
    QCOMPARE(said[5], QStringLiteral("The sanity gate was overruled for 1 of 6 comparisons."));
    for (StudyComparison& c : p.comparisons) c.attested = {};
    p.model.clear();
    said = lines(p);
    QCOMPARE(said[0], QStringLiteral("Model: not stated."));
    QVERIFY2(said[1].startsWith("Not known: starting noise, recipe, weights of the model, program,"), qPrintable(said[1]));
  }

  void theNoiseFloorIsTheWorstOfAll() {
    Protocol p = sample::protocol();
    QVERIFY(!lines(p).join(u'\n').contains("Noise floor"));
    const std::pair<int, QJsonObject> told[] = {{0, {{"reference_repeats", 3}, {"reference_repeats_equal", true}}},
        {1, {{"reference_repeats", 1}, {"reference_repeats_equal", false}, {"reference_repeats_psnr", 41.29}}},
        {2, {{"reference_repeats", 1}, {"reference_repeats_equal", false}, {"reference_repeats_psnr", 52.0}}}};
    for (const auto& [index, attested] : told) p.comparisons[index].attested = attested;
    QVERIFY2(lines(p).contains("Noise floor: drawn again, the reference had the same pixels in 1 of 3 comparisons, at worst PSNR 41.2 dB."),
             qPrintable(lines(p).join(u'\n')));
  }

  void aVariantWithoutLayersOrPolicyIsNotKnown() {
    for (const char* part : {"weights", "policy"}) {
      Protocol p = sample::protocol();
      p.comparisons.resize(1);
      p.comparisons[0].attested = whole();
      QVERIFY(!lines(p).join(u'\n').contains("not proved"));
      QJsonObject variants = p.comparisons[0].attested["variants"].toObject(), one = variants["bnb-nf4"].toObject();
      one.remove(QLatin1String(part));
      variants["bnb-nf4"] = one, p.comparisons[0].attested["variants"] = variants;
      QVERIFY2(lines(p).join(u'\n').contains("not proved"), part);
    }
  }

  // A hash of a picture, beside the variant's name, tells everybody who reads the database which picture is which.
  void factsOfSinglePicturesAreSealed() {
    Protocol p = sample::protocol();
    const QString hash = QString(64, 'a');
    for (StudyComparison& c : p.comparisons) {
      c.attested = whole();
      c.attested["pictures"] = QJsonObject{{"bf16", QJsonObject{{"image_sha256", hash}}},
                                           {"bnb-nf4", QJsonObject{{"gate", QJsonObject{{"psnr", 31.25}}}}}};
    }
    const FrozenStudy study = sample::frozen(p);
    QVERIFY(!study.frozen.contains(hash.toLatin1()) && !study.frozen.contains("31.25") && !study.sealed.contains(hash.toLatin1()));
    QVERIFY(study.frozen.contains("noise_sha256"));
    const Mapping mapping = study.open(sample::kPassphrase);
    QCOMPARE(mapping.facts.size(), p.comparisons.size());
    QCOMPARE(mapping.facts["c0"].value("bf16")["image_sha256"].toString(), hash);
    QCOMPARE(mapping.facts["c3"].value("bnb-nf4")["gate"]["psnr"].toDouble(), 31.25);
    QCOMPARE(Mapping::fromText(mapping.text()).text(), mapping.text());
    // In the bundle they lie with the mapping, which the frozen study committed to.
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    ledger.close(study.hash());
    const QByteArray bundle = makeBundle(study, ledger.chain(study.hash()), mapping);
    QVERIFY2(verifyBundle(bundle).problems.isEmpty(), qPrintable(verifyBundle(bundle).problems.join(u'\n')));
    for (const auto& [name, data] : readZip(bundle)) QCOMPARE(data.contains(hash.toLatin1()), name == "mapping.json");
    Mapping changed = mapping;
    changed.facts["c0"] = {};
    FrozenStudy other = study;
    other.sealed = seal(changed.text(), sample::kPassphrase, SealCost::Interactive);
    QVERIFY_THROWS_EXCEPTION(Error, other.open(sample::kPassphrase));
  }

  void theReportSaysIt() {
    Protocol p = sample::protocol();
    p.model = "SDXL <turbo>";
    const FrozenStudy study = sample::frozen(p);
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    QCOMPARE(ledger.heads()[0].model, p.model);
    ledger.close(study.hash());
    for (const auto& [name, data] : readZip(makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase))))
      if (name == "report.html")
        QVERIFY(data.contains("<p>Model: SDXL &lt;turbo&gt;.</p>") && data.contains("<p>Not known: starting noise"));
  }

  // Also of what somebody wrote into a protocol by hand.
  void pythonSaysTheSame() {
    Random random(5);
    QJsonArray protocols, expected;
    QJsonObject told = whole();
    told["gate"] = QJsonObject{{"overruled", true}};
    told["reference_repeats_equal"] = false, told["reference_repeats_psnr"] = 40.26;
    for (int round = 0; round < 200; ++round) {
      Protocol p = sample::protocol();
      if (round % 3) p.model = "m";
      for (StudyComparison& c : p.comparisons)
        if (random.uniform() < 0.8) c.attested = disturbed(told, random, 3).toObject();
      protocols << toJson(p);
      expected << attestationFigures(draftFromJson(toJson(p)));
    }
    QTemporaryDir folder;
    QFile file(folder.filePath("protocols.json"));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(QJsonDocument(protocols).toJson()) > 0);
    file.close();
    QProcess python;
    python.start("python3", {"-c", QStringLiteral("import json, sys; sys.dont_write_bytecode = True; sys.path.insert(0, '%1')\n"
        "from rederive_attestation import attestation\n"
        "print(json.dumps([attestation(p) for p in json.load(open('%2', encoding='utf-8'))]))")
        .arg(QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/study"), file.fileName())});
    QVERIFY(python.waitForFinished(60000));
    const QByteArray out = python.readAllStandardOutput();
    QVERIFY2(python.exitCode() == 0, python.readAllStandardError().constData());
    const QJsonArray found = QJsonDocument::fromJson(out).array();
    QCOMPARE(found.size(), 200);
    for (qsizetype i = 0; i < found.size(); ++i)
      QVERIFY2(found[i] == expected[i], (QJsonDocument(found[i].toObject()).toJson() + QJsonDocument(expected[i].toObject()).toJson()).constData());
  }
};

QTEST_GUILESS_MAIN(AttestationTest)
#include "attestation_test.moc"
