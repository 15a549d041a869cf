#include "ui/views/export_dialog.h"

#include "ui/models/decision_model.h"
#include "ui/models/precision_list_model.h"
#include "ui/views/beside.h"
#include "ui/views/path_dialog.h"
#include "ui/views/precision_panel.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QFontDatabase>
#include <QFormLayout>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QStorageInfo>
#include <QStyle>
#include <QUrl>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

// What a folder that is not there yet would lie in.
QString existing(QString path) {
  while (!path.isEmpty() && !QFileInfo::exists(path)) {
    const QString parent = QFileInfo(path).path();
    if (parent == path) return {};
    path = parent;
  }
  return path;
}

}  // namespace

ExportDialog::ExportDialog(ui::DecisionModel* model, QWidget* parent)
    : QWidget(parent, Qt::Window), model_(model), place_(QDir::homePath()), what_(new QLabel), room_(new QLabel), said_(new QLabel),
      out_(new QLineEdit),
      python_(new QPlainTextEdit), progress_(new QProgressBar), browse_(new QPushButton(QStringLiteral("Choose…"))),
      copy_(new QPushButton(QStringLiteral("Copy"))), start_(new QPushButton(QStringLiteral("Export"))),
      cancel_(new QPushButton(QStringLiteral("Cancel"))),
      show_(new QPushButton(QStringLiteral("Open folder"))) {
  setObjectName(QStringLiteral("policyEditor"));   // the ground of windows beside the page
  setAttribute(Qt::WA_StyledBackground);
  setMinimumSize(640, 520);
  layOut();
  connect(out_, &QLineEdit::textChanged, this, &ExportDialog::refresh);
  connect(out_, &QLineEdit::textChanged, this, &ExportDialog::showPython);
  connect(out_, &QLineEdit::returnPressed, this, [this] { if (start_->isEnabled()) start(); });
  connect(start_, &QPushButton::clicked, this, &ExportDialog::start);
  connect(cancel_, &QPushButton::clicked, this, [this] {
    cancel_->setEnabled(false);
    tell(QStringLiteral("Cancelling: what was written goes again…"), false);
    model_->cancelExport();
  });
  connect(copy_, &QPushButton::clicked, this, [this] {
    QGuiApplication::clipboard()->setText(python_->toPlainText());
    tell(QStringLiteral("The Python text is on the clipboard."), false);
  });
  connect(browse_, &QPushButton::clicked, this, [this] {
    askForPath(this, {QStringLiteral("Where the new folder comes"), PathKind::Folder, existing(out_->text())},
               [this](const QString& folder) { out_->setText(folder + u'/' + fileNameOf(precision_)); });
  });
  connect(show_, &QPushButton::clicked, this, [this] { QDesktopServices::openUrl(QUrl::fromLocalFile(written_)); });
  connect(model_, &ui::DecisionModel::exportProgress, this, [this](const QString& text, int step, int steps) {
    progress_->setRange(0, steps), progress_->setValue(step);   // 0 to 0: busy
    if (!progress_->isVisible()) refresh();
    if (cancel_->isEnabled()) tell(text, false);
  });
  connect(model_, &ui::DecisionModel::exported, this, [this](const QString& text, bool done) {
    written_ = done && model_->engineIsHere() ? out_->text().trimmed() : QString();
    tell(text, !done);
    refresh();
  });
}

void ExportDialog::layOut() {
  what_->setWordWrap(true), room_->setProperty("role", "quiet"), room_->setWordWrap(true), said_->setWordWrap(true);
  said_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  out_->setAccessibleName(QStringLiteral("New folder"));
  python_->setReadOnly(true), python_->setLineWrapMode(QPlainTextEdit::NoWrap);
  python_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  python_->setAccessibleName(QStringLiteral("Python"));
  progress_->setTextVisible(false);
  setMainRole(start_, true);
  auto* place = new QHBoxLayout;
  place->addWidget(out_, 1), place->addWidget(browse_);
  auto* form = new QFormLayout;
  form->addRow(QStringLiteral("New folder"), place);
  auto* title = new QLabel(QStringLiteral("In Python"));
  title->setProperty("role", "section");
  auto* heading = new QHBoxLayout;
  heading->addWidget(title, 1), heading->addWidget(copy_);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(progress_, 1), buttons->addStretch(1), buttons->addWidget(show_), buttons->addWidget(cancel_), buttons->addWidget(start_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 16), layout->setSpacing(10);
  layout->addWidget(what_), layout->addLayout(form), layout->addWidget(room_), layout->addLayout(heading), layout->addWidget(python_, 1);
  layout->addWidget(said_), layout->addLayout(buttons);
}

