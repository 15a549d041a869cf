// docs/study-requirements.md names a test for every requirement: each must exist.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

class StudyRequirementsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyNamedTestExists() {
    const QString root = QStringLiteral(QUANTSPOT_SOURCE_DIR);
    QMap<QString, QByteArray> tests;
    QDirIterator files(root + "/tests", {"*_test.cpp"}, QDir::Files, QDirIterator::Subdirectories);
    while (files.hasNext()) {
      QFile file(files.next());
      QVERIFY(file.open(QIODevice::ReadOnly));
      tests[files.fileInfo().completeBaseName()] += file.readAll();
    }
    QFile doc(root + "/docs/study-requirements.md");
    QVERIFY(doc.open(QIODevice::ReadOnly));
    static const QRegularExpression name("`(\\w+_test)::(\\w+)`");
    int rows = 0, named = 0;
    for (const QString& line : QString::fromUtf8(doc.readAll()).split(u'\n')) {
      if (!line.startsWith("| ") || line.startsWith("| requirement") || line.startsWith("| channel")) continue;
      auto found = name.globalMatch(line);
      QVERIFY2(found.hasNext(), qPrintable("no test: " + line));
      ++rows;
      for (; found.hasNext(); ++named) {
        const auto match = found.next();
        QVERIFY2(tests.contains(match.captured(1)), qPrintable(match.captured(0)));
        QVERIFY2(tests[match.captured(1)].contains("void " + match.captured(2).toUtf8() + "()"), qPrintable(match.captured(0)));
      }
    }
    QVERIFY(rows >= 50 && named > rows);
  }
};

QTEST_GUILESS_MAIN(StudyRequirementsTest)
#include "study_requirements_test.moc"
