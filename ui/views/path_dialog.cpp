#include "ui/views/path_dialog.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QRegularExpression>
#include <QSettings>
#include <QStandardPaths>

namespace quantspot::views {
namespace {

const QString kFolder = QStringLiteral("files/folder");

struct Memory { QString settings, folder; };

Memory& memory() {
  static Memory one;
  return one;
}

// Where the last file was chosen; before the first, the user's documents: the folder that a desktop starts programs in is of no use to anybody.
QString usualFolder() {
  if (const QString& folder = memory().folder; !folder.isEmpty() && QFileInfo(folder).isDir()) return folder;
  const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
  return QFileInfo(documents).isDir() ? documents : QDir::homePath();
}

void remember(const QFileInfo& chosen) {
  memory().folder = chosen.isDir() ? chosen.absoluteFilePath() : chosen.absolutePath();
  if (!memory().settings.isEmpty()) QSettings(memory().settings, QSettings::IniFormat).setValue(kFolder, memory().folder);
}

// The one that is open already.
QFileDialog* openDialog(const QWidget* parent, const QString& title) {
  for (auto* dialog : parent->findChildren<QFileDialog*>(Qt::FindDirectChildrenOnly))
    if (dialog->isVisible() && dialog->windowTitle() == title) return dialog;
  return nullptr;
}

}  // namespace

void rememberFolderIn(const QString& settings) {
  memory() = {settings, QSettings(settings, QSettings::IniFormat).value(kFolder).toString()};
}

QFileDialog* askForPath(QWidget* parent, const PathQuestion& question, const std::function<void(const QString&)>& use) {
  if (QFileDialog* open = openDialog(parent, question.title)) {
    open->raise(), open->activateWindow();
    return open;
  }
  const QFileInfo start(question.start);
  const bool proposes = question.kind == PathKind::NewFile && !question.start.isEmpty();
  const QString folder = proposes ? start.path() : question.start;
  const bool anywhere = folder.isEmpty() || folder == QLatin1String(".") || !QFileInfo(folder).isDir();
  auto* dialog = new QFileDialog(parent, question.title, anywhere ? usualFolder() : folder, question.filter);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setModal(false);
  switch (question.kind) {
    case PathKind::File: dialog->setFileMode(QFileDialog::ExistingFile); break;
    case PathKind::Files: dialog->setFileMode(QFileDialog::ExistingFiles); break;
    case PathKind::Folder: dialog->setFileMode(QFileDialog::Directory), dialog->setOption(QFileDialog::ShowDirsOnly); break;
    case PathKind::NewFile: {
      static const QRegularExpression ending(QStringLiteral("\\*\\.(\\w+)"));
      dialog->setAcceptMode(QFileDialog::AcceptSave), dialog->setFileMode(QFileDialog::AnyFile);
      dialog->setDefaultSuffix(ending.match(question.filter).captured(1));
      if (proposes) dialog->selectFile(start.fileName());
      break;
    }
  }
  QObject::connect(dialog, &QFileDialog::filesSelected, parent, [use](const QStringList& paths) {
    if (!paths.isEmpty()) remember(QFileInfo(paths.first()));
    for (const QString& path : paths) use(path);
  });
  dialog->show();
  return dialog;
}

QString fileNameOf(const QString& precision) {
  QString name = precision.left(80);
  for (QChar& c : name)
    if (!c.isLetterOrNumber() && c != u'-' && c != u'_' && c != u'.') c = u'+';
  return name;
}

void showTrouble(QWidget* parent, const QString& title, const QString& text) {
  auto* box = new QMessageBox(QMessageBox::Warning, title, text, QMessageBox::Ok, parent);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setModal(false);
  box->show();
}

}  // namespace quantspot::views
