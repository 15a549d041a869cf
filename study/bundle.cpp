#include "study/bundle.h"

#include "study/csv.h"
#include "study/error.h"
#include "study/order.h"
#include "study/report.h"
#include "study/zip_file.h"

#include <QJsonDocument>
#include <QRegularExpression>

#include <cmath>

namespace quantspot::study {
namespace {

using Files = QMap<QString, QByteArray>;

QByteArray indented(const QJsonObject& json) { return QJsonDocument(json).toJson(QJsonDocument::Indented); }

QString pictureName(const QString& hash) { return QStringLiteral("images/%1.png").arg(hash); }

// What a reader wants to see first comes first; pictures come last.
ZipEntries inOrder(const Files& files) {
  ZipEntries entries;
  const QStringList first{QStringLiteral("manifest.json"), QStringLiteral("report.html"), QStringLiteral("report.pdf")};
  for (const QString& name : first)
    if (files.contains(name)) entries << std::pair(name, files[name]);
  for (bool pictures : {false, true})
    for (auto file = files.begin(); file != files.end(); ++file)
      if (!first.contains(file.key()) && file.key().startsWith(QLatin1String("images/")) == pictures)
        entries << std::pair(file.key(), file.value());
  return entries;
}

// Everything that follows from study, chain and mapping.
Files derived(const Protocol& protocol, const QString& hash, const Mapping& mapping, const std::vector<ChainRecord>& chain) {
  const Responses responses = collect(protocol, hash, mapping, chain);
  Files files{{"responses.csv", responsesCsv(responses.rows)}, {"questionnaires.csv", questionnairesCsv(responses.questionnaires)},
      {"codebook.csv", codebookCsv(protocol)}, {"analysis.json", indented(analyze(protocol, hash, responses))}};
  if (protocol.colour_plates > 0) files["colour_vision.csv"] = platesCsv(responses.plates);
  return files;
}

Files scripts() {
  Files files;
  for (const char* name : {"rederive.py", "rederive_statistics.py", "rederive_attestation.py", "rederive_curve.py", "rederive.R"})
    files[QLatin1String(name)] = readFile(QStringLiteral(":/study/") + QLatin1String(name));
  return files;
}

// Figures may differ in their last digits where another machine's mathematics library rounds otherwise.
bool sameFigures(const QJsonValue& a, const QJsonValue& b) {
  if (a.isDouble() && b.isDouble()) return std::abs(a.toDouble() - b.toDouble()) <= 1e-9 * std::max(1.0, std::abs(b.toDouble()));
  if (a.isArray() && b.isArray()) {
    const QJsonArray x = a.toArray(), y = b.toArray();
    for (qsizetype i = 0; i < x.size() && x.size() == y.size(); ++i)
      if (!sameFigures(x[i], y[i])) return false;
    return x.size() == y.size();
  }
  if (a.isObject() && b.isObject()) {
    const QJsonObject x = a.toObject(), y = b.toObject();
    for (const QString& key : x.keys())
      if (!y.contains(key) || !sameFigures(x[key], y[key])) return false;
    return x.size() == y.size();
  }
  return a == b;
}

class Verifier {
 public:
  Verifier(const Files& files, const QByteArray& head) : files_(files), head_(head) {}

  Verification verify() {
    manifest();
    study();
    chain();
    if (files_.contains(QStringLiteral("mapping.json"))) reveal();
    return std::move(result_);
  }

 private:
  void wrong(const QString& what) { result_.problems << what; }

  QJsonObject json(const QString& name) {
    const QJsonDocument document = QJsonDocument::fromJson(files_.value(name));
    if (!document.isObject()) throw Error(QStringLiteral("%1 is missing or no JSON object").arg(name));
    return document.object();
  }

  void manifest() {
    manifest_ = json(QStringLiteral("manifest.json"));
    if (indented(manifest_) != files_[QStringLiteral("manifest.json")])
      wrong(QStringLiteral("manifest.json is not written as QuantSpot writes it"));
    const QStringList known{"analysis", "files", "head", "program", "records", "schema", "study"};
    for (const QString& key : manifest_.keys())
      if (!known.contains(key)) wrong(QStringLiteral("manifest.json holds '%1', which no version writes").arg(key));
    static const QRegularExpression version(QStringLiteral("^\\d+\\.\\d+\\.\\d+$"));
    if (!version.match(manifest_[QStringLiteral("program")].toString()).hasMatch())
      wrong(QStringLiteral("manifest.json names no version of the program"));
    const QJsonObject listed = manifest_[QStringLiteral("files")].toObject();
    for (const QString& name : listed.keys())
      if (!files_.contains(name)) wrong(QStringLiteral("%1 is missing").arg(name));
      else if (listed[name].toString().toLatin1() != sha256Hex(files_[name]))
        wrong(QStringLiteral("%1 was changed: its hash is not the manifest's").arg(name));
    for (const QString& name : files_.keys())
      if (!listed.contains(name) && name != QLatin1String("manifest.json")) wrong(QStringLiteral("%1 is not in the manifest").arg(name));
    if (manifest_[QStringLiteral("schema")].toInt() != 1)
      throw Error(QStringLiteral("the bundle is of another version; use a newer quantspot-study"));
  }

