#include "ui/views/path_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QRegularExpression>

namespace quantspot::views {

QFileDialog* askForPath(QWidget* parent, const PathQuestion& question, const std::function<void(const QString&)>& use) {
  const QFileInfo start(question.start);
  const bool proposes = question.kind == PathKind::NewFile && !question.start.isEmpty();
  auto* dialog = new QFileDialog(parent, question.title, proposes ? start.path() : question.start, question.filter);
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
    for (const QString& path : paths) use(path);
  });
  dialog->show();
  return dialog;
}

void showTrouble(QWidget* parent, const QString& title, const QString& text) {
  auto* box = new QMessageBox(QMessageBox::Warning, title, text, QMessageBox::Ok, parent);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setModal(false);
  box->show();
}

}  // namespace quantspot::views
