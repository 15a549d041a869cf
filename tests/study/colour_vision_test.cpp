// The colour-vision check: what is shown, kept, flagged and exported, and that protocols without it stay what they were.
#include "study/analysis.h"
#include "study/bundle.h"
#include "study/csv.h"
#include "study/error.h"
#include "study/report.h"
#include "study/zip_file.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::study;

namespace {

Protocol checked(int plates = 3, int needed = 7) {
  Protocol p = sample::protocol(4);
  p.colour_plates = plates;
  p.exclusion.min_plates_read = needed;
  return p;
}

struct Check {
  explicit Check(const Protocol& p = checked()) : study(sample::frozen(p)), mapping(study.open(sample::kPassphrase)) {
    ledger.addStudy(study);
    seats = sample::run(ledger, study, 3, 0.6);
  }
  std::vector<PlannedPlate> plates(const Seat& seat) const { return planPlates(study.protocol(), study.hash(), mapping, seat.participant); }
  // Misses the plates of one axis (or none).
  QStringList answers(const Seat& seat, const QString& missed = {}) const {
    QStringList all;
    for (const PlannedPlate& plate : plates(seat)) all << (axisName(plate.axis) == missed ? QStringLiteral("none") : QString::number(plate.numeral));
    return all;
  }
  void read(const Seat& seat, const QStringList& answers) {
    ledger.append(study.hash(), "colour-vision", seat.participant, plateRecord(mapping, seat.participant, plates(seat), answers));
  }
  Responses responses() { return collect(study.protocol(), study.hash(), mapping, ledger.chain(study.hash())); }
  QJsonObject analysis() { return analyze(study.protocol(), study.hash(), responses()); }
  QByteArray bundle() { return makeBundle(study, ledger.chain(study.hash()), mapping); }
  QString excluded(const Seat& seat) {
    for (const ResponseRow& row : responses().rows)
      if (row.participant == seat.participant) return row.excluded;
    return {};
  }

  FrozenStudy study;
  Mapping mapping;
  Ledger ledger{":memory:"};
  std::vector<Seat> seats;
};

QMap<QString, QByteArray> filesOf(const QByteArray& zip) {
  QMap<QString, QByteArray> files;
  for (const auto& [name, data] : readZip(zip)) files[name] = data;
  return files;
}

}  // namespace

class ColourVisionTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everybodyGetsAControlAndAsManyOfEachAxis() {
    const Check check;
    const auto first = check.plates(check.seats[0]), second = check.plates(check.seats[1]);
    QCOMPARE(first.size(), std::size_t(1 + 3 * 3));
    QCOMPARE(first[0].axis, ColourAxis::Control);
    QMap<QString, QSet<int>> numerals;
    for (const PlannedPlate& plate : first) {
      QVERIFY(plate.numeral >= 2 && plate.numeral <= 9);
      numerals[axisName(plate.axis)] << plate.numeral;
    }
    QCOMPARE(numerals["protan"].size() + numerals["deutan"].size() + numerals["tritan"].size(), 9);   // none twice in one axis
    const auto shown = [](const std::vector<PlannedPlate>& plates) {
      QString text;
      for (const PlannedPlate& plate : plates) text += QStringLiteral("%1 %2 %3,").arg(axisName(plate.axis)).arg(plate.numeral).arg(plate.seed);
      return text;
    };
    QCOMPARE(shown(first), shown(check.plates(check.seats[0])));       // drawn again, the same
    QVERIFY(shown(first) != shown(second));
    QVERIFY(planPlates(sample::protocol(), "study", check.mapping, "p").empty());
  }

  void whatWasReadIsARowPerPlate() {
    Check check;
    check.read(check.seats[0], check.answers(check.seats[0]));
    check.read(check.seats[1], check.answers(check.seats[1], "deutan"));
    const Responses responses = check.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    const CsvTable table = parseCsvTable(platesCsv(responses.plates));
    QCOMPARE(table.header, (QStringList{"record", "participant", "plate", "axis", "numeral", "answer", "read"}));
    QCOMPARE(table.rows.size(), 2 * 10);
    QCOMPARE(platesRead(responses.plates, check.seats[0].participant), 9);
    QCOMPARE(platesRead(responses.plates, check.seats[1].participant), 6);
    QCOMPARE(platesRead(responses.plates, check.seats[2].participant), 0);   // was not checked
    const QJsonObject figures = check.analysis()["colour_vision"].toObject();
    QCOMPARE(figures["plates_per_axis"].toInt(), 3);
    QCOMPARE(figures["axes"][0], (QJsonValue(QJsonObject{{"axis", "control"}, {"read", 2}, {"shown", 2}})));
    QCOMPARE(figures["axes"][2], (QJsonValue(QJsonObject{{"axis", "deutan"}, {"read", 3}, {"shown", 6}})));
    QVERIFY(plateLines(figures).join('\n').contains("deutan 0 of 3"));
  }

  void ofACheckDoneTwiceTheLastCounts() {
    Check check;
    check.read(check.seats[0], check.answers(check.seats[0], "protan"));
    check.read(check.seats[0], check.answers(check.seats[0]));
    QCOMPARE(check.responses().plates.size(), std::size_t(10));
    QCOMPARE(platesRead(check.responses().plates, check.seats[0].participant), 9);
  }

  // Declared before the freeze; flagged, and shown both ways.
  void whoReadsTooFewIsFlaggedAndNotDropped() {
    Check check;
    check.read(check.seats[0], check.answers(check.seats[0]));
    check.read(check.seats[1], check.answers(check.seats[1], "protan"));
    QCOMPARE(check.excluded(check.seats[0]), QString());
    QCOMPARE(check.excluded(check.seats[1]), QStringLiteral("colour vision"));
    QCOMPARE(check.excluded(check.seats[2]), QStringLiteral("colour vision"));
    const QJsonObject analysis = check.analysis();
    QCOMPARE(analysis["with_exclusions"]["people"].toInt(), 1);
    QCOMPARE(analysis["without_exclusions"]["people"].toInt(), 3);
    Check lenient(checked(3, 0));
    QCOMPARE(lenient.excluded(lenient.seats[0]), QString());
  }

  void whatDoesNotFitThePlanIsAProblem() {
    Check check;
    const Seat& seat = check.seats[0];
    QVERIFY_EXCEPTION_THROWN(plateRecord(check.mapping, seat.participant, check.plates(seat), {"7"}), Error);
    QVERIFY(!isPlateAnswer("10") && !isPlateAnswer("") && !isPlateAnswer("x") && isPlateAnswer("none"));
    QJsonObject record = plateRecord(check.mapping, seat.participant, check.plates(seat), check.answers(seat));
    record["shown"] = "0123";
    check.ledger.append(check.study.hash(), "colour-vision", seat.participant, record);
    record = plateRecord(check.mapping, seat.participant, check.plates(seat), check.answers(seat));
    record["answers"] = QJsonArray{"7"};
    check.ledger.append(check.study.hash(), "colour-vision", seat.participant, record);
    check.ledger.append(check.study.hash(), "colour-vision", "nobody", record);
    const QStringList problems = check.responses().problems;
    QCOMPARE(problems.size(), 3);
    QVERIFY2(problems[0].contains("other plates") && problems[1].contains("not whole") && problems[2].contains("never joined"),
             qPrintable(problems.join('\n')));
    QVERIFY(check.responses().plates.empty());
  }

  // The answers lie in the chain, and what the plates showed does not.
  void theChainTellsNothingOfWhatWasShown() {
    Check check;
    check.read(check.seats[0], check.answers(check.seats[0], "tritan"));
    const QJsonObject record = check.ledger.chain(check.study.hash()).back().json();
    QCOMPARE(record.keys(), (QStringList{"answers", "kind", "participant", "shown", "time"}));
    QVERIFY(!check.study.frozen.contains("numeral"));
  }

  void theBundleHoldsItAndItsScriptAgrees() {
    Check check;
    for (const Seat& seat : check.seats) check.read(seat, check.answers(seat, seat.cell == 1 ? "protan" : QString()));
    check.ledger.close(check.study.hash());
    const QByteArray zip = check.bundle();
    const Verification verification = verifyBundle(zip);
    QVERIFY2(verification.problems.isEmpty(), qPrintable(verification.problems.join('\n')));
    const auto files = filesOf(zip);
    QCOMPARE(parseCsvTable(files["colour_vision.csv"]).rows.size(), 3 * 10);
    const CsvTable book = parseCsvTable(files["codebook.csv"]);
    QStringList columns;
    for (const QStringList& row : book.rows)
      if (row[0] == "colour_vision.csv") columns << row[1];
    QCOMPARE(columns, parseCsvTable(files["colour_vision.csv"]).header);
    QVERIFY(files["report.html"].contains("Colour vision") && files["report.html"].contains("no diagnosis"));
    QTemporaryDir folder;
    for (auto file = files.begin(); file != files.end(); ++file) {
      QDir().mkpath(QFileInfo(folder.filePath(file.key())).path());
      QFile out(folder.filePath(file.key()));
      QVERIFY(out.open(QIODevice::WriteOnly) && out.write(*file) == file->size());
    }
    QProcess script;
    script.setProcessChannelMode(QProcess::MergedChannels);
    script.start("python3", {folder.filePath("rederive.py"), folder.path()});
    QVERIFY(script.waitForFinished(120000));
    const QByteArray said = script.readAll();
    QVERIFY2(script.exitCode() == 0 && said.contains("everything agrees"), said.constData());
  }

  void protocolsWithoutTheCheckAreWhatTheyWere() {
    const QJsonObject plain = toJson(sample::protocol());
    QVERIFY(!plain.contains("colour_vision") && !plain["exclusion"].toObject().contains("min_plates_read"));
    QCOMPARE(protocolFromJson(plain).colour_plates, 0);
    const Protocol again = protocolFromJson(toJson(checked(2, 5)));
    QCOMPARE(again.colour_plates, 2);
    QCOMPARE(again.exclusion.min_plates_read, 5);
    Check none(sample::protocol(4));
    none.ledger.close(none.study.hash());
    const auto files = filesOf(none.bundle());
    QVERIFY(!files.contains("colour_vision.csv") && !files["codebook.csv"].contains("colour_vision") &&
            !files["analysis.json"].contains("colour_vision"));
  }

  void contradictionsAreRefused() {
    for (const auto& [plates, needed] : {std::pair(7, 0), std::pair(-1, 0), std::pair(2, 7), std::pair(0, 1)})
      QVERIFY_EXCEPTION_THROWN(validate(checked(plates, needed)), Error);
    QJsonObject json = toJson(checked());
    json["colour_vision"] = QJsonObject{{"plates", 3}};
    QVERIFY_EXCEPTION_THROWN(protocolFromJson(json), Error);
  }

  void erasingSomebodyErasesWhatTheyRead() {
    Check check;
    for (const Seat& seat : check.seats) check.read(seat, check.answers(seat));
    check.ledger.erase(check.study.hash(), check.seats[1].participant);
    const Responses responses = check.responses();
    QVERIFY(responses.problems.isEmpty());
    QCOMPARE(responses.plates.size(), std::size_t(20));
  }
};

QTEST_GUILESS_MAIN(ColourVisionTest)
#include "colour_vision_test.moc"