  void study() {
    study_.frozen = files_.value(QStringLiteral("frozen.json"));
    study_.sealed = files_.value(QStringLiteral("sealed.bin"));
    result_.study = study_.hash();
    if (result_.study != manifest_[QStringLiteral("study")].toString()) wrong(QStringLiteral("frozen.json is not the study that the manifest names"));
    QStringList named;
    for (const QJsonValue& hash : json(QStringLiteral("frozen.json"))[QStringLiteral("images_sha256")].toArray()) named << hash.toString();
    for (const QString& hash : named)
      if (QString::fromLatin1(sha256Hex(files_.value(pictureName(hash)))) != hash)
        wrong(QStringLiteral("%1 is missing or was changed").arg(pictureName(hash)));
    for (const QString& name : files_.keys())
      if (name.startsWith(QLatin1String("images/")) && !named.contains(name.mid(7).chopped(4)))
        wrong(QStringLiteral("%1 is not a picture of this study").arg(name));
    protocol_ = study_.protocol();
  }

  void chain() {
    chain_ = chainFromCsv(files_.value(QStringLiteral("chain.csv")));
    if (chainCsv(chain_) != files_.value(QStringLiteral("chain.csv"))) wrong(QStringLiteral("chain.csv is not written as QuantSpot writes it"));
    const QByteArray stated = manifest_[QStringLiteral("head")].toString().toLatin1();
    result_.problems << chainProblems(result_.study.toLatin1(), chain_, stated);
    if (!head_.isEmpty() && head_ != stated)
      wrong(QStringLiteral("the head hash is %1, not the %2 that was given").arg(QString::fromLatin1(stated), QString::fromLatin1(head_)));
    if (static_cast<int>(chain_.size()) != manifest_[QStringLiteral("records")].toInt(-1))
      wrong(QStringLiteral("the number of records is not the manifest's"));
    result_.head = chain_.empty() ? result_.study.toLatin1() : chain_.back().hash;
    result_.records = static_cast<int>(chain_.size());
    for (const ChainRecord& record : chain_) result_.erased += record.erased();
  }

  void reveal() {
    const QByteArray text = files_.value(QStringLiteral("mapping.json"));
    result_.revealed = true;
    if (QString::fromLatin1(sha256Hex(text)) != study_.mappingCommitment())
      return wrong(QStringLiteral("mapping.json is not the mapping that the frozen study committed to"));
    const Mapping mapping = Mapping::fromText(text);
    const Responses responses = collect(protocol_, result_.study, mapping, chain_);
    result_.responses = static_cast<int>(responses.rows.size());
    result_.problems << responses.problems;
    if (files_.value(QStringLiteral("responses.csv")) != responsesCsv(responses.rows))
      wrong(QStringLiteral("responses.csv does not follow from the chain"));
    if (files_.value(QStringLiteral("questionnaires.csv")) != questionnairesCsv(responses.questionnaires))
      wrong(QStringLiteral("questionnaires.csv does not follow from the chain"));
    if (protocol_.colour_plates > 0 && files_.value(QStringLiteral("colour_vision.csv")) != platesCsv(responses.plates))
      wrong(QStringLiteral("colour_vision.csv does not follow from the chain"));
    result_.analysis = json(QStringLiteral("analysis.json"));
    result_.analysis_version = manifest_.contains(QStringLiteral("analysis")) ? manifest_.value(QStringLiteral("analysis")).toInt() : 1;
    if (result_.analysis_version < 1) wrong(QStringLiteral("manifest.json names no version of the analysis"));
    if (result_.analysis_version != result_.analysis[QStringLiteral("version")].toInt(1))
      wrong(QStringLiteral("analysis.json is of another version than the manifest says"));
    if (result_.analysis[QStringLiteral("study")].toString() != result_.study) wrong(QStringLiteral("analysis.json is not of this study"));
    result_.recomputed = result_.analysis_version == kAnalysisVersion;
    if (result_.recomputed) figures(derived(protocol_, result_.study, mapping, chain_));
    else if (result_.analysis_version >= 1)
      result_.notes << QStringLiteral("analysis.json and the reports were made by version %1 of the analysis and are not recomputed by this program, "
          "whose version is %2; study, chain, plan, pictures and responses were checked").arg(result_.analysis_version).arg(kAnalysisVersion);
  }

