#include "study/crc32.h"

#include <array>

namespace quantspot::study {
namespace {

constexpr std::array<quint32, 256> crcTable() {
  std::array<quint32, 256> table{};
  for (quint32 i = 0; i < 256; ++i) {
    quint32 value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}

}  // namespace

quint32 crc32(const QByteArray& bytes) {
  static constexpr auto table = crcTable();
  quint32 crc = 0xFFFFFFFFu;
  for (char byte : bytes) crc = table[(crc ^ static_cast<quint8>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

}  // namespace quantspot::study
