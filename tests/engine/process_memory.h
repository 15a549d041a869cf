// What another process holds in memory.
#pragma once

#include <QFile>

namespace quantspot::test {

// Bytes of RAM; 0 when there is no such process.
inline std::int64_t residentBytes(qint64 process) {
  QFile status(QStringLiteral("/proc/%1/status").arg(process));
  if (!status.open(QIODevice::ReadOnly)) return 0;
  for (const QByteArray& line : status.readAll().split('\n'))
    if (line.startsWith("VmRSS:")) return line.simplified().split(' ')[1].toLongLong() * 1024;
  return 0;
}

}  // namespace quantspot::test
