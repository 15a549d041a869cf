#include "ui/views/questions_section.h"

#include "ui/views/draft_form.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

const QStringList kTypes{QStringLiteral("likert"), QStringLiteral("choice"), QStringLiteral("text")};

}  // namespace

QuestionsSection::QuestionsSection(const QString& title, List list, ui::StudyDraft* draft, QWidget* parent)
    : QWidget(parent), list_(list), draft_(draft), column_(new QVBoxLayout(this)) {
  column_->setContentsMargins(0, 0, 0, 0), column_->setSpacing(6);
  auto* row = new QHBoxLayout;
  row->addWidget(new QLabel(title)), row->addStretch(1);
  auto* add = new QPushButton(tr("Add a question"));
  add->setAccessibleName(tr("Add a question: %1").arg(title));
  connect(add, &QPushButton::clicked, this, &QuestionsSection::addQuestion);
  row->addWidget(add);
  column_->addLayout(row);
  connect(draft_, &ui::StudyDraft::changed, this, [this] {
    if ((draft_->protocol().*list_).size() != built_) rebuild();
  });
  rebuild();
}

void QuestionsSection::addQuestion() {
  draft_->edit([this](study::Protocol& p) {
    auto& questions = p.*list_;
    int number = static_cast<int>(questions.size()) + 1;
    const auto taken = [&](const QString& id) {
      return std::any_of(questions.begin(), questions.end(), [&](const study::Question& question) { return question.id == id; });
    };
    while (taken(QStringLiteral("q%1").arg(number))) ++number;
    questions.push_back({QStringLiteral("q%1").arg(number), kTypes[0], {}, {}});
  });
}

void QuestionsSection::edit(int row, const std::function<void(study::Question&)>& change) {
  draft_->edit([&](study::Protocol& p) { change((p.*list_)[static_cast<std::size_t>(row)]); });
}

QWidget* QuestionsSection::makeRow(int row) {
  const study::Question& question = (draft_->protocol().*list_)[static_cast<std::size_t>(row)];
  auto* widget = new QWidget;
  auto* layout = new QHBoxLayout(widget);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(6);
  auto* type = new QComboBox;
  type->addItems({tr("Scale"), tr("Choice"), tr("Free text")});
  type->setCurrentIndex(std::max<qsizetype>(0, kTypes.indexOf(question.type))), type->setAccessibleName(tr("Type of question %1").arg(row + 1));
  leaveWheelToPage(type);
  auto* text = new QLineEdit(question.text);
  text->setPlaceholderText(tr("The question")), text->setAccessibleName(tr("Question %1").arg(row + 1));
  auto* choices = new QLineEdit(question.choices.join(QStringLiteral("; ")));
  choices->setPlaceholderText(tr("answers; in; order")), choices->setAccessibleName(tr("Answers of question %1").arg(row + 1));
  choices->setEnabled(question.type != kTypes[2]);
  auto* remove = new QToolButton;
  remove->setText(QStringLiteral("×")), remove->setAccessibleName(tr("Remove question %1").arg(row + 1));
  layout->addWidget(type), layout->addWidget(text, 3), layout->addWidget(choices, 2), layout->addWidget(remove);
  connect(type, &QComboBox::activated, this, [this, row, choices](int index) {
    edit(row, [&](study::Question& q) { q.type = kTypes[index]; });
    choices->setEnabled(index != 2);
  });
  connect(text, &QLineEdit::textEdited, this, [this, row](const QString& now) { edit(row, [&](study::Question& q) { q.text = now; }); });
  connect(choices, &QLineEdit::textEdited, this, [this, row](const QString& now) {
    QStringList list;
    for (const QString& one : now.split(u';', Qt::SkipEmptyParts))
      if (!one.trimmed().isEmpty()) list << one.trimmed();
    edit(row, [&](study::Question& q) { q.choices = list; });
  });
  connect(remove, &QToolButton::clicked, this, [this, row] { draft_->edit([&](study::Protocol& p) { (p.*list_).erase((p.*list_).begin() + row); }); });
  return widget;
}

void QuestionsSection::rebuild() {
  if (rows_) rows_->hide(), rows_->deleteLater();
  rows_ = new QWidget;
  auto* rows = new QVBoxLayout(rows_);
  rows->setContentsMargins(0, 0, 0, 0), rows->setSpacing(4);
  built_ = (draft_->protocol().*list_).size();
  for (std::size_t row = 0; row < built_; ++row) rows->addWidget(makeRow(static_cast<int>(row)));
  column_->addWidget(rows_);
}

}  // namespace quantspot::views
