// What a reader finds in a PDF, by poppler's pdftotext and pdffonts: a program that is not ours.
#pragma once

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QtGlobal>

namespace quantspot::paper::test {

// Runs a program of poppler on the document; fails the test program when it cannot.
inline QByteArray poppler(const QString& program, const QByteArray& pdf, const QStringList& options, const QStringList& after = {}) {
  const QTemporaryDir folder;
  QFile file(folder.filePath(QStringLiteral("x.pdf")));
  if (!file.open(QIODevice::WriteOnly) || file.write(pdf) != pdf.size() || !file.flush()) qFatal("cannot write a file");
  QProcess process;
  process.start(program, options + QStringList{file.fileName()} + after);
  if (!process.waitForFinished(30000) || process.exitCode() != 0)
    qFatal("%s failed (install poppler-utils): %s", qPrintable(program), process.readAllStandardError().constData());
  return process.readAllStandardOutput();
}

// Words in reading order, single spaces between them; breaks of lines and pages are spaces, too.
inline QString wordsOf(const QByteArray& pdf) {
  return QString::fromUtf8(poppler(QStringLiteral("pdftotext"), pdf, {QStringLiteral("-q")}, {QStringLiteral("-")})).simplified();
}

}  // namespace quantspot::paper::test
