#include "ui/views/question_form.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollArea>
#include <QShortcut>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

// Arrows choose where they go; Qt's only do so once one is chosen.
class Choice : public QRadioButton {
 public:
  using QRadioButton::QRadioButton;

 protected:
  void keyPressEvent(QKeyEvent* event) override {
    QRadioButton::keyPressEvent(event);
    const int key = event->key();
    if (key != Qt::Key_Up && key != Qt::Key_Down && key != Qt::Key_Left && key != Qt::Key_Right) return;
    for (QAbstractButton* one : group()->buttons())
      if (one->hasFocus()) one->setChecked(true);
  }
};

QFont scaled(const QFont& font, double by) {
  QFont result = font;
  result.setPointSizeF(font.pointSizeF() * by);
  return result;
}

}  // namespace

QuestionForm::QuestionForm(QWidget* parent)
    : QWidget(parent), column_(new QVBoxLayout), problem_(new QLabel), done_(new QPushButton(tr("Continue"))) {
  auto* card = new QWidget;
  card->setMaximumWidth(760);
  auto* inside = new QVBoxLayout(card);
  inside->setSpacing(18);
  inside->addStretch(1), inside->addLayout(column_);
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true);
  done_->setProperty("role", "main"), done_->setProperty("large", true), done_->setFont(scaled(done_->font(), 1.2));
  auto* keys = new QLabel(tr("Tab: next question     arrows or Space: choose     Ctrl+Return: Continue"));
  keys->setProperty("role", "quiet");
  inside->addWidget(problem_), inside->addWidget(done_, 0, Qt::AlignLeft), inside->addWidget(keys), inside->addStretch(1);
  auto* holder = new QWidget;
  auto* centre = new QHBoxLayout(holder);
  centre->addStretch(1), centre->addWidget(card, 8), centre->addStretch(1);
  auto* scroll = new QScrollArea;
  scroll->setWidget(holder), scroll->setWidgetResizable(true), scroll->setFrameShape(QFrame::NoFrame), scroll->setFocusPolicy(Qt::NoFocus);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(scroll);
  connect(done_, &QPushButton::clicked, this, &QuestionForm::trySubmit);
  auto* shortcut = new QShortcut(QKeySequence(Qt::CTRL | Qt::Key_Return), this);
  connect(shortcut, &QShortcut::activated, this, &QuestionForm::trySubmit);
}

QWidget* QuestionForm::makeSteps(const study::Question& question) {
  auto* row = new QWidget;
  const bool scale = question.type == QLatin1String("likert");
  QStringList labels = question.choices;
  if (scale && labels.isEmpty()) labels = QStringList{tr("1 disagree"), QStringLiteral("2"), QStringLiteral("3"), QStringLiteral("4"), tr("5 agree")};
  QBoxLayout* layout = scale ? static_cast<QBoxLayout*>(new QHBoxLayout(row)) : new QVBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(scale ? 22 : 8);
  auto* group = new QButtonGroup(row);
  for (qsizetype i = 0; i < labels.size(); ++i) {
    auto* button = new Choice(labels[i]);
    button->setMinimumHeight(36), button->setFont(scaled(button->font(), 1.1));
    group->addButton(button, static_cast<int>(i));
    layout->addWidget(button);
  }
  if (scale) layout->addStretch(1);
  entries_.push_back({question, [group, scale, labels]() -> QJsonValue {
    if (group->checkedId() < 0) return QJsonValue::Null;
    return scale ? QJsonValue(group->checkedId() + 1) : QJsonValue(labels[group->checkedId()]);
  }});
  return row;
}

QWidget* QuestionForm::makeText(const study::Question& question) {
  auto* line = new QLineEdit;
  line->setFont(scaled(line->font(), 1.1));
  line->setAccessibleName(question.text);
  entries_.push_back({question, [line] { return QJsonValue(line->text()); }});
  return line;
}

void QuestionForm::setQuestions(const std::vector<study::Question>& questions) {
  entries_.clear();
  delete content_;
  content_ = new QWidget;
  auto* list = new QVBoxLayout(content_);
  list->setContentsMargins(0, 0, 0, 0), list->setSpacing(14);
  for (const study::Question& question : questions) {
    auto* text = new QLabel(question.text);
    text->setWordWrap(true), text->setFont(scaled(text->font(), 1.25));
    list->addWidget(text);
    list->addWidget(question.type == QLatin1String("text") ? makeText(question) : makeSteps(question));
    list->addSpacing(10);
  }
  column_->addWidget(content_);
  orderKeys();
  setProblem({});
}

// Tab goes from question to question and then to the button, and whoever gives the form the focus gives it to the first question.
void QuestionForm::orderKeys() {
  QWidget* before = nullptr;
  for (QWidget* entry : content_->findChildren<QWidget*>()) {
    if (!(entry->focusPolicy() & Qt::TabFocus)) continue;
    if (before) QWidget::setTabOrder(before, entry);
    else setFocusProxy(entry);
    before = entry;
  }
  if (before) QWidget::setTabOrder(before, done_);
}

QJsonObject QuestionForm::answers() const {
  QJsonObject all;
  for (const Entry& entry : entries_) all[entry.question.id] = entry.answer();
  return all;
}

QStringList QuestionForm::missing() const {
  QStringList found;
  for (const Entry& entry : entries_)
    if (entry.answer().isNull()) found << entry.question.text;
  return found;
}

void QuestionForm::setProblem(const QString& problem) { problem_->setText(problem), problem_->setVisible(!problem.isEmpty()); }

void QuestionForm::trySubmit() {
  if (!isVisible()) return;
  const QStringList open = missing();
  if (open.isEmpty()) Q_EMIT submitted();
  else setProblem(tr("Still to answer: %1").arg(open.join(QStringLiteral(" · "))));
}

}  // namespace quantspot::views
