#include "ui/views/history_actions.h"

#include "ui/models/history_model.h"
#include "ui/views/short_label.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>

namespace quantspot::views {

HistoryActions::HistoryActions(QWidget* parent)
    : QFrame(parent), what_(new ShortLabel), tags_(new QLineEdit), open_(new QPushButton(QStringLiteral("Open"))),
      nextSeed_(new QPushButton(QStringLiteral("Run with the next seed"))), change_(new QPushButton(QStringLiteral("Run with a change…"))),
      compare_(new QPushButton(QStringLiteral("Compare two pictures…"))) {
  tags_->setPlaceholderText(QStringLiteral("tags, with commas between")), tags_->setAccessibleName(QStringLiteral("Tags"));
  tags_->setFixedWidth(210);
  connect(open_, &QPushButton::clicked, this, &HistoryActions::openWanted);
  connect(nextSeed_, &QPushButton::clicked, this, &HistoryActions::nextSeedWanted);
  connect(change_, &QPushButton::clicked, this, &HistoryActions::changeWanted);
  connect(compare_, &QPushButton::clicked, this, &HistoryActions::compareWanted);
  connect(tags_, &QLineEdit::editingFinished, this, [this] {
    if (!tags_->isModified()) return;
    tags_->setModified(false);
    Q_EMIT tagsEdited(tags_->text().split(u',', Qt::SkipEmptyParts));
  });
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(9, 8, 9, 0), row->setSpacing(8);
  row->addWidget(what_, 1), row->addWidget(tags_), row->addWidget(open_), row->addWidget(nextSeed_), row->addWidget(change_),
      row->addWidget(compare_);
}

void HistoryActions::setSheet(const QModelIndex& index) {
  setVisible(index.isValid());
  const qint64 comparison = index.data(ui::HistoryModel::ComparisonRole).toLongLong();
  if (comparison == comparison_ && tags_->hasFocus()) return;             // being written
  comparison_ = comparison;
  const bool judged = !index.data(ui::HistoryModel::BlindRole).toBool();
  what_->setLine(index.data(ui::HistoryModel::PromptRole).toString());
  tags_->setText(index.data(ui::HistoryModel::TagsRole).toStringList().join(QStringLiteral(", ")));
  nextSeed_->setEnabled(index.data(ui::HistoryModel::DrawnHereRole).toBool()), change_->setEnabled(nextSeed_->isEnabled());
  const bool several = index.data(ui::HistoryModel::PictureCountRole).toInt() > 1;
  compare_->setEnabled(judged && several);
  tellWhy(judged, several);
}

// What a button does, or why it cannot.
void HistoryActions::tellWhy(bool judged, bool several) {
  const QString elsewhere = QStringLiteral("These pictures were made elsewhere: there is no recipe to draw again");
  nextSeed_->setToolTip(nextSeed_->isEnabled() ? QStringLiteral("The same recipe and precisions with the next seed, blind") : elsewhere);
  const QString change = QStringLiteral("Opens it with its recipe and precisions in the form: change one thing and press Generate");
  change_->setToolTip(change_->isEnabled() ? change : elsewhere);
  compare_->setToolTip(!judged    ? QStringLiteral("These pictures wait to be judged blind: open them first")
                       : !several ? QStringLiteral("This comparison has one picture, and two are needed")
                                  : QStringLiteral("Any two pictures of the history with this recipe, large, with slider, flicker and difference"));
}

}  // namespace quantspot::views
