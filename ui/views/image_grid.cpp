#include "ui/views/image_grid.h"

#include "ui/views/image_difference.h"

#include <algorithm>

namespace quantspot::views {
namespace {
constexpr int kMostTiles = 9, kGain = 8;
constexpr int kTurnMs = 420, kStaggerMs = 140;
constexpr double kLargeMargin = 14, kLargeCaption = 34;
}  // namespace

ImageGrid::ImageGrid(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setAcceptDrops(true);
  setMouseTracking(true);
  setMinimumSize(320, 240);
  setAccessibleName(QStringLiteral("Images"));
  connect(&flicker_, &QTimer::timeout, this, [this] {
    side_ = (side_ + 1) % (mode_ == Mode::Cycle ? std::max(1, count()) : 2);
    update();
  });
  connect(&turning_, &QVariantAnimation::valueChanged, this, [this] { update(); });
}

void ImageGrid::setImages(const std::vector<QImage>& images) {
  images_.clear(), differences_.clear(), reference_ = {};
  for (const QImage& image : images)
    if (static_cast<int>(images_.size()) < kMostTiles) images_.push_back(image.convertToFormat(QImage::Format_RGB32));
  captions_.assign(images_.size(), TileCaption{.guess = {}, .truth = {}, .chip = tools_.named});
  turning_.stop();
  transform_.fit();
  pair_ = {0, std::min(1, std::max(0, count() - 1))};
  half_ = marked_ = -1, differing_ = kNoTile, revealed_ = false;
  arm(-1);
  setMode(Mode::Grid);
}

void ImageGrid::setTools(const ViewTools& tools) {
  tools_ = tools;
  for (TileCaption& caption : captions_) caption.chip = tools.named;
  setAcceptDrops(tools.named);
  update();
}

void ImageGrid::setLetters(const QString& letters) { letters_ = letters, update(); }

void ImageGrid::zoomBy(double factor) {
  if (images_.empty() || !tools_.zoom) return;
  const QRectF area = mode_ == Mode::Grid ? tiles().front().image : largeAreas()[0];
  transform_.zoom(factor, area.center(), imageSize(), area);
  update();
}

void ImageGrid::panBy(QPointF delta) {
  if (images_.empty() || !tools_.zoom) return;
  transform_.pan(delta, imageSize(), (mode_ == Mode::Grid ? tiles().front().image : largeAreas()[0]).size());
  update();
}

void ImageGrid::fit() { transform_.fit(), update(); }

void ImageGrid::moveSlider(double by) { slider_ = std::clamp(slider_ + by, 0.0, 1.0), update(); }

void ImageGrid::setHint(const QString& hint) { hint_ = hint, update(); }

void ImageGrid::setGuess(int tile, const QString& guess) {
  if (tile < 0 || tile >= count()) return;
  captions_[tile].guess = guess;
  update();
}

void ImageGrid::showTruths(const std::vector<TileTruth>& truths) {
  for (int i = 0; i < count() && i < static_cast<int>(truths.size()); ++i) captions_[i].truth = truths[i];
  revealed_ = true;
  arm(-1);
  update();
}

void ImageGrid::reveal(const std::vector<TileTruth>& truths) {
  showTruths(truths);
  const int length = kTurnMs + kStaggerMs * std::max(0, count() - 1);
  turning_.setDuration(length), turning_.setStartValue(0.0), turning_.setEndValue(double(length));
  turning_.start();
}

// 0 to 1: how far the chip of this tile has turned.
double ImageGrid::turned(int tile) const {
  if (!revealed_) return 0;
  if (turning_.state() != QAbstractAnimation::Running) return 1;
  return std::clamp((turning_.currentValue().toDouble() - kStaggerMs * tile) / kTurnMs, 0.0, 1.0);
}

void ImageGrid::setReference(const QImage& reference, const QString& name) {
  reference_ = reference, reference_name_ = name;
  compare();
}

void ImageGrid::setComparing(Comparing kind) {
  comparing_ = kind;
  compare();
}

void ImageGrid::compare() {
  differences_.clear();
  if ((revealed_ || tools_.compare) && !reference_.isNull())
    for (const QImage& image : images_)
      differences_.push_back(comparing_ == Comparing::Difference ? amplifiedDifference(image, reference_, kGain)
          : comparing_ == Comparing::HeatMap ? heatMap(image, reference_, kGain) : edgeView(image, reference_));
  update();
}

void ImageGrid::showDifference(int tile) { differing_ = tile, update(); }

QString ImageGrid::legend() const {
  if (differing_ == kNoTile || differences_.empty()) return {};
  switch (comparing_) {
    case Comparing::Difference: return tr("Difference from %1, ×%2: black where equal").arg(reference_name_).arg(kGain);
    case Comparing::HeatMap: return tr("Difference from %1: black equal, yellow %2 of 255 levels or more").arg(reference_name_).arg(255 / kGain);
    case Comparing::Edges: break;
  }
  return tr("Outlines: white in both, red only here, cyan only in %1").arg(reference_name_);
}

const QImage& ImageGrid::shown(int tile) const {
  const bool wanted = differing_ == kAllTiles || differing_ == tile;
  const bool difference = wanted && !differences_.empty() && !differences_[tile].isNull();
  return difference ? differences_[tile] : images_[tile];
}

void ImageGrid::setMarked(int tile) { marked_ = tile, update(); }

void ImageGrid::setMode(Mode mode) {
  if (count() < 2 && mode != Mode::Single) mode = Mode::Grid;
  if (count() < 1) mode = Mode::Grid;
  mode_ = mode, side_ = 0, half_ = -1;
  if (mode != Mode::Grid && mode != Mode::Single && pair_[0] == pair_[1]) pair_[1] = (pair_[0] + 1) % count();   // after one was shown alone
  if (mode == Mode::Flicker || mode == Mode::Cycle) flicker_.start(static_cast<int>(1000 / flickerRate_));
  else flicker_.stop();
  Q_EMIT modeChanged();
  update();
}

void ImageGrid::setPair(int left, int right) {
  if (left < 0 || right < 0 || left >= count() || right >= count()) return;
  pair_ = {left, right};
  setMode(mode_ == Mode::Slider || mode_ == Mode::Flicker ? mode_ : Mode::Pair);
}

void ImageGrid::setFlickerRate(double hertz) {
  flickerRate_ = std::clamp(hertz, 0.5, 10.0);
  if (flicker_.isActive()) flicker_.start(static_cast<int>(1000 / flickerRate_));
  Q_EMIT modeChanged();
}

void ImageGrid::arm(int tile) {
  const int next = revealed_ || tile >= count() ? -1 : tile;
  if (next == armed_) return;
  armed_ = next;
  Q_EMIT armedChanged(armed_);
  update();
}

void ImageGrid::swapInPlace(int tile) {
  if (tile >= count() || !tools_.swap) return;
  if (mode_ == Mode::Grid) setMode(Mode::Single);
  if (mode_ == Mode::Single) pair_[0] = tile;
  else pair_[1] = tile;
  update();
}

void ImageGrid::toggleInPair(int tile) {
  if (half_ < 0 || half_ == tile) half_ = half_ == tile ? -1 : tile;
  else setPair(half_, tile);
  update();
}

std::array<QRectF, 2> ImageGrid::largeAreas() const {
  const QRectF all = QRectF(rect()).adjusted(kLargeMargin, kLargeCaption, -kLargeMargin, -kLargeMargin);
  if (mode_ != Mode::Pair) return {all, all};
  const double width = (all.width() - kLargeMargin) / 2;
  return {QRectF(all.topLeft(), QSizeF(width, all.height())), QRectF(all.left() + width + kLargeMargin, all.top(), width, all.height())};
}

int ImageGrid::tileAt(QPointF position) const {
  if (mode_ != Mode::Grid) {
    const auto areas = largeAreas();
    if (mode_ == Mode::Pair && areas[1].contains(position)) return pair_[1];
    if (mode_ == Mode::Cycle) return -1;                    // whichever shows: too quick to be meant
    return areas[0].contains(position) ? pair_[0] : -1;
  }
  const auto all = tiles();
  for (int i = 0; i < count(); ++i)
    if (all[i].image.contains(position) || all[i].caption.contains(position)) return i;
  return -1;
}

QRectF ImageGrid::areaAt(QPointF position) const {
  if (mode_ != Mode::Grid) return largeAreas()[mode_ == Mode::Pair && largeAreas()[1].contains(position) ? 1 : 0];
  const auto all = tiles();
  const int tile = tileAt(position);
  return all.empty() ? QRectF(rect()) : all[std::max(0, tile)].image;
}

}  // namespace quantspot::views
