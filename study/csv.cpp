#include "study/csv.h"

#include "study/error.h"

#include <QFile>

namespace quantspot::study {

int CsvTable::find(const QString& name) const { return static_cast<int>(header.indexOf(name)); }

int CsvTable::column(const QString& name) const {
  const int at = find(name);
  if (at < 0) throw Error(QStringLiteral("the table has no column '%1'; it has: %2").arg(name, header.join(QStringLiteral(", "))));
  return at;
}

QList<QStringList> parseCsv(const QByteArray& bytes) {
  QString text = QString::fromUtf8(bytes);
  if (text.startsWith(QChar(0xFEFF))) text.remove(0, 1);
  QList<QStringList> records;
  QStringList fields;
  QString field;
  bool quoted = false, any = false;
  const auto endRecord = [&] {
    if (any || !fields.isEmpty() || !field.isEmpty()) records << (fields << field);
    fields.clear();
    field.clear();
    any = false;
  };
  for (qsizetype i = 0; i < text.size(); ++i) {
    const QChar c = text[i];
    if (quoted) {
      if (c != QLatin1Char('"')) field += c;
      else if (i + 1 < text.size() && text[i + 1] == QLatin1Char('"')) field += text[++i];
      else quoted = false;
    } else if (c == QLatin1Char('"') && field.isEmpty()) {
      quoted = any = true;
    } else if (c == QLatin1Char(',')) {
      fields << field;
      field.clear();
    } else if (c == QLatin1Char('\n')) {
      endRecord();
    } else if (c != QLatin1Char('\r')) {
      field += c;
    }
  }
  if (quoted) throw Error(QStringLiteral("a quoted field is not closed (record %1)").arg(records.size() + 1));
  endRecord();
  return records;
}

CsvTable parseCsvTable(const QByteArray& text) {
  CsvTable table;
  table.rows = parseCsv(text);
  if (table.rows.isEmpty()) throw Error(QStringLiteral("the table is empty; its first line must name the columns"));
  table.header = table.rows.takeFirst();
  for (qsizetype i = 0; i < table.rows.size(); ++i)
    if (table.rows[i].size() != table.header.size())
      throw Error(QStringLiteral("row %1 has %2 fields, the header %3").arg(i + 1).arg(table.rows[i].size()).arg(table.header.size()));
  return table;
}

QByteArray readFile(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) throw Error(QStringLiteral("%1 cannot be read: %2").arg(path, file.errorString()));
  return file.readAll();
}

QByteArray csvLine(const QStringList& fields) {
  QStringList written;
  for (QString field : fields) {
    const bool quote = field.contains(QLatin1Char(',')) || field.contains(QLatin1Char('"')) || field.contains(QLatin1Char('\n'))
        || field.contains(QLatin1Char('\r'));
    written << (quote ? QLatin1Char('"') + field.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"') : field);
  }
  return written.join(QLatin1Char(',')).toUtf8() + '\n';
}

}  // namespace quantspot::study