  void figures(const Files& again) {
    if (files_.value(QStringLiteral("codebook.csv")) != again["codebook.csv"]) wrong(QStringLiteral("codebook.csv is not this version's"));
    if (!sameFigures(result_.analysis, QJsonDocument::fromJson(again["analysis.json"]).object()))
      wrong(QStringLiteral("analysis.json does not follow from the responses"));
    if (files_.value(QStringLiteral("report.html")) != reportHtml(result_.analysis))
      wrong(QStringLiteral("report.html does not follow from analysis.json"));
    printed();
    if (manifest_[QStringLiteral("program")].toString() != QLatin1String(QUANTSPOT_VERSION)) return;   // another version's scripts may differ
    const Files own = scripts();
    for (auto script = own.begin(); script != own.end(); ++script)
      if (files_.value(script.key()) != *script) wrong(QStringLiteral("%1 is not the script of this version").arg(script.key()));
  }

  // Letters are drawn by this computer's fonts: other ones give other bytes for the same words.
  void printed() {
    const QByteArray stated = files_.value(QStringLiteral("report.pdf")), own = reportPdf(result_.analysis);
    if (stated == own) return;
    const QString there = fontsOf(stated), here = fontsOf(own);
    if (there == here || there.isEmpty()) return wrong(QStringLiteral("report.pdf does not follow from analysis.json"));
    result_.notes << QStringLiteral("report.pdf was not checked: it says that it was set with %1; here is %2. Read report.html, which was checked, "
        "or check the bundle where those fonts are").arg(there, here);
  }

  const Files files_;
  const QByteArray head_;
  QJsonObject manifest_;
  FrozenStudy study_;
  Protocol protocol_;
  std::vector<ChainRecord> chain_;
  Verification result_;
};

Files filesOf(const QByteArray& zip) {
  Files files;
  for (const auto& [name, data] : readZip(zip)) {
    if (files.contains(name)) throw Error(QStringLiteral("%1 is in the bundle twice").arg(name));
    files[name] = data;
  }
  if (writeZip(inOrder(files)) != zip) throw Error(QStringLiteral("the files of the bundle stand in another order than QuantSpot's"));
  return files;
}

}  // namespace

QByteArray makeBundle(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const std::optional<Mapping>& mapping) {
  const QString hash = study.hash();
  const QStringList problems = chainProblems(hash.toLatin1(), chain);
  if (!problems.isEmpty()) throw Error(QStringLiteral("the study was not exported, because its chain does not hold: ") + problems.first());
  Files files{{"frozen.json", study.frozen}, {"sealed.bin", study.sealed}, {"chain.csv", chainCsv(chain)}};
  for (auto picture = study.pictures.begin(); picture != study.pictures.end(); ++picture) files[pictureName(picture.key())] = picture.value();
  QJsonObject manifest{{"schema", 1}, {"program", QStringLiteral(QUANTSPOT_VERSION)}, {"study", hash},
                       {"records", static_cast<int>(chain.size())},
                       {"head", QString::fromLatin1(chain.empty() ? hash.toLatin1() : chain.back().hash)}};
  if (mapping) {
    manifest["analysis"] = kAnalysisVersion;
    files[QStringLiteral("mapping.json")] = mapping->text();
    files.insert(derived(study.protocol(), hash, *mapping, chain));
    const QJsonObject analysis = QJsonDocument::fromJson(files["analysis.json"]).object();
    files[QStringLiteral("report.html")] = reportHtml(analysis);
    files[QStringLiteral("report.pdf")] = reportPdf(analysis);
    files.insert(scripts());
  }
  QJsonObject hashes;
  for (auto file = files.begin(); file != files.end(); ++file) hashes[file.key()] = QString::fromLatin1(sha256Hex(file.value()));
  manifest[QStringLiteral("files")] = hashes;
  files[QStringLiteral("manifest.json")] = indented(manifest);
  return writeZip(inOrder(files));
}

Verification verifyBundle(const QByteArray& zip, const QByteArray& head) {
  try {
    return Verifier(filesOf(zip), head).verify();
  } catch (const std::exception& error) {   // too damaged to go on
    Verification failed;
    failed.problems << QString::fromUtf8(error.what());
    return failed;
  }
}

BundledStudy openBundle(const QByteArray& zip) {
  const Verification verification = verifyBundle(zip);
  if (!verification.problems.isEmpty()) throw Error(QStringLiteral("the bundle does not hold: ") + verification.problems.first());
  const Files files = filesOf(zip);
  BundledStudy bundled{{files["frozen.json"], files["sealed.bin"], {}}, chainFromCsv(files["chain.csv"]), {}};
  if (files.contains(QStringLiteral("mapping.json"))) bundled.mapping = Mapping::fromText(files["mapping.json"]);
  for (auto file = files.begin(); file != files.end(); ++file)
    if (file.key().startsWith(QLatin1String("images/"))) bundled.study.pictures[file.key().mid(7).chopped(4)] = file.value();
  return bundled;
}

}  // namespace quantspot::study
