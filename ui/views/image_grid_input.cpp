// Mouse, keys and drops of ImageGrid.
#include "ui/views/image_grid.h"

#include "ui/views/path_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMimeData>
#include <QMouseEvent>
#include <QSaveFile>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace quantspot::views {

void ImageGrid::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
  const bool taken = plain && count() > 0 &&
      ((key >= Qt::Key_1 && key <= Qt::Key_9 && handleDigit(key - Qt::Key_0)) || handleViewKey(key) || handleLetter(key));
  if (!taken) QWidget::keyPressEvent(event);
}

bool ImageGrid::handleDigit(int digit) {
  if (armed_ < 0) return swapInPlace(digit - 1), true;
  Q_EMIT precisionKey(armed_, digit);
  return true;
}

bool ImageGrid::handleLetter(int key) {
  const int tile = key - Qt::Key_A;
  if (tile < 0 || tile >= count()) return false;
  arm(tile);   // no toggle: after an answer the next open tile is armed already, and typing A1 B2 C3 must work; Esc lets go
  return true;
}

bool ImageGrid::handleViewKey(int key) {
  const bool pairShown = mode_ == Mode::Pair || mode_ == Mode::Slider || mode_ == Mode::Flicker;
  switch (key) {
    case Qt::Key_0: return transform_.fit(), update(), true;
    case Qt::Key_S: return setMode(mode_ == Mode::Slider ? Mode::Pair : Mode::Slider), true;
    case Qt::Key_F:
      if (!pairShown && count() > 5) return false;    // F is also the sixth tile
      return setMode(mode_ == Mode::Flicker ? Mode::Pair : Mode::Flicker), true;
    case Qt::Key_Up: return mode_ == Mode::Flicker && (setFlickerRate(flickerRate_ + 0.5), true);
    case Qt::Key_Down: return mode_ == Mode::Flicker && (setFlickerRate(flickerRate_ - 0.5), true);
    case Qt::Key_Left: return mode_ == Mode::Slider && (slider_ = std::max(0.0, slider_ - 0.02), update(), true);
    case Qt::Key_Right: return mode_ == Mode::Slider && (slider_ = std::min(1.0, slider_ + 0.02), update(), true);
    case Qt::Key_Backspace:
    case Qt::Key_Delete:
      if (armed_ < 0) return false;
      Q_EMIT guessCleared(armed_);
      return true;
    case Qt::Key_Escape:
      if (armed_ >= 0) return arm(-1), true;
      if (mode_ == Mode::Grid && half_ < 0) return false;
      return setMode(Mode::Grid), true;
    default: return false;
  }
}

void ImageGrid::wheelEvent(QWheelEvent* event) {
  if (images_.empty() || !tools_.zoom) return;
  const double factor = std::pow(1.2, event->angleDelta().y() / 120.0);
  transform_.zoom(factor, event->position(), imageSize(), areaAt(event->position()));
  update();
}

void ImageGrid::mousePressEvent(QMouseEvent* event) {
  if (images_.empty() || event->button() != Qt::LeftButton) return;
  pressed_ = last_ = event->position();
  dragging_ = false;
  const QRectF area = largeAreas()[0];
  movingSlider_ = mode_ == Mode::Slider && std::abs(last_.x() - (area.left() + slider_ * area.width())) < 12;
}

void ImageGrid::mouseMoveEvent(QMouseEvent* event) {
  if (!pressed_) return;
  const QPointF position = event->position();
  if (movingSlider_) {
    const QRectF area = largeAreas()[0];
    slider_ = std::clamp((position.x() - area.left()) / area.width(), 0.0, 1.0);
  } else {
    dragging_ = dragging_ || (position - *pressed_).manhattanLength() >= QApplication::startDragDistance();
    if (dragging_ && tools_.zoom) transform_.pan(position - last_, imageSize(), areaAt(*pressed_).size());
  }
  last_ = position;
  update();
}

void ImageGrid::mouseReleaseEvent(QMouseEvent* event) {
  const bool clicked = pressed_ && !dragging_ && !movingSlider_ && event->button() == Qt::LeftButton;
  pressed_.reset();
  movingSlider_ = false;
  const int tile = clicked ? tileAt(event->position()) : -1;
  if (tile < 0) return;
  if (event->modifiers() & Qt::ControlModifier && mode_ == Mode::Grid && tools_.swap) return toggleInPair(tile);
  arm(tile == armed_ ? -1 : tile);
  Q_EMIT tileClicked(tile);
}

void ImageGrid::mouseDoubleClickEvent(QMouseEvent* event) {
  const int tile = tileAt(event->position());
  if (tile < 0 || !tools_.swap) return;
  pair_[0] = tile;
  setMode(mode_ == Mode::Grid ? Mode::Single : Mode::Grid);
}

QMenu* ImageGrid::pictureMenu(int tile) {
  if (!revealed_ || tile < 0 || tile >= count()) return nullptr;
  const QImage picture = shown(tile);
  const QString name = captions_[tile].truth.precision;
  const QString what = picture.constBits() == images_[tile].constBits() ? QStringLiteral("picture") : QStringLiteral("view");
  auto* menu = new QMenu(this);
  menu->addAction(QStringLiteral("Copy this %1").arg(what), this, [picture] { QApplication::clipboard()->setImage(picture); });
  menu->addAction(QStringLiteral("Save this %1…").arg(what), this, [this, picture, name] {
    const QString proposed = fileNameOf(name.isEmpty() ? QStringLiteral("picture") : name) + QStringLiteral(".png");
    askForPath(this, {QStringLiteral("Save the picture"), PathKind::NewFile, proposed, QStringLiteral("Pictures (*.png)")},
               [this, picture](const QString& path) {
                 QSaveFile file(path);
                 if (!file.open(QIODevice::WriteOnly) || !picture.save(&file, "PNG") || !file.commit())
                   showTrouble(this, QStringLiteral("Nothing was saved"), QStringLiteral("%1: %2").arg(path, file.errorString()));
               });
  });
  return menu;
}

void ImageGrid::contextMenuEvent(QContextMenuEvent* event) {
  const bool keyed = event->reason() == QContextMenuEvent::Keyboard;
  QMenu* menu = pictureMenu(keyed ? (mode_ == Mode::Grid ? std::max(0, marked_) : pair_[0]) : tileAt(event->pos()));
  if (!menu) return event->ignore();
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->popup(keyed ? mapToGlobal(rect().center()) : event->globalPos());
}

void ImageGrid::dragEnterEvent(QDragEnterEvent* event) {
  if (!revealed_ && event->mimeData()->hasFormat(kChipMimeType)) event->acceptProposedAction();
}

void ImageGrid::dragMoveEvent(QDragMoveEvent* event) {
  dropTarget_ = tileAt(event->position());
  event->setAccepted(dropTarget_ >= 0);
  update();
}

void ImageGrid::dragLeaveEvent(QDragLeaveEvent*) { dropTarget_ = -1, update(); }

void ImageGrid::dropEvent(QDropEvent* event) {
  const int tile = tileAt(event->position());
  dropTarget_ = -1;
  update();
  if (tile < 0) return;
  event->acceptProposedAction();
  Q_EMIT chipDropped(tile, QString::fromUtf8(event->mimeData()->data(kChipMimeType)));
}

}  // namespace quantspot::views
