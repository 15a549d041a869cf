// Comma-separated values (RFC 4180), UTF-8, as spreadsheets and R write them.
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

namespace quantspot::study {

struct CsvTable {
  QStringList header;
  QList<QStringList> rows;              // each as long as the header

  int find(const QString& name) const;  // column, -1 without it
  // Throws Error naming the columns that there are.
  int column(const QString& name) const;
};

// All records, the first included; empty lines are left out. Throws Error for a quote that does not close.
QList<QStringList> parseCsv(const QByteArray& text);

// The first record is the header. Throws Error for no header and for rows of another length (with their number).
CsvTable parseCsvTable(const QByteArray& text);

// Reads a file; Error with its name and reason when it cannot.
QByteArray readFile(const QString& path);

// One record with its line feed; fields are quoted where they must be.
QByteArray csvLine(const QStringList& fields);

}  // namespace quantspot::study
