#include "ui/models/picture_facts.h"

#include "ui/models/bare_pixels.h"
#include "ui/models/picture_gate.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QImageReader>
#include <QJsonArray>

#include <algorithm>
#include <cmath>

namespace quantspot::ui {
namespace {

constexpr int kSmallest = 4;             // pixels a side that figures can be told of

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::PictureFacts", text); }

// All decoded, with their facts; `problem` says what is wrong with one of them, or with two.
QMap<QString, QImage> decode(const QMap<QString, QByteArray>& files, QJsonObject& facts, QString& problem) {
  QMap<QString, QImage> images;
  QMap<QString, QString> known;          // pixels → variant
  QSize size;
  for (auto file = files.begin(); file != files.end(); ++file) {
    QString reason;
    const QImage image = barePixels(*file, reason);
    if (!image.isNull() && isOneColour(image)) reason = tr("it has a single colour: the numbers broke down, this is not a picture");
    if (!reason.isEmpty()) return problem = tr("the picture of %1 is broken: %2").arg(file.key(), reason), images;
    if (size.isValid() && size != image.size()) return problem = tr("the picture of %1 is of another size").arg(file.key()), images;
    size = image.size();
    const QString hash = pixelHash(image);
    if (known.contains(hash))
      return problem = tr("the pictures of %1 and %2 have the same pixels: one would be compared with itself").arg(known[hash], file.key()), images;
    known[hash] = file.key(), images[file.key()] = image;
    QJsonObject one = fileFacts(*file);
    one["image_sha256"] = hash, one["file_sha256"] = sha256Of(*file);
    facts[file.key()] = one;
  }
  return images;
}

double finite(double db) { return std::min(db, 999.0); }   // JSON knows no infinity

}  // namespace

QJsonObject fileFacts(const QByteArray& file) {
  QBuffer buffer;
  buffer.setData(file);
  QImageReader reader(&buffer);
  const QImage::Format format = reader.imageFormat();
  const QPixelFormat pixels = QImage::toPixelFormat(format);
  const bool grey = pixels.colorModel() == QPixelFormat::Grayscale || format == QImage::Format_Mono || format == QImage::Format_MonoLSB;
  const QString mode = format == QImage::Format_Indexed8 ? QStringLiteral("palette") : grey ? QStringLiteral("grey")
      : pixels.alphaUsage() == QPixelFormat::UsesAlpha ? QStringLiteral("RGBA") : QStringLiteral("RGB");
  return {{"format", QString::fromLatin1(reader.format())}, {"mode", mode}};
}

PictureFacts pictureFacts(const QMap<QString, QByteArray>& files, const QString& reference, const QMap<QString, double>& lpips) {
  PictureFacts result;
  QJsonObject facts;
  const QMap<QString, QImage> images = decode(files, facts, result.problem);
  if (!result.problem.isEmpty() || !images.contains(reference)) return result;
  const QImage& known = images[reference];
  QJsonArray looked_at{"single colour", "noise"};
  QMap<QString, GateFigures> figures;
  for (auto image = images.begin(); image != images.end(); ++image) {
    if (image.key() == reference || known.width() < kSmallest || known.height() < kSmallest) continue;
    GateFigures& one = figures[image.key()] = gateFigures(*image, known);
    QJsonObject said{{"psnr", finite(one.psnr)}, {"gmsd", one.gmsd}, {"smoothness", one.smoothness}};
    if (lpips.contains(image.key())) said["lpips"] = *(one.lpips = lpips[image.key()]);
    QJsonObject fact = facts[image.key()].toObject();
    fact["gate"] = said, facts[image.key()] = fact;
  }
  if (figures.size() >= 3) looked_at << "PSNR" << "GMSD";      // far from the others: there must be some
  if (lpips.size() >= 3) looked_at << "LPIPS";
  result.suspicion = suspicionOf(figures, smoothnessOf(known));
  result.attested = {{"pixels", QJsonObject{{"width", known.width()}, {"height", known.height()}}},
                     {"gate", QJsonObject{{"figures", looked_at}, {"variants", static_cast<int>(figures.size())}}}, {"pictures", facts}};
  return result;
}

}  // namespace quantspot::ui
