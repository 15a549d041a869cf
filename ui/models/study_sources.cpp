#include "ui/models/study_sources.h"

#include "ui/models/comparison.h"
#include "ui/models/picture_facts.h"
#include "ui/models/picture_import.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QJsonArray>
#include <QDir>
#include <QFileInfo>
#include <QUrl>

#include <algorithm>
#include <cmath>

namespace quantspot::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::StudySources", text); }

// The name that a study may state: the last part of a path, and nothing of the folders of this computer.
QString modelName(const QString& model) {
  if (model == QLatin1String(kImported)) return {};
  QString name = QFileInfo(QDir::cleanPath(model)).fileName();
  for (const char* suffix : {".safetensors", ".gguf"})
    if (name.endsWith(QLatin1String(suffix), Qt::CaseInsensitive)) name.chop(qstrlen(suffix));
  return name;
}

study::VariantCost costOf(const QJsonObject& report) {
  study::VariantCost cost{0, report[QStringLiteral("seconds")][QStringLiteral("total")].toDouble()};
  const QJsonObject device = report[QStringLiteral("device_peak_bytes")].toObject();
  for (const QJsonValue& peak : device.isEmpty() ? report[QStringLiteral("peak_bytes")].toObject() : device)
    cost.memory_bytes = std::max(cost.memory_bytes, peak.toDouble());
  return cost;
}

// Of all weights of the denoiser's layers, scales included; 0 where the report does not tell their shapes.
double bitsPerWeight(const QJsonObject& report) {
  const QJsonObject weights = report[QStringLiteral("weights")].toObject();
  const char* denoiser = weights.contains(QStringLiteral("transformer")) ? "transformer" : "unet";
  double bytes = 0, count = 0;
  for (const QJsonValue& layer : weights[QLatin1String(denoiser)][QStringLiteral("layers")].toArray()) {
    const QJsonArray shape = layer[QStringLiteral("shape")].toArray();
    double size = shape.isEmpty() ? 0 : 1;
    for (const QJsonValue& side : shape) size *= side.toDouble();
    if (!(size > 0)) return 0;
    bytes += layer[QStringLiteral("bytes")].toDouble(), count += size;
  }
  return count > 0 ? 8 * bytes / count : 0;
}

QJsonObject attestedVariant(const study::Sample& sample) {
  const QJsonObject weights = sample.report[QStringLiteral("weights")].toObject();
  QJsonObject parts;
  for (const QString& part : weights.keys()) {
    QJsonObject precisions;
    for (const QJsonValue& layer : weights[part][QStringLiteral("layers")].toArray()) {
      const QString precision = layer[QStringLiteral("precision")].toString();
      precisions[precision] = precisions[precision].toInt() + 1;
    }
    parts[part] = QJsonObject{{"bytes", weights[part][QStringLiteral("bytes")]}, {"layers", precisions}};
  }
  QJsonObject attested{{"policy", sample.report[QStringLiteral("policy")]}, {"weights", parts}};
  for (const char* figures : {"seconds", "peak_bytes", "device_peak_bytes"})       // phase by phase; of the steps the first is the cold one
    if (const QJsonValue taken = sample.report[QLatin1String(figures)]; taken.isObject()) attested[QLatin1String(figures)] = taken;
  return attested;
}

// What is known of a reference that was drawn again: as a picture of the comparison, or beside it.
struct Repeats {
  QByteArray first;
  int count = 0;
  bool equal = true;
  std::optional<double> psnr;            // the lowest of those that are not equal

  void learn(const study::Sample& reference) {
    if (reference.scores.repeat_psnr) add(std::isinf(*reference.scores.repeat_psnr), reference.scores.repeat_psnr);
    if (!first.isEmpty()) add(reference.png == first, reference.scores.psnr);
    else first = reference.png;
  }
  void add(bool same, const std::optional<double>& db) {
    ++count, equal = equal && same;
    if (!same && db) psnr = std::min(psnr.value_or(*db), *db);
  }
  void tell(QJsonObject& attested) const {
    if (count == 0) return;
    attested[QStringLiteral("reference_repeats")] = count, attested[QStringLiteral("reference_repeats_equal")] = equal;
    if (psnr) attested[QStringLiteral("reference_repeats_psnr")] = *psnr;
  }
};

std::optional<SourcePictures> readComparison(study::StudyStore& store, qint64 id, QString& why) {
  const auto comparison = store.comparison(id);
  if (!comparison) {
    why = tr("it is no longer in the history");
    return {};
  }
  SourcePictures found{.prompt = comparison->recipe[QStringLiteral("prompt")].toString(), .model = modelName(comparison->model), .pictures = {},
                       .costs = {}, .attested = attestation(*comparison), .suspicion = {}};
  for (const study::Sample& sample : comparison->samples) {
    if (sample.png.isEmpty()) why = tr("%1 gave no picture: %2").arg(sample.precision, sample.failure);
    else if (!found.pictures.contains(sample.precision)) {
      found.pictures[sample.precision] = sample.png;
      found.costs[sample.precision] = costOf(sample.report);
      if (const double bits = bitsPerWeight(sample.report); bits > 0) found.bits[sample.precision] = bits;
      if (sample.scores.lpips && sample.precision != QLatin1String(study::kReference)) found.lpips[sample.precision] = *sample.scores.lpips;
    }
  }
  if (why.isEmpty()) why = mismatch(fromStored(*comparison));
  return found;
}

