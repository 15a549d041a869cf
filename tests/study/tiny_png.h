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

// A picture that can be decoded and looks like one: 24 × 16 in RGB, other shades for other contents.
inline QByteArray shadedPng(const QByteArray& content) {
  const uint shade = quantspot::study::crc32(content) % 90;
  QByteArray rows;
  for (uint y = 0; y < 16; ++y) {
    rows += '\0';                         // no filter
    for (uint x = 0; x < 24; ++x)
      for (const uint value : {5 * x + shade, 6 * y + shade, 200 - shade}) rows += static_cast<char>(value);
  }
  const QByteArray header("\0\0\0\x18\0\0\0\x10\x8\x2\0\0\0", 13);
  return QByteArray("\x89PNG\r\n\x1a\n", 8) + pngChunk("IHDR", header) + pngChunk("IDAT", qCompress(rows).mid(4)) + pngChunk("IEND", {});
}

}  // namespace sample
