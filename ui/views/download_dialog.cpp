#include "ui/views/download_dialog.h"

#include "ui/models/model_download.h"
#include "ui/models/precision_list_model.h"
#include "ui/views/beside.h"
#include "ui/views/precision_panel.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

const QString kHint = QStringLiteral("The files go into the cache that Python's libraries use, too. Models that ask for a licence (gated) need it "
                                     "accepted on the hub's page, "
                                     "and a token: set HF_TOKEN before the program starts, or sign in with “huggingface-cli login”.");

}  // namespace

DownloadDialog::DownloadDialog(ui::ModelDownload* download, QWidget* parent)
    : QWidget(parent, Qt::Window), download_(download), repository_(new QLineEdit), revision_(new QLineEdit), include_(new QLineEdit),
      note_(new QLabel), status_(new QLabel), progress_(new QProgressBar), start_(new QPushButton(QStringLiteral("Download"))),
      cancel_(new QPushButton(QStringLiteral("Cancel"))) {
  setObjectName(QStringLiteral("policyEditor"));   // the ground of windows beside the page
  setAttribute(Qt::WA_StyledBackground);
  setWindowTitle(QStringLiteral("Download model"));
  setMinimumWidth(560);
  repository_->setAccessibleName(QStringLiteral("Repository"));
  repository_->setPlaceholderText(QStringLiteral("owner/name, for example PixArt-alpha/PixArt-Sigma-XL-2-512-MS"));
  revision_->setAccessibleName(QStringLiteral("Revision")), revision_->setPlaceholderText(QStringLiteral("main"));
  include_->setAccessibleName(QStringLiteral("Files"));
  include_->setPlaceholderText(QStringLiteral("what a pipeline needs; or patterns: *.json, transformer/*"));
  note_->setWordWrap(true), note_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  status_->setProperty("role", "quiet");
  progress_->setTextVisible(false), progress_->setRange(0, 1000);
  setMainRole(start_, true);
  auto* form = new QFormLayout;
  form->addRow(QStringLiteral("&Repository"), repository_), form->addRow(QStringLiteral("Re&vision"), revision_),
      form->addRow(QStringLiteral("&Files"), include_);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(status_), buttons->addWidget(progress_, 1), buttons->addWidget(cancel_), buttons->addWidget(start_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 16), layout->setSpacing(12);
  layout->addLayout(form), layout->addWidget(note_), layout->addStretch(1), layout->addLayout(buttons);
  const auto begin = [this] {
    if (!start_->isEnabled()) return;
    tell({}, false);
    download_->start(repository_->text(), revision_->text(), include_->text());
  };
  connect(start_, &QPushButton::clicked, this, begin);
  connect(cancel_, &QPushButton::clicked, download_, &ui::ModelDownload::cancel);
  for (QLineEdit* edit : {repository_, revision_, include_}) {
    connect(edit, &QLineEdit::textChanged, this, &DownloadDialog::refresh);
    connect(edit, &QLineEdit::returnPressed, this, begin);
  }
  connect(download_, &ui::ModelDownload::changed, this, &DownloadDialog::refresh);
  connect(download_, &ui::ModelDownload::failed, this, [this](const QString& message) {
    tell(message.isEmpty() ? QStringLiteral("Cancelled; what has come stays, and is not fetched again") : message, !message.isEmpty());
  });
  connect(download_, &ui::ModelDownload::finished, this, [this](const protocol::DownloadResult& model) {
    const QString license = QString::fromStdString(model.license);
    tell(QStringLiteral("%1 is in the list of models: %2 files, %3%4").arg(QString::fromStdString(model.name)).arg(model.files)
         .arg(ui::fileSizeText(model.bytes), license.isEmpty() ? QString() : QStringLiteral("; licence: ") + license), false);
    Q_EMIT downloaded(QString::fromStdString(model.path));
  });
  tell(kHint, false);
  refresh();
}

void DownloadDialog::open() {
  showBeside(this);
  repository_->setFocus();
}

QString DownloadDialog::said() const { return note_->text(); }

void DownloadDialog::tell(const QString& line, bool problem) {
  note_->setText(line.isEmpty() ? kHint : line);
  note_->setProperty("role", problem ? "problem" : "quiet");
  note_->style()->unpolish(note_), note_->style()->polish(note_);
}

void DownloadDialog::refresh() {
  const bool running = download_->isRunning();
  for (QLineEdit* edit : {repository_, revision_, include_}) edit->setEnabled(!running);
  progress_->setVisible(running), cancel_->setVisible(running);
  status_->setText(download_->statusText());
  progress_->setValue(static_cast<int>(1000 * download_->fraction()));
  const bool named = repository_->text().trimmed().count(u'/') == 1;
  start_->setEnabled(!running && named);
  start_->setToolTip(running ? QStringLiteral("One model at a time") : named ? QString() : QStringLiteral("Name a repository first, as owner/name"));
}

void DownloadDialog::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
