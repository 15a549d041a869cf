// ZIP archives in one exact form: stored, in the given order, dated 1980. Any unzip reads them; we read only these, so that not a
// single byte can change unseen.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

#include <utility>

namespace quantspot::study {

using ZipEntries = QList<std::pair<QString, QByteArray>>;   // name with '/', content

// Throws Error above 4 GiB or 65,535 files.
QByteArray writeZip(const ZipEntries& entries);

// Throws Error for anything that writeZip would not have written exactly so.
ZipEntries readZip(const QByteArray& zip);

}  // namespace quantspot::study