std::optional<SourcePictures> readFolder(const QString& folder, QString& why) {
  const QDir dir(folder);
  SourcePictures found{.prompt = dir.dirName(), .model = {}, .pictures = {}, .costs = {}, .attested = {}, .suspicion = {}};
  for (const QString& name : dir.entryList({QStringLiteral("*.png")}, QDir::Files, QDir::Name)) {
    QFile file(dir.filePath(name));
    if (!file.open(QIODevice::ReadOnly)) {
      why = tr("%1 cannot be read: %2").arg(file.fileName(), file.errorString());
      return {};
    }
    found.pictures[QUrl::fromPercentEncoding(name.chopped(4).toUtf8())] = file.readAll();
  }
  if (found.pictures.isEmpty()) why = tr("%1 holds no PNG pictures").arg(folder);
  return found;
}

// Of pictures made elsewhere: their files, and what their list says of them.
QJsonObject importedFacts(const study::Comparison& comparison) {
  QJsonObject pictures;
  for (const study::Sample& sample : comparison.samples) {
    const QJsonObject& report = sample.report;
    QJsonObject one{{"source_sha256", report["source_sha256"]}, {"source_format", report["source"]["format"]},
                    {"source_mode", report["source"]["mode"]}};
    if (report["seconds"]["total"].isDouble()) one["stated_seconds"] = report["seconds"]["total"];
    if (const QJsonValue bytes = report["weights"]["transformer"]["bytes"]; bytes.isDouble()) one["stated_weight_bytes"] = bytes;
    pictures[sample.precision] = one;
  }
  return {{"imported", true}, {"pictures", pictures}};
}

// Adds what was seen to what was told, picture by picture.
void addFacts(QJsonObject& attested, const QJsonObject& seen) {
  QJsonObject pictures = attested["pictures"].toObject();
  for (const QString& variant : seen["pictures"].toObject().keys()) {
    QJsonObject one = pictures[variant].toObject();
    const QJsonObject now = seen["pictures"][variant].toObject();
    for (const QString& key : now.keys()) one[key] = now[key];
    pictures[variant] = one;
  }
  for (const QString& part : seen.keys()) attested[part] = seen[part];
  if (!pictures.isEmpty()) attested["pictures"] = pictures;
}

}  // namespace

QJsonObject attestation(const study::Comparison& comparison) {
  QJsonObject all, variants;
  Repeats repeats;
  for (const study::Sample& sample : comparison.samples) {
    if (sample.png.isEmpty() || sample.report.isEmpty()) continue;
    if (sample.report[QStringLiteral("imported")].toBool()) return importedFacts(comparison);
    if (all.isEmpty()) {
      for (const char* part : {"noise_sha256", "recipe", "model", "engine"}) all[QLatin1String(part)] = sample.report[QLatin1String(part)];
      QJsonObject model = all[QStringLiteral("model")].toObject();
      model.remove(QStringLiteral("name"));      // may be a folder of this computer; the hash says which it is
      all[QStringLiteral("model")] = model;
    }
    if (!variants.contains(sample.precision)) variants[sample.precision] = attestedVariant(sample);
    if (sample.precision == QLatin1String(study::kReference)) repeats.learn(sample);
  }
  if (all.isEmpty()) return all;
  all[QStringLiteral("variants")] = variants;
  repeats.tell(all);
  return all;
}

std::optional<SourcePictures> readFiles(study::StudyStore& store, const StudySource& source, QString& why) {
  why.clear();
  auto found = source.comparison ? readComparison(store, source.comparison, why) : readFolder(source.folder, why);
  return why.isEmpty() ? found : std::nullopt;
}

std::optional<SourcePictures> readSource(study::StudyStore& store, const StudySource& source, QString& why, const QString& reference) {
  auto found = readFiles(store, source, why);
  if (!found) return {};
  const PictureFacts facts = pictureFacts(found->pictures, reference, found->lpips);
  why = facts.problem, found->suspicion = facts.suspicion;
  addFacts(found->attested, facts.attested);
  if (!source.comparison) found->attested[QStringLiteral("imported")] = true;
  return why.isEmpty() ? found : std::nullopt;
}

QMap<QString, StudySource> sourcesIn(const QString& folder) {
  QMap<QString, StudySource> found;
  const QDir dir(folder);
  const auto hasPictures = [](const QDir& one) { return !one.entryList({QStringLiteral("*.png")}, QDir::Files).isEmpty(); };
  if (hasPictures(dir)) found[dir.dirName()] = {0, dir.absolutePath()};
  for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name))
    if (hasPictures(QDir(dir.filePath(name)))) found[name] = {0, dir.absoluteFilePath(name)};
  return found;
}

QByteArray corrupted(const QByteArray& png) {
  const QImage image = QImage::fromData(png, "PNG").convertToFormat(QImage::Format_RGB32);
  const QSize coarse(std::max(2, image.width() / 16), std::max(2, image.height() / 16));
  QImage broken = image.scaled(coarse).scaled(image.size()).convertToFormat(QImage::Format_RGB32);
  for (int y = 0; y < broken.height(); ++y) {
    auto* line = reinterpret_cast<QRgb*>(broken.scanLine(y));
    for (int x = 0; x < broken.width(); ++x)
      if ((x / 4 + y / 4) % 3 == 0) line[x] = qRgb(255 - qRed(line[x]), qBlue(line[x]), qGreen(line[x]));
  }
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  broken.save(&buffer, "PNG");
  return bytes;
}

}  // namespace quantspot::ui
