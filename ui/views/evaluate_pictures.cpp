#include "ui/views/evaluate_pictures.h"

#include "ui/models/precision_names.h"
#include "ui/views/beside.h"
#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kLeast = 192;              // pixels that a small picture is shown in, by whole factors

QLabel* label(const QString& text) {
  auto* made = new QLabel(text);
  made->setStyleSheet(QStringLiteral("color: white; background: transparent;"));
  return made;
}

}  // namespace

EvaluatePictures::EvaluatePictures(ui::EvaluationMatrix* matrix, QWidget* parent)
    : QDialog(parent), matrix_(matrix), title_(new QLabel), ground_(new QWidget), pictures_(new QHBoxLayout(ground_)) {
  setWindowTitle(QStringLiteral("Pictures"));
  title_->setProperty("role", "title"), title_->setWordWrap(true);
  ground_->setObjectName(QStringLiteral("ground"));
  ground_->setStyleSheet(QStringLiteral("#ground { background: %1; }").arg(kNeutralGrey.name()));
  pictures_->setContentsMargins(16, 16, 16, 16), pictures_->setSpacing(12);
  auto* scroll = new QScrollArea;
  scroll->setWidget(ground_), scroll->setWidgetResizable(true), scroll->setFrameShape(QFrame::NoFrame);
  auto* hint = new QLabel(QStringLiteral("↑ ↓ other prompts and seeds · Esc closes"));
  hint->setProperty("role", "quiet");
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(title_), layout->addWidget(scroll, 1), layout->addWidget(hint);
  resize(980, 420);
}

void EvaluatePictures::showRow(int row) {
  if (row < 0 || row >= matrix_->rowCount()) return;
  row_ = row, shown_ = 0;
  const auto header = [&](int role) { return matrix_->headerData(row, Qt::Vertical, role); };
  title_->setText(QStringLiteral("%1 · seed %2").arg(header(Qt::ToolTipRole).toString().section(u'\n', 0, 0),
                                                     header(ui::EvaluationMatrix::SeedRole).toString()));
  while (QLayoutItem* item = pictures_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  for (const ui::EvaluationMatrix::Picture& picture : matrix_->pictures(row)) {
    auto* column = new QWidget;
    auto* layout = new QVBoxLayout(column);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* image = label(picture.image.isNull() ? picture.text : QString());
    image->setWordWrap(true);
    if (!picture.image.isNull()) {
      const int factor = std::max(1, kLeast / std::max(1, picture.image.width()));   // whole pixels, never blurred
      image->setPixmap(QPixmap::fromImage(picture.image.scaled(picture.image.size() * factor)));
      ++shown_;
    }
    layout->addWidget(image), layout->addWidget(label(QStringLiteral("<b>%1</b>").arg(ui::shortName(picture.precision).toHtmlEscaped())));
    if (!picture.image.isNull()) layout->addWidget(label(picture.text));
    layout->addStretch(1);
    column->setMinimumWidth(column->sizeHint().width() + 8);   // figures of neighbours do not run into one another
    pictures_->addWidget(column);
  }
  pictures_->addStretch(1);
  showBeside(this);
}

void EvaluatePictures::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Down) return showRow(row_ + 1);
  if (event->key() == Qt::Key_Up) return showRow(row_ - 1);
  QDialog::keyPressEvent(event);
}

}  // namespace quantspot::views
