#include "ui/models/study_sources.h"

#include "ui/models/comparison.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QCryptographicHash>
#include <QJsonArray>
#include <QDir>
#include <QUrl>

#include <algorithm>

namespace quantspot::ui {
namespace {

constexpr double kFarBelow = 12;   // dB of PSNR below the median of the others: no degree of quality, a fault

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::StudySources", text); }

QString brokenPicture(const QMap<QString, QByteArray>& pictures) {
  QSize size;
  for (auto one = pictures.begin(); one != pictures.end(); ++one) {
    QString reason;
    const QImage image = decodePicture(*one, reason);
    if (image.isNull()) return tr("the picture of %1 is broken: %2").arg(one.key(), reason);
    if (size.isValid() && size != image.size()) return tr("the picture of %1 is of another size").arg(one.key());
    size = image.size();
  }
  return {};
}

QString farOff(const study::Comparison& comparison) {
  for (const study::Sample& sample : comparison.samples) {
    if (!sample.scores.psnr) continue;
    std::vector<double> others;
    for (const study::Sample& other : comparison.samples)
      if (other.scores.psnr && other.precision != sample.precision && other.precision != QLatin1String(study::kReference))
        others.push_back(*other.scores.psnr);
    std::sort(others.begin(), others.end());
    if (others.size() >= 2 && *sample.scores.psnr < others[others.size() / 2] - kFarBelow)
      return tr("the picture of %1 is far from all others (PSNR %2 dB): that is a fault, not a degree of quality").arg(sample.precision)
          .arg(*sample.scores.psnr, 0, 'f', 1);
  }
  return {};
}

study::VariantCost costOf(const QJsonObject& report) {
  study::VariantCost cost{0, report[QStringLiteral("seconds")][QStringLiteral("total")].toDouble()};
  const QJsonObject device = report[QStringLiteral("device_peak_bytes")].toObject();
  for (const QJsonValue& peak : device.isEmpty() ? report[QStringLiteral("peak_bytes")].toObject() : device)
    cost.memory_bytes = std::max(cost.memory_bytes, peak.toDouble());
  return cost;
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
  return {{"policy", sample.report[QStringLiteral("policy")]}, {"weights", parts},
          {"png_sha256", QString::fromLatin1(QCryptographicHash::hash(sample.png, QCryptographicHash::Sha256).toHex())}};
}

std::optional<SourcePictures> readComparison(study::StudyStore& store, qint64 id, QString& why) {
  const auto comparison = store.comparison(id);
  if (!comparison) {
    why = tr("it is no longer in the history");
    return {};
  }
  SourcePictures found{comparison->recipe[QStringLiteral("prompt")].toString(), {}, {}, attestation(*comparison)};
  for (const study::Sample& sample : comparison->samples) {
    if (sample.png.isEmpty()) why = tr("%1 gave no picture: %2").arg(sample.precision, sample.failure);
    else if (!found.pictures.contains(sample.precision)) {
      found.pictures[sample.precision] = sample.png;
      found.costs[sample.precision] = costOf(sample.report);
    }
  }
  if (why.isEmpty()) why = mismatch(fromStored(*comparison));
  if (why.isEmpty()) why = farOff(*comparison);
  return found;
}

std::optional<SourcePictures> readFolder(const QString& folder, QString& why) {
  const QDir dir(folder);
  SourcePictures found{dir.dirName(), {}, {}, {}};
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

}  // namespace

QJsonObject attestation(const study::Comparison& comparison) {
  QJsonObject all, variants;
  int repeats = 0;
  bool equal = true;
  QByteArray reference;
  for (const study::Sample& sample : comparison.samples) {
    if (sample.png.isEmpty() || sample.report.isEmpty()) continue;
    if (all.isEmpty()) {
      for (const char* part : {"noise_sha256", "recipe", "model", "engine"}) all[QLatin1String(part)] = sample.report[QLatin1String(part)];
      QJsonObject model = all[QStringLiteral("model")].toObject();
      model.remove(QStringLiteral("name"));      // may be a folder of this computer; the hash says which it is
      all[QStringLiteral("model")] = model;
    }
    if (!variants.contains(sample.precision)) variants[sample.precision] = attestedVariant(sample);
    if (sample.precision != QLatin1String(study::kReference)) continue;
    if (reference.isEmpty()) reference = sample.png;
    else ++repeats, equal = equal && sample.png == reference;
  }
  if (all.isEmpty()) return all;
  all[QStringLiteral("variants")] = variants;
  if (repeats > 0) all[QStringLiteral("reference_repeats")] = repeats, all[QStringLiteral("reference_repeats_equal")] = equal;
  return all;
}

std::optional<SourcePictures> readSource(study::StudyStore& store, const StudySource& source, QString& why) {
  why.clear();
  auto found = source.comparison ? readComparison(store, source.comparison, why) : readFolder(source.folder, why);
  if (why.isEmpty() && found) why = brokenPicture(found->pictures);
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
