#include "ui/models/bare_pixels.h"

#include "evaluation/picture_file.h"

#include <QBuffer>
#include <QCryptographicHash>
#include <QImageReader>
#include <QObject>

#include <algorithm>
#include <cstring>

namespace quantspot::ui {
namespace {

bool isOpaque(const QImage& image) {
  if (!image.hasAlphaChannel()) return true;
  const QImage argb = image.convertToFormat(QImage::Format_ARGB32);
  for (int y = 0; y < argb.height(); ++y) {
    const auto* line = reinterpret_cast<const QRgb*>(argb.constScanLine(y));
    for (int x = 0; x < argb.width(); ++x)
      if (qAlpha(line[x]) != 255) return false;
  }
  return true;
}

}  // namespace

bool isOneColour(const QImage& image) {
  const QImage rgb = image.convertToFormat(QImage::Format_RGB32);
  const auto* first = reinterpret_cast<const QRgb*>(rgb.constScanLine(0));
  for (int y = 0; y < rgb.height(); ++y) {
    const auto* line = reinterpret_cast<const QRgb*>(rgb.constScanLine(y));
    if (!std::all_of(line, line + rgb.width(), [&](QRgb pixel) { return pixel == *first; })) return false;
  }
  return true;
}

QImage barePixels(const QByteArray& file, QString& reason) {
  const std::string refusal =
      evaluation::pictureRefusal({reinterpret_cast<const std::uint8_t*>(file.constData()), static_cast<std::size_t>(file.size())});
  if (!refusal.empty()) return reason = QString::fromStdString(refusal), QImage();
  QBuffer buffer;
  buffer.setData(file);
  QImageReader reader(&buffer);
  const QImage decoded = reader.read();
  if (decoded.isNull()) return reason = QObject::tr("cannot be decoded: %1").arg(reader.errorString()), QImage();
  if (!isOpaque(decoded)) return reason = QString::fromLatin1(evaluation::kTransparent), QImage();
  const QImage read = decoded.convertToFormat(QImage::Format_RGB888);
  QImage bare(read.size(), QImage::Format_RGB888);   // a copy would keep texts and colour profiles
  for (int y = 0; y < read.height(); ++y) std::memcpy(bare.scanLine(y), read.constScanLine(y), 3 * static_cast<std::size_t>(read.width()));
  return bare;
}

QByteArray pngOf(const QImage& bare) {
  QBuffer buffer;
  bare.save(&buffer, "PNG");
  return buffer.data();
}

QString sha256Of(const QByteArray& bytes) { return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex()); }

QString pixelHash(const QImage& bare) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  for (int y = 0; y < bare.height(); ++y) hash.addData(QByteArrayView(reinterpret_cast<const char*>(bare.constScanLine(y)), 3 * bare.width()));
  return QString::fromLatin1(hash.result().toHex());
}

}  // namespace quantspot::ui
