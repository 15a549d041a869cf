#include "ui/views/pair_window.h"

#include "ui/models/picture_gate.h"
#include "ui/models/precision_names.h"
#include "ui/views/image_grid.h"
#include "ui/views/view_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <cmath>

namespace quantspot::views {
namespace {

// dB; infinite for equal pictures, nothing for other sizes.
std::optional<double> psnrBetween(const QImage& first, const QImage& second) {
  if (first.size() != second.size() || first.isNull()) return {};
  return ui::psnrOf(first.convertToFormat(QImage::Format_RGB888), second.convertToFormat(QImage::Format_RGB888));
}

}  // namespace

PairWindow::PairWindow(QWidget* parent)
    : QWidget(parent, Qt::Window), title_(new QLabel), note_(new QLabel), left_(new QComboBox), right_(new QComboBox), view_(new QComboBox),
      grid_(new ImageGrid) {
  setWindowTitle(QStringLiteral("Compare two pictures"));
  title_->setProperty("role", "title"), title_->setWordWrap(true);
  note_->setProperty("role", "quiet"), note_->setWordWrap(true);
  left_->setAccessibleName(QStringLiteral("Left picture")), right_->setAccessibleName(QStringLiteral("Right picture"));
  view_->setAccessibleName(QStringLiteral("View of the pictures"));
  view_->addItems({QStringLiteral("Pictures"), QStringLiteral("Difference, ×8"), QStringLiteral("Heat map of the difference"),
      QStringLiteral("Edges")});
  for (QComboBox* combo : {left_, right_}) connect(combo, &QComboBox::currentIndexChanged, this, &PairWindow::refresh);
  connect(view_, &QComboBox::currentIndexChanged, this, &PairWindow::showDifference);
  auto* choice = new QHBoxLayout;
  choice->setContentsMargins(18, 12, 18, 0), choice->setSpacing(10);
  choice->addWidget(left_, 1), choice->addWidget(new QLabel(QStringLiteral("and"))), choice->addWidget(right_, 1), choice->addSpacing(12),
      choice->addWidget(view_);
  auto* words = new QVBoxLayout;
  words->setContentsMargins(18, 6, 18, 10), words->addWidget(title_), words->addWidget(note_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addLayout(choice), layout->addLayout(words), layout->addWidget(grid_, 1), layout->addWidget(new ViewBar(grid_));
  resize(1040, 680);
}

void PairWindow::setPictures(std::vector<ui::CompareSession::Shared> pictures, const QString& prompt) {
  pictures_ = std::move(pictures);
  title_->setText(prompt);
  const QSignalBlocker quietLeft(left_), quietRight(right_);
  for (QComboBox* combo : {left_, right_}) {
    combo->clear();
    for (const auto& one : pictures_)
      combo->addItem(QStringLiteral("%1, %2").arg(ui::shortName(one.result.sample.precision),
          QLocale().toString(one.created.toLocalTime(), QLocale::ShortFormat)),
                     one.result.sample.precision);
  }
  const int reference = left_->findData(QString::fromLatin1(study::kReference));
  left_->setCurrentIndex(std::max(0, reference));
  right_->setCurrentIndex(left_->currentIndex() == 0 ? 1 : 0);
  refresh();
  grid_->setFocus();
}

QString PairWindow::note() const { return note_->text(); }

void PairWindow::refresh() {
  const int a = left_->currentIndex(), b = right_->currentIndex();
  if (a < 0 || b < 0) return;
  const auto &first = pictures_[static_cast<std::size_t>(a)].result, &second = pictures_[static_cast<std::size_t>(b)].result;
  const ImageGrid::Mode mode = grid_->count() == 2 ? grid_->mode() : ImageGrid::Mode::Pair;
  const ViewTransform zoom = grid_->transform();
  grid_->setImages({first.image, second.image});
  grid_->showTruths({{ui::shortName(first.sample.precision), {}, TileTruth::Told}, {ui::shortName(second.sample.precision), {}, TileTruth::Told}});
  grid_->setReference(first.image, ui::shortName(first.sample.precision));
  grid_->setMode(mode), grid_->setTransform(zoom);
  ui::ComparisonResult both;
  both.samples = {first, second};
  const auto psnr = psnrBetween(second.image, first.image);
  QString text = !psnr ? QStringLiteral("The pictures have different sizes.") : std::isinf(*psnr) ? QStringLiteral("Equal pixel for pixel.")
                       : QStringLiteral("PSNR between them %1\u2009dB (N = 1).").arg(*psnr, 0, 'f', 1);
  if (const QString other = ui::mismatch(both); !other.isEmpty())
    text += QStringLiteral(" ") + other.section(u';', 0, 0) + u'.';
  note_->setText(text);
  showDifference();
}

void PairWindow::showDifference() {
  if (view_->currentIndex() > 0) grid_->setComparing(static_cast<ImageGrid::Comparing>(view_->currentIndex() - 1));
  grid_->showDifference(view_->currentIndex() > 0 ? ImageGrid::kAllTiles : ImageGrid::kNoTile);
}

void PairWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