void ExportDialog::open(const QString& precision) {
  if (!model_->isExporting()) {
    precision_ = precision;
    written_.clear();
    const bool gguf = precision.startsWith(u"gguf-");
    setWindowTitle(QStringLiteral("Export %1").arg(precision));
    const QString what = gguf ? QStringLiteral("one .gguf file for ComfyUI-GGUF, stable-diffusion.cpp and diffusers")
                              : QStringLiteral("a folder that diffusers loads at this precision");
    what_->setText(QStringLiteral("<b>%1</b>: %2, with run.py, requirements.txt and a manifest of all hashes.").arg(precision.toHtmlEscaped(), what));
    out_->setText(QDir(place_).filePath(QStringLiteral("exports/") + fileNameOf(precision)));
    showPython();
    tell({}, false);
  }
  refresh();
  showBeside(this);
  out_->setFocus();
}

// It names the new folder where that is what it loads.
void ExportDialog::showPython() {
  QString why;
  const QString text = model_->pythonText(precision_, out_->text().trimmed(), &why), shown = text.isEmpty() ? why : text;
  if (python_->toPlainText() != shown) python_->setPlainText(shown);
  copy_->setEnabled(!text.isEmpty());
}

void ExportDialog::start() {
  written_.clear();
  cancel_->setEnabled(true);
  if (model_->engineIsHere()) QDir().mkpath(QFileInfo(out_->text().trimmed()).path());
  model_->exportTo(precision_, out_->text().trimmed());
  refresh();
}

void ExportDialog::refresh() {
  const bool running = model_->isExporting();
  const QString out = out_->text().trimmed();
  for (QWidget* field : std::initializer_list<QWidget*>{out_, browse_}) field->setEnabled(!running);
  progress_->setVisible(running), cancel_->setVisible(running), show_->setVisible(!written_.isEmpty());
  const qint64 needs = model_->exportBytes(precision_);
  QStringList parts;
  if (needs > 0) parts << QStringLiteral("Takes about %1").arg(ui::fileSizeText(needs));
  bool room = true;
  if (model_->engineIsHere()) {
    const QStorageInfo disk(existing(out));
    if (disk.isValid()) parts << QStringLiteral("%1 are free on that disk").arg(ui::fileSizeText(disk.bytesAvailable()));
    room = !disk.isValid() || disk.bytesAvailable() > needs;
    if (!room) parts << QStringLiteral("too little: choose another disk");
    if (QFileInfo::exists(out) && written_.isEmpty() && !running) parts = {QStringLiteral("This folder is there already: name a new one")},
        room = false;
  } else {
    parts << QStringLiteral("the folder is on the engine's machine, which checks its disk first");
  }
  if (out.isEmpty()) parts = {QStringLiteral("Name a new folder")};
  room_->setText(parts.join(QStringLiteral("; ")));
  start_->setEnabled(!running && room && !out.isEmpty() && !precision_.isEmpty() && written_.isEmpty());
  start_->setToolTip(start_->isEnabled() ? QString() : running ? QStringLiteral("It is being exported") : room_->text());
}

QString ExportDialog::room() const { return room_->text(); }
QString ExportDialog::said() const { return said_->text(); }

void ExportDialog::tell(const QString& line, bool problem) {
  said_->setText(line);
  said_->setProperty("role", problem ? "problem" : "quiet");
  said_->style()->unpolish(said_), said_->style()->polish(said_);
}

void ExportDialog::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
