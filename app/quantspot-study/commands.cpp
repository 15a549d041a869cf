#include "app/quantspot-study/commands.h"

#include "app/quantspot-study/attest_pictures.h"
#include "app/quantspot-study/keys.h"
#include "study/ablation.h"
#include "study/attestation.h"
#include "study/bundle.h"
#include "study/connection.h"
#include "study/error.h"
#include "study/ledger.h"
#include "study/metric_correlation.h"
#include "study/progress.h"
#include "study/report.h"
#include "study/revealed.h"
#include "study/sealed_history.h"
#include "study/statistics/power.h"
#include "study/study_store.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>
#include <cstdio>

namespace quantspot::cli {
namespace {

using namespace study;

// From a file (its first line), or from the environment; never from the command line, which others can see.
QString passphrase(const StudyArguments& a) {
  if (a.passphrase_file.isEmpty()) {
    const QString given = qEnvironmentVariable("QUANTSPOT_PASSPHRASE");
    if (given.isEmpty()) throw UsageError(QStringLiteral("the passphrase is missing: give --passphrase-file FILE or set QUANTSPOT_PASSPHRASE"));
    return given;
  }
  return QString::fromUtf8(readFile(a.passphrase_file).split('\n').first()).remove(QLatin1Char('\r'));
}

void writeFile(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
    throw Error(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
}

QString storePath(const StudyArguments& a) {
  return a.store.isEmpty() ? StudyStore::defaultPath() : a.store;
}

// What `read` makes of a file; what is wrong in it is told with its name.
template <class Read>
auto readNamed(const QString& path, const Read& read) {
  const QByteArray bytes = readFile(path);   // names it already
  try {
    return read(bytes);
  } catch (const Error& error) {
    throw Error(path + QStringLiteral(": ") + QString::fromUtf8(error.what()));
  }
}

// The store that a command only looks into: one that is not there is not made.
QString storeThatIs(const StudyArguments& a) {
  const QString path = storePath(a);
  const bool file = path != QLatin1String(":memory:") && !path.startsWith(QStringLiteral("postgres"));
  if (file && !QFileInfo::exists(path)) throw Error(QStringLiteral("%1: there is no such store; name one with --store").arg(path));
  return path;
}

// The only study of the store when none is named.
FrozenStudy chosen(Ledger& ledger, const StudyArguments& a) {
  const QStringList all = ledger.studies();
  if (a.study.isEmpty() && all.size() != 1)
    throw UsageError(all.isEmpty() ? QStringLiteral("the store holds no study")
        : QStringLiteral("the store holds several studies; name one with --study: ") + all.join(QStringLiteral(", ")));
  return ledger.study(a.study.isEmpty() ? all.first() : a.study);
}

QJsonObject importBundle(const QByteArray& bytes, Ledger& ledger) {
  const BundledStudy bundled = openBundle(bytes);
  ledger.restore(bundled.study, bundled.chain);
  return {{"study", bundled.study.hash()}, {"records", static_cast<int>(bundled.chain.size())},
      {"head", QString::fromLatin1(ledger.head(bundled.study.hash()))}};
}

// What was measured with an answer; empty: it was not. Throws Error for what is no such figure.
QJsonObject measured(const CsvTable& table, const QStringList& row) {
  QJsonObject details{{"imported", true}};
  for (const auto& [name, most] : {std::pair("response_ms", 1000000000), std::pair("confidence", 5), std::pair("focus_losses", 1000000000)}) {
    const int at = table.find(QLatin1String(name));
    if (at < 0 || row[at].trimmed().isEmpty()) continue;
    bool valid = false;
    const int value = row[at].toInt(&valid);
    if (!valid || value < 0 || value > most) throw Error(QStringLiteral("%1 '%2' is no whole number from 0 to %3").arg(QLatin1String(name), row[at]).arg(most));
    details[QLatin1String(name)] = value;
  }
  return details;
}

// Answers that another program or paper collected, all or none. People get new random ids; their cells follow the order of the file.
QJsonObject importAnswers(const QByteArray& bytes, Ledger& ledger, const StudyArguments& a) {
  const CsvTable table = parseCsvTable(bytes);
  const int person = table.column("participant"), trial = table.column("trial"), answer = table.column("answer");
  const FrozenStudy study = chosen(ledger, a);
  const Mapping mapping = study.open(passphrase(a));
  QMap<QString, Seat> seats;
  int rows = 0;
  ledger.atOnce(QStringLiteral("the answers were not imported"), [&] {
    for (const QStringList& row : table.rows) try {
      ++rows;
      bool valid = false;
      const int index = row[trial].toInt(&valid);
      if (!valid) throw Error(QStringLiteral("trial '%1' is no number").arg(row[trial]));
      if (row[person].trimmed().isEmpty()) throw Error(QStringLiteral("the participant has no name"));
      if (!seats.contains(row[person])) seats[row[person]] = ledger.join(study.hash(), {{"imported", true}});
      ledger.answer(study, mapping, seats[row[person]], index, row[answer], measured(table, row));
    } catch (const Error& error) {
      throw Error(QStringLiteral("row %1: %2; nothing was imported").arg(rows).arg(QString::fromUtf8(error.what())));
    }
  });
  QJsonObject people;
  for (auto seat = seats.begin(); seat != seats.end(); ++seat) people[seat.key()] = seat->participant;
  return {{"study", study.hash()}, {"answers", rows}, {"participants", people}, {"head", QString::fromLatin1(ledger.head(study.hash()))}};
}

RevealedStudy revealed(const StudyArguments& a) {
  if (!a.file.isEmpty()) return readNamed(a.file, [&a](const QByteArray& bytes) { return revealedBundle(bytes, a.head.toLatin1()); });
  Ledger ledger(storeThatIs(a));
  const FrozenStudy study = chosen(ledger, a);
  RevealedStudy found = reveal(study, ledger.chain(study.hash()), passphrase(a));
  unsealHistory(storePath(a), study.hash(), found.mapping);
  return found;
}

QJsonValue tested(const statistics::ChiSquare& test) { return test.freedom > 0 ? QJsonValue(test.p_value) : QJsonValue(); }

}  // namespace

QJsonObject newStudy(const StudyArguments& a) {
  Protocol protocol = readNamed(a.protocol, readProtocol);
  const Pictures pictures = readPictures(protocol, a.images);
  attestPictures(protocol, pictures, a.overrule_gate);
  const FrozenStudy study = freeze(protocol, pictures, passphrase(a));
  Ledger(storePath(a)).addStudy(study);
  const Mapping mapping = study.open(passphrase(a));
  const int sealed = sealHistory(storePath(a), study.hash(), mapping, shownBy(study, mapping));
  const OrderCheck check = checkOrder(protocol, study.hash(), mapping, std::clamp(protocol.participants, 24, 240));
  return {{"study", study.hash()}, {"title", protocol.title}, {"pictures", static_cast<int>(study.pictures.size())}, {"store", displayName(storePath(a))},
          {"attestation", attestationFigures(protocol)["lines"]}, {"sealed_samples", sealed},
          {"order_self_test", QJsonObject{{"slots_p", tested(check.slots)}, {"places_p", tested(check.places)}}}};
}

QJsonObject importFile(const StudyArguments& a) {
  return readNamed(a.file, [&a](const QByteArray& bytes) {
    Ledger ledger(storePath(a));
    return bytes.startsWith("PK") ? importBundle(bytes, ledger) : importAnswers(bytes, ledger, a);
  });
}

QJsonObject exportBundle(const StudyArguments& a) {
  Ledger ledger(storeThatIs(a));
  const FrozenStudy study = chosen(ledger, a);
  QJsonObject result{{"study", study.hash()}, {"head", QString::fromLatin1(ledger.head(study.hash()))}};
  if (!a.participant.isEmpty()) {
    const QJsonObject kept = ledger.keptOf(study.hash(), a.participant);
    if (a.out.isEmpty()) return kept;
    writeFile(a.out, QJsonDocument(kept).toJson());
    return {{"file", a.out}, {"participant", a.participant}, {"records", kept["records"].toArray().size()}};
  }
  if (a.out.isEmpty()) return result;   // the head hash alone, to be published before the reveal
  if (!a.sealed && ledger.closedAt(study.hash()).isEmpty())
    throw Error(QStringLiteral("the study is still running: close it first (quantspot-study close), or export it with --sealed"));
  const std::optional<Mapping> mapping = a.sealed ? std::nullopt : std::optional(study.open(passphrase(a)));
  if (mapping) unsealHistory(storePath(a), study.hash(), *mapping);
  const QByteArray bundle = makeBundle(study, ledger.chain(study.hash()), mapping);
  writeFile(a.out, bundle);
  result["file"] = a.out;
  result["bytes"] = bundle.size();
  return result;
}

QJsonObject verify(const StudyArguments& a) {
  const Verification v = verifyBundle(readFile(a.file), a.head.toLatin1());
  return {{"ok", v.problems.isEmpty()}, {"problems", QJsonArray::fromStringList(v.problems)},
          {"notes", QJsonArray::fromStringList(v.notes)}, {"study", v.study}, {"head", QString::fromLatin1(v.head)},
          {"head_given", !a.head.isEmpty()}, {"revealed", v.revealed}, {"analysis_version", v.analysis_version},
          {"figures_recomputed", v.recomputed}, {"records", v.records}, {"erased", v.erased}, {"responses", v.responses},
          {"decisions", v.analysis["decisions"]}};
}

QJsonObject closeStudy(const StudyArguments& a) {
  Ledger ledger(storeThatIs(a));
  const FrozenStudy study = chosen(ledger, a);
  ledger.close(study.hash());
  return {{"study", study.hash()}, {"closed", ledger.closedAt(study.hash())}, {"head", QString::fromLatin1(ledger.head(study.hash()))}};
}

QJsonObject ablation(const StudyArguments& a) {
  const Protocol protocol = ablationProtocol(readNamed(a.protocol, readProtocol), layerGroups(a.groups), a.low);
  writeFile(a.out, QJsonDocument(toJson(protocol)).toJson(QJsonDocument::Indented));
  QJsonArray pictures;
  for (const StudyComparison& comparison : protocol.comparisons)
    for (const QString& variant : protocol.variants)
      pictures << QJsonObject{{"comparison", comparison.id}, {"prompt", comparison.prompt}, {"precision", variant},
          {"file", comparison.id + QLatin1Char('/') + variantFileName(variant) + QStringLiteral(".png")}};
  return {{"protocol", a.out}, {"variants", QJsonArray::fromStringList(protocol.variants)}, {"pictures", pictures}};
}

QJsonObject report(const StudyArguments& a) {
  if (a.out.isEmpty() && a.pdf.isEmpty()) throw UsageError(QStringLiteral("name a file: --out REPORT.html, --pdf REPORT.pdf or both"));
  const QJsonObject analysis = revealed(a).analysis;
  if (!a.out.isEmpty()) writeFile(a.out, reportHtml(analysis));
  if (!a.pdf.isEmpty()) writeFile(a.pdf, reportPdf(analysis));
  return {{"decisions", analysis["decisions"]}};
}

QJsonObject analyzeStudy(const StudyArguments& a) {
  const RevealedStudy study = revealed(a);
  QJsonObject result = study.analysis;
  if (!a.save_policy.isEmpty()) {
    const VisibilityPolicy policy = policyFromVisibility(study.protocol, study.analysis);
    writeFile(a.save_policy, QJsonDocument(policy.policy).toJson());
    result["policy"] = QJsonObject{{"file", a.save_policy}, {"kept", QJsonArray::fromStringList(policy.kept)},
        {"lowered", QJsonArray::fromStringList(policy.lowered)}};
  }
  if (!a.metrics.isEmpty()) result["metrics"] = metricCorrelations(study.protocol, study.counted(), readNamed(a.metrics, parseCsvTable));
  return result;
}

QJsonObject erase(const StudyArguments& a) {
  Ledger ledger(storeThatIs(a));
  const FrozenStudy study = chosen(ledger, a);
  ledger.erase(study.hash(), a.participant);
  return {{"study", study.hash()}, {"erased", a.participant}, {"head", QString::fromLatin1(ledger.head(study.hash()))}};
}

QJsonObject status(const StudyArguments& a) {
  Ledger ledger(storeThatIs(a));
  const FrozenStudy study = chosen(ledger, a);
  const Protocol protocol = study.protocol();
  const bool sequential = protocol.stopping.rule != StoppingRule::Fixed;
  QJsonObject result = toJson(progressOf(protocol, study.hash(), ledger.chain(study.hash()), sequential ? std::optional(study.open(passphrase(a)))
      : std::nullopt));
  result["study"] = study.hash();
  return result;
}

QJsonObject power(const StudyArguments& a) try {
  using namespace statistics;
  const int needed = a.trials > 0 ? a.trials : trialsNeeded(a.rate, a.chance, a.power, a.alpha).trials;
  const Power at = binomialPower(needed, a.rate, a.chance, a.alpha);
  const double bound = a.chance + a.margin * (1 - a.chance);   // the rate at which the margin is reached
  QJsonArray curve;
  for (int n = std::max(1, needed / 20); n <= 2 * needed; n += std::max(1, needed / 20))
    curve << QJsonObject{{"trials", n}, {"power", binomialPower(n, a.rate, a.chance, a.alpha).power},
        {"equivalence_power", equivalencePower(n, a.chance, bound, a.alpha / 2).power}};
  return {{"trials", at.trials}, {"needed", at.needed}, {"power", at.power},
      {"equivalence_power_at_chance", equivalencePower(needed, a.chance, bound, a.alpha / 2).power}, {"curve", curve}};
} catch (const std::invalid_argument& error) {
  throw UsageError(QString::fromUtf8(error.what()));
}

}  // namespace quantspot::cli
