// The checksum of ZIP and PNG (ISO 3309).
#pragma once

#include <QByteArray>

namespace quantspot::study {

quint32 crc32(const QByteArray& bytes);

}  // namespace quantspot::study
