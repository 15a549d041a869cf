#include "ui/views/program_menu.h"

#include "ui/models/compare_session.h"
#include "ui/views/beside.h"

#include <QCoreApplication>
#include <QDesktopServices>
#include <QDir>
#include <QFileInfo>
#include <QLabel>
#include <QShortcut>
#include <QUrl>

namespace quantspot::views {
namespace {

// Heading, then keys and what they do; an empty text begins a new heading.
constexpr std::pair<const char*, const char*> kKeys[] = {
    {"Pages", ""},
    {"Ctrl+1 3 4 5, Ctrl+H", "Compare, Evaluate, Study, Decide, History"},
    {"Ctrl+2", "the charts on the whole page"},
    {"Ctrl+T, F11", "light or dark, full screen"},
    {"F1, Ctrl+Q", "these keys, quit"},
    {"Compare", ""},
    {"Enter", "generate; answer and reveal; next seed"},
    {"A to I, then 1 to 9", "this tile has that precision, or that grade; Backspace takes it back, Ctrl+Z undoes"},
    {"1 to 9", "swap pictures in place"},
    {"Ctrl+click two tiles", "only these, large"},
    {"S, F", "slider, flicker; arrow keys move them"},
    {"wheel, drag, 0", "zoom all, move all, fit"},
    {"X", "after the answer: difference, heat map, edges"},
    {"Esc", "back to all tiles"},
    {"Elsewhere", ""},
    {"Ctrl+N", "on the Study page: a new study"},
    {"Ctrl+Enter, Ctrl+S", "in the policy window: add to the comparison, keep the name"},
    {"F2, Delete", "on a policy in the list of precisions: edit, remove"},
    {"Esc", "closes a window that stands beside the main one"},
};

QString keysText() {
  QString text = QStringLiteral("<table cellspacing='0' cellpadding='3'>");
  for (const auto& [keys, what] : kKeys)
    text += *what ? QStringLiteral("<tr><td style='padding-right:18px'>%1</td><td>%2</td></tr>").arg(QString::fromUtf8(keys), QString::fromUtf8(what))
                  : QStringLiteral("<tr><td colspan='2' style='padding-top:10px'><b>%1</b></td></tr>").arg(QString::fromUtf8(keys));
  return text + QStringLiteral("</table>");
}

}  // namespace

ProgramMenu::ProgramMenu(ui::CompareSession* session, QWidget* parent) : QMenu(parent), session_(session) {
  addAction(QStringLiteral("Keys\tF1"), this, &ProgramMenu::showKeys);
  folder_ = addAction(QStringLiteral("Open the data folder"), this, [this] {
    QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(session_->store()->path()).absolutePath()));
  });
  addSeparator();
  program_ = addAction(QString()), engine_ = addAction(QString());
  program_->setEnabled(false), engine_->setEnabled(false);
  setToolTipsVisible(true);
  connect(this, &QMenu::aboutToShow, this, &ProgramMenu::tellWhatItIs);
}

void ProgramMenu::tellWhatItIs() {
  const QString store = session_->store()->path();
  folder_->setEnabled(session_->store()->isOpen() && store != QLatin1String(":memory:"));
  folder_->setToolTip(QDir::toNativeSeparators(QFileInfo(store).absolutePath()));
  program_->setText(QStringLiteral("QuantSpot %1").arg(QCoreApplication::applicationVersion()));
  const nlohmann::json engine = session_->engineInfo();
  const auto of = [&](const char* key) { return QString::fromStdString(engine.is_object() ? engine.value(key, "") : ""); };
  engine_->setText(of("version").isEmpty() ? QStringLiteral("No engine yet")
                                           : QStringLiteral("Engine %1, libtorch %2, on %3").arg(of("version"), of("libtorch"), of("device")));
}

void ProgramMenu::showKeys() {
  if (!keys_) {
    keys_ = new QLabel(keysText(), parentWidget(), Qt::Tool);
    keys_->setWindowTitle(QStringLiteral("Keys"));
    keys_->setMargin(18);
    for (const auto key : {Qt::Key_Escape, Qt::Key_F1}) connect(new QShortcut(key, keys_), &QShortcut::activated, keys_, &QWidget::hide);
  }
  if (keys_->isVisible()) keys_->hide();                // F1 again
  else showBeside(keys_);
}

}  // namespace quantspot::views
