#include "study/zip_file.h"

#include "study/crc32.h"
#include "study/error.h"

#include <limits>

namespace quantspot::study {
namespace {

void put(QByteArray& out, quint64 value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.append(static_cast<char>(value >> (8 * i)));
}

quint32 get(const QByteArray& in, qsizetype at, int bytes) {
  quint32 value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<quint32>(static_cast<quint8>(in[at + i])) << (8 * i);
  return value;
}

constexpr quint32 kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr int kLocalSize = 30;

// The fields that local and central headers share, from "version needed" on.
void putCommon(QByteArray& out, const QByteArray& name, const QByteArray& data, quint32 crc) {
  put(out, 20, 2);
  put(out, 0x0800, 2);   // names are UTF-8
  put(out, 0, 2);        // stored
  put(out, 0, 2);
  put(out, 0x0021, 2);   // 1 January 1980
  put(out, crc, 4);
  put(out, static_cast<quint64>(data.size()), 4);
  put(out, static_cast<quint64>(data.size()), 4);
  put(out, static_cast<quint64>(name.size()), 2);
  put(out, 0, 2);
}

}  // namespace

QByteArray writeZip(const ZipEntries& entries) {
  QByteArray out, central;
  if (entries.size() > 0xFFFF) throw Error(QStringLiteral("a bundle holds 65,535 files at most, not %1").arg(entries.size()));
  for (const auto& [name, data] : entries) {
    const QByteArray path = name.toUtf8();
    const quint64 offset = static_cast<quint64>(out.size());
    if (offset + static_cast<quint64>(data.size()) > std::numeric_limits<quint32>::max() - 0x1000000)
      throw Error(QStringLiteral("a bundle holds 4 GiB at most; export the study in parts"));
    const quint32 crc = crc32(data);
    put(out, kLocal, 4);
    putCommon(out, path, data, crc);
    out += path + data;
    put(central, kCentral, 4);
    put(central, 20, 2);
    putCommon(central, path, data, crc);
    put(central, 0, 6);   // comment, disk, attributes of text
    put(central, 0, 4);   // attributes of the file
    put(central, offset, 4);
    central += path;
  }
  const quint64 start = static_cast<quint64>(out.size());
  out += central;
  put(out, kEnd, 4);
  put(out, 0, 4);
  put(out, static_cast<quint64>(entries.size()), 2);
  put(out, static_cast<quint64>(entries.size()), 2);
  put(out, static_cast<quint64>(central.size()), 4);
  put(out, start, 4);
  put(out, 0, 2);
  return out;
}

ZipEntries readZip(const QByteArray& zip) {
  ZipEntries entries;
  qsizetype at = 0;
  while (at + kLocalSize <= zip.size() && get(zip, at, 4) == kLocal) {
    const qsizetype size = get(zip, at + 18, 4), name = get(zip, at + 26, 2);
    if (at + kLocalSize + name + size > zip.size()) throw Error(QStringLiteral("the bundle is cut off, or damaged at byte %1").arg(at));
    entries << std::pair(QString::fromUtf8(zip.mid(at + kLocalSize, name)), zip.mid(at + kLocalSize + name, size));
    at += kLocalSize + name + size;
  }
  if (entries.isEmpty()) throw Error(QStringLiteral("this is no bundle: it does not begin as a ZIP file"));
  const QByteArray again = writeZip(entries);
  if (again == zip) return entries;
  qsizetype byte = 0;
  while (byte < again.size() && byte < zip.size() && again[byte] == zip[byte]) ++byte;
  throw Error(QStringLiteral("the bundle was changed, or was not written by QuantSpot: byte %1 does not fit").arg(byte));
}

}  // namespace quantspot::study
