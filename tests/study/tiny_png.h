// A whole PNG file of one pixel by its form; what stands where the pixel's data would is anything at all.
#pragma once

#include "study/crc32.h"

#include <QByteArray>
#include <QtEndian>

namespace sample {

inline QByteArray pngChunk(const QByteArray& type, const QByteArray& data) {
  QByteArray length(4, '\0'), crc(4, '\0');
  qToBigEndian(static_cast<quint32>(data.size()), length.data());
  qToBigEndian(quantspot::study::crc32(type + data), crc.data());
  return length + type + data + crc;
}

inline QByteArray tinyPng(const QByteArray& content) {
  const QByteArray header("\0\0\0\1\0\0\0\1\x8\x2\0\0\0", 13);
  return QByteArray("\x89PNG\r\n\x1a\n", 8) + pngChunk("IHDR", header) + pngChunk("IDAT", content) + pngChunk("IEND", {});
}

}  // namespace sample
