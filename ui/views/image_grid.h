// The pictures: tiles A to I that zoom and pan together, and two (or one) of them large with slider, flicker and swapping in
// place. Paints pixels that are in memory; knows no precision until captions are given to it.
#pragma once

#include "ui/views/tile_caption.h"
#include "ui/views/tile_layout.h"
#include "ui/views/view_transform.h"

#include <QImage>
#include <QTimer>
#include <QVariantAnimation>
#include <QWidget>

#include <array>
#include <optional>
#include <vector>

class QMenu;

namespace quantspot::views {

// What a chip carries while it is dragged: the precision's id as UTF-8.
inline constexpr auto kChipMimeType = "application/x-quantspot-chip";

// What may be done with the pictures. named: tiles carry chips with names, by drags and keys; without it, letters alone. compare: difference,
// heat-map and edge views also before a reveal: for practice, never for a trial that counts.
struct ViewTools {
  bool zoom = true, swap = true, slider = true, flicker = true, named = true, compare = false;
};

class ImageGrid : public QWidget {
  Q_OBJECT
 public:
  enum class Mode { Grid, Single, Pair, Slider, Flicker, Cycle };   // Cycle: all in turn, in one place
  Q_ENUM(Mode)

  explicit ImageGrid(QWidget* parent = nullptr);

  // At most nine, all drawn at once and through one format. Back to the grid, fitted, nothing armed, captions empty.
  void setImages(const std::vector<QImage>& images);
  int count() const { return static_cast<int>(images_.size()); }
  void setTools(const ViewTools& tools);              // all, unless somebody takes some away
  void setLetters(const QString& letters);            // one per tile; A, B, C … by default
  const ViewTools& tools() const { return tools_; }
  void setHint(const QString& hint);                  // in the empty grid: one line on what to do

  void setGuess(int tile, const QString& guess);
  void reveal(const std::vector<TileTruth>& truths);  // one per tile; chips turn over one after another
  void showTruths(const std::vector<TileTruth>& truths);   // the same, at once: for history
  // Shows how one tile, or all, differ from the reference, with a legend of the colours; kNoTile shows the images. Nothing happens before the reveal
  // (unless tools().compare) or without a reference.
  static constexpr int kNoTile = -1, kAllTiles = -2;
  enum class Comparing { Difference, HeatMap, Edges };
  Q_ENUM(Comparing)
  void setReference(const QImage& reference, const QString& name = QStringLiteral("bf16"));
  void setComparing(Comparing kind);
  Comparing comparing() const { return comparing_; }
  void showDifference(int tile);
  QString legend() const;                             // what the colours on screen mean; empty while pictures are shown
  // Outlines the tile, in review: the row of the results under the mouse.
  void setMarked(int tile);

  Mode mode() const { return mode_; }
  void setMode(Mode mode);                            // the large ones need a pair: the last, or A and B
  void setPair(int left, int right);                  // goes to Pair
  void setFlickerRate(double hertz);                  // swaps per second, 0.5 to 10
  double flickerRate() const { return flickerRate_; }
  int armed() const { return armed_; }
  void arm(int tile);                                 // the tile that the next precision key names; -1: none
  void zoomBy(double factor);                         // about the middle
  void panBy(QPointF delta);
  void fit();
  void swapInPlace(int tile);                         // puts it in place of the large one, or of the second of a pair
  void moveSlider(double by);                         // share of the width
  const ViewTransform& transform() const { return transform_; }
  void setTransform(const ViewTransform& transform) { transform_ = transform, update(); }   // of a grid with pictures of the same size
  std::array<int, 2> pair() const { return pair_; }
  // To copy or save the tile's picture, or its difference where that is shown. Null before the reveal: files have names. The caller's.
  QMenu* pictureMenu(int tile);
  std::vector<TileRects> tiles() const { return layOutTiles(count(), imageSize(), QRectF(rect())); }

 Q_SIGNALS:
  void chipDropped(int tile, const QString& precision);
  void precisionKey(int tile, int number);            // a digit while a tile is armed; number counts from 1
  void guessCleared(int tile);                        // Backspace or Delete while armed
  void tileClicked(int tile);
  void armedChanged(int tile);
  void modeChanged();

 protected:
  void paintEvent(QPaintEvent*) override;
  void keyPressEvent(QKeyEvent*) override;
  void wheelEvent(QWheelEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseMoveEvent(QMouseEvent*) override;
  void mouseReleaseEvent(QMouseEvent*) override;
  void mouseDoubleClickEvent(QMouseEvent*) override;
  void dragEnterEvent(QDragEnterEvent*) override;
  void dragMoveEvent(QDragMoveEvent*) override;
  void dragLeaveEvent(QDragLeaveEvent*) override;
  void dropEvent(QDropEvent*) override;
  void contextMenuEvent(QContextMenuEvent*) override;

 private:
  QSizeF imageSize() const { return images_.empty() ? QSizeF(1, 1) : QSizeF(images_.front().size()); }
  int tileAt(QPointF position) const;                 // -1: none
  QRectF areaAt(QPointF position) const;              // the image area under the mouse, in any mode
  std::array<QRectF, 2> largeAreas() const;           // Pair: two; the other large modes: the same one twice
  bool handleDigit(int digit);
  bool handleLetter(int key);
  bool handleViewKey(int key);
  void toggleInPair(int tile);
  const QImage& shown(int tile) const;
  void compare();
  void paintGrid(QPainter& painter);
  void paintLarge(QPainter& painter);
  void paintLargeTile(QPainter& painter, int tile, QRectF area, bool captionRight = false);
  void paintHint(QPainter& painter);
  void paintLegend(QPainter& painter);
  double turned(int tile) const;
  QChar letterOf(int tile) const { return tile < letters_.size() ? letters_[tile] : QChar(u'A' + tile); }

  std::vector<QImage> images_, differences_;       // differences: empty without a reference
  QImage reference_;
  QString reference_name_;
  Comparing comparing_ = Comparing::Difference;
  std::vector<TileCaption> captions_;
  ViewTransform transform_;
  Mode mode_ = Mode::Grid;
  std::array<int, 2> pair_{0, 1};
  int side_ = 0, armed_ = -1, half_ = -1, marked_ = -1, dropTarget_ = -1, differing_ = kNoTile;   // half_: first of a pair that is being chosen
  double slider_ = 0.5, flickerRate_ = 2;
  bool revealed_ = false, dragging_ = false, movingSlider_ = false;
  std::optional<QPointF> pressed_;
  QPointF last_;
  QString hint_, letters_ = QStringLiteral("ABCDEFGHI");
  ViewTools tools_;
  QTimer flicker_;
  QVariantAnimation turning_;
};

}  // namespace quantspot::views
