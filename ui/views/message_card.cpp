#include "ui/views/message_card.h"

#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QShortcut>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kWidest = 720;

QLabel* textLabel(double scale, const char* role) {
  auto* label = new QLabel;
  label->setWordWrap(true);
  if (*role) label->setProperty("role", role);
  QFont font = label->font();
  font.setPointSizeF(font.pointSizeF() * scale);
  label->setFont(font);
  return label;
}

}  // namespace

MessageCard::MessageCard(QWidget* parent)
    : QWidget(parent), title_(textLabel(1.8, "title")), text_(textLabel(1.25, "")), problem_(textLabel(1.1, "problem")), fieldLabel_(textLabel(1.1, "quiet")),
      keys_(textLabel(1.0, "quiet")), field_(new QLineEdit), row_(new QHBoxLayout) {
  auto* card = new QWidget;
  card->setMaximumWidth(kWidest);
  auto* column = new QVBoxLayout(card);
  column->setSpacing(16);
  column->addStretch(1);
  text_->setTextInteractionFlags(Qt::NoTextInteraction);
  for (QWidget* widget : {static_cast<QWidget*>(title_), static_cast<QWidget*>(text_), static_cast<QWidget*>(fieldLabel_),
                          static_cast<QWidget*>(field_), static_cast<QWidget*>(problem_)}) column->addWidget(widget);
  row_->setSpacing(12);
  column->addLayout(row_);
  column->addWidget(keys_);
  column->addStretch(1);
  auto* scroll = new QScrollArea;
  auto* holder = new QWidget;
  auto* centre = new QHBoxLayout(holder);
  centre->addStretch(1), centre->addWidget(card, 8), centre->addStretch(1);
  scroll->setWidget(holder), scroll->setWidgetResizable(true);
  scroll->setFocusPolicy(Qt::NoFocus), scroll->setFrameShape(QFrame::NoFrame);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(scroll);
  QFont large = field_->font();
  large.setPointSizeF(large.pointSizeF() * 1.25);
  field_->setFont(large);
}

void MessageCard::show(const QString& title, const QString& text, std::vector<CardAction> actions, const CardField& field) {
  title_->setText(title), text_->setText(text);
  text_->setVisible(!text.isEmpty());
  setProblem({});
  field_->setText({});                     // not clear(), which could be taken back: a passphrase by whoever is asked for a code next
  field_->setVisible(!field.label.isEmpty()), fieldLabel_->setVisible(!field.label.isEmpty());
  fieldLabel_->setText(field.label);
  field_->setEchoMode(field.secret ? QLineEdit::Password : QLineEdit::Normal);
  field_->setAccessibleName(field.label);
  if (buttons_) {                          // one of them may be the caller; until it is gone its keys must be silent
    for (QShortcut* shortcut : buttons_->findChildren<QShortcut*>()) shortcut->setEnabled(false);
    buttons_->hide(), buttons_->deleteLater();
  }
  buttons_ = new QWidget;
  auto* row = new QHBoxLayout(buttons_);
  row->setContentsMargins(0, 0, 0, 0), row->setSpacing(12);
  QStringList keys;
  QPushButton* first = nullptr;
  for (const CardAction& action : actions) {
    auto* button = new QPushButton(action.text);
    button->setProperty("large", true);
    QFont font = button->font();
    font.setPointSizeF(font.pointSizeF() * 1.2);
    button->setFont(font);
    if (!first) button->setProperty("role", "main"), first = button;
    connect(button, &QPushButton::clicked, this, action.run);
    // On the button itself: it goes with it.
    auto* shortcut = new QShortcut(action.key, button, nullptr, nullptr, Qt::WindowShortcut);
    connect(shortcut, &QShortcut::activated, button, [button] { button->click(); });
    keys << QStringLiteral("%1: %2").arg(action.key.toString(QKeySequence::NativeText), action.text);
    row->addWidget(button);
  }
  row->addStretch(1);
  row_->addWidget(buttons_);
  keys_->setText(keys.join(QStringLiteral("     ")));
  if (!field.label.isEmpty()) field_->setFocus();
  else if (first) first->setFocus();
}

void MessageCard::setProgress(const QString& text) {
  setProblem(text);
  setRole(problem_, "quiet");
}

void MessageCard::setProblem(const QString& problem) {
  setRole(problem_, "problem");
  problem_->setText(problem), problem_->setVisible(!problem.isEmpty());
}

QString MessageCard::fieldText() const { return field_->text(); }


}  // namespace quantspot::views
