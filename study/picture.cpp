#include "study/picture.h"

#include "study/crc32.h"
#include "study/error.h"
#include "study/order.h"

#include <QtEndian>

#include <algorithm>

namespace quantspot::study {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";
constexpr qsizetype kSignatureSize = 8, kChunkFrame = 12;   // length, type, CRC
constexpr char kPadding[] = "qsPd";                          // lower-case first: readers may skip it; second: private

QByteArray chunk(const QByteArray& type, const QByteArray& data) {
  QByteArray length(4, '\0'), crc(4, '\0');
  qToBigEndian(static_cast<quint32>(data.size()), length.data());
  qToBigEndian(crc32(type + data), crc.data());
  return length + type + data + crc;
}

// What decides how the picture looks.
bool belongsToPixels(const QByteArray& type) {
  static const QByteArray kept[] = {"IHDR", "PLTE", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "IEND"};
  return std::find(std::begin(kept), std::end(kept), type) != std::end(kept);
}

}  // namespace

QByteArray barePicture(const QByteArray& png) {
  const QByteArray signature(kSignature, kSignatureSize);
  if (!png.startsWith(signature)) throw Error(QStringLiteral("it is no PNG picture"));
  QByteArray out = signature, pixels, tail;
  qsizetype at = kSignatureSize;
  for (bool ended = false; !ended;) {
    const quint32 length = png.size() - at >= kChunkFrame ? qFromBigEndian<quint32>(png.constData() + at) : 0xFFFFFFFFu;
    if (length > 0x7FFFFFFFu || png.size() - at < kChunkFrame + static_cast<qsizetype>(length))
      throw Error(QStringLiteral("the PNG picture is cut off"));
    const QByteArray type = png.mid(at + 4, 4), data = png.mid(at + 8, length);
    if (qFromBigEndian<quint32>(png.constData() + at + 8 + length) != crc32(type + data))
      throw Error(QStringLiteral("the PNG picture is damaged: a checksum does not fit"));
    at += kChunkFrame + length;
    ended = type == "IEND";
    if (type == "IDAT") pixels += data;
    else if (belongsToPixels(type)) (pixels.isEmpty() ? out : tail) += chunk(type, data);
  }
  if (pixels.isEmpty() || out.mid(kSignatureSize + 4, 4) != "IHDR") throw Error(QStringLiteral("the PNG picture holds no pixels"));
  return out + chunk("IDAT", pixels) + tail;
}

QByteArray paddedPicture(const QByteArray& bare, qsizetype bytes) {
  const qsizetype room = bytes - bare.size() - kChunkFrame;
  if (room < 0) throw Error(QStringLiteral("a picture of %1 bytes cannot be padded to %2").arg(bare.size()).arg(bytes));
  return bare.chopped(kChunkFrame) + chunk(kPadding, QByteArray(room, '\0')) + bare.right(kChunkFrame);   // before IEND
}

QString bareHash(const QByteArray& png) {
  try {
    return QString::fromLatin1(sha256Hex(barePicture(png)));
  } catch (const Error&) {
    return QString::fromLatin1(sha256Hex(png));
  }
}

QString contentOf(const QJsonObject& report, const QByteArray& png) {
  const QString pixels = report[QStringLiteral("image_sha256")].toString();
  return pixels.isEmpty() ? bareHash(png) : pixels;
}

QByteArray pictureSize(const QByteArray& bare) { return bare.mid(kSignatureSize + 8, 8); }

}  // namespace quantspot::study
