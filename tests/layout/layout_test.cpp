// Holds the include arrows: a folder may include only the folders named beside it, and only the libraries of its side.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

namespace {

const QDir kRoot(QStringLiteral(QUANTSPOT_SOURCE_DIR));

// Longest prefix first, so that "study/statistics" is found before "study".
struct Folder {
  QString path;
  QStringList mayInclude;
};
const QList<Folder> kFolders = {
    {"study/statistics", {}},
    {"engine/protocol", {}},
    {"engine/pipeline", {"engine/model", "quant", "engine/protocol"}},
    {"engine/hub", {"engine/model"}},   // its sha256.h; torch is forbidden below
    {"engine/service", {"engine/hub", "engine/pipeline", "engine/model", "quant", "metrics", "evaluation", "decision", "engine/protocol"}},
    {"engine/model", {"quant"}},
    {"ui/views", {"ui/models", "study", "study/statistics", "engine/protocol", "evaluation", "decision"}},
    {"ui/models", {"ui/client", "study", "study/statistics", "engine/protocol", "evaluation", "decision"}},
    {"ui/client", {"engine/protocol"}},
    {"paper", {}},
    {"evaluation", {"engine/model", "engine/protocol", "paper"}},   // sha256.h, base64.h
    {"decision", {"evaluation"}},
    {"metrics", {}},
    {"study", {"study/statistics", "paper"}},
    {"quant", {}},
};
const QStringList kTorchFree = {"paper", "evaluation", "decision", "study", "study/statistics", "engine/protocol", "engine/hub", "ui/views", "ui/models",
    "ui/client"};
const QStringList kQtFree = {"paper", "evaluation", "decision", "quant", "engine/protocol", "engine/hub", "engine/model", "engine/pipeline",
    "engine/service", "metrics", "study/statistics"};

QString folderOf(const QString& relative) {
  for (const Folder& folder : kFolders)
    if (relative.startsWith(folder.path + "/")) return folder.path;
  return {};
}

QStringList sources(const QString& folder) {
  QStringList found;
  QDirIterator files(kRoot.filePath(folder), {"*.cpp", "*.h", "*.cu", "*.cuh"}, QDir::Files, QDirIterator::Subdirectories);
  while (files.hasNext()) {
    const QString relative = kRoot.relativeFilePath(files.next());
    if (folderOf(relative) == folder) found << relative;
  }
  return found;
}

QStringList includes(const QString& relative) {
  QFile file(kRoot.filePath(relative));
  if (!file.open(QIODevice::ReadOnly)) return {};
  static const QRegularExpression pattern("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]", QRegularExpression::MultilineOption);
  QStringList names;
  auto matches = pattern.globalMatch(QString::fromUtf8(file.readAll()));
  while (matches.hasNext()) names << matches.next().captured(1);
  return names;
}

bool isTorch(const QString& name) {
  return name.startsWith("ATen/") || name.startsWith("c10/") || name.startsWith("torch/");
}
bool isQt(const QString& name) {
  static const QRegularExpression pattern("^(Q[A-Z]|Qt[A-Z]|qcustomplot)");
  return pattern.match(name).hasMatch();
}

}  // namespace

class LayoutTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyFolderIsFound() {
    for (const Folder& folder : kFolders)
      QVERIFY2(!sources(folder.path).isEmpty(), qPrintable(folder.path + " has no sources: is the table out of date?"));
  }

  void foldersIncludeOnlyAlongTheArrows() {
    QStringList wrong;
    for (const Folder& folder : kFolders)
      for (const QString& file : sources(folder.path))
        for (const QString& name : includes(file)) {
          const QString target = folderOf(name);
          if (!target.isEmpty() && target != folder.path && !folder.mayInclude.contains(target)) wrong << file + " includes " + name;
        }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }

  void librariesStayOnTheirSide() {
    QStringList wrong;
    for (const Folder& folder : kFolders)
      for (const QString& file : sources(folder.path))
        for (const QString& name : includes(file)) {
          if (kTorchFree.contains(folder.path) && isTorch(name)) wrong << file + " includes " + name;
          if (kQtFree.contains(folder.path) && isQt(name)) wrong << file + " includes " + name;
        }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }

  void modelsOfTheScreenUseNoWidgets() {
    for (const QString& file : sources("ui/models"))
      for (const QString& name : includes(file))
        QVERIFY2(!QRegularExpression("^(QWidget|QApplication|QDialog|QMainWindow|QtWidgets|qcustomplot)").match(name).hasMatch(),
                 qPrintable(file + " includes " + name));
  }

  void filesStayWithinTheBudget() {
    QStringList wrong;
    for (const Folder& folder : kFolders)
      for (const QString& relative : sources(folder.path)) {
        QFile file(kRoot.filePath(relative));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto lines = file.readAll().count('\n');
        if (lines > 500) wrong << QStringLiteral("%1 has %2 lines, 500 at most").arg(relative).arg(lines);
      }
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join('\n')));
  }
};

QTEST_GUILESS_MAIN(LayoutTest)
#include "layout_test.moc"
