#include "ui/views/tile_layout.h"

#include <QMarginsF>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {
constexpr double kCaption = 34, kGap = 14;

QSizeF tileSize(int columns, int rows, QRectF area) {
  return {std::floor((area.width() - kGap * (columns + 1)) / columns), std::floor((area.height() - kGap * (rows + 1)) / rows)};
}

double fit(QSizeF tile, QSizeF image) {
  return std::min(tile.width() / image.width(), (tile.height() - kCaption) / image.height());
}

int bestColumns(int count, QSizeF image, QRectF area) {
  int best = 1;
  double bestFit = -1, bestImbalance = 0;
  for (int columns = 1; columns <= count; ++columns) {
    const int rows = (count + columns - 1) / columns;
    const double f = fit(tileSize(columns, rows, area), image), imbalance = std::abs(columns - rows);
    if (f > bestFit * 1.02 || (f > bestFit * 0.98 && imbalance < bestImbalance)) best = columns, bestFit = f, bestImbalance = imbalance;
  }
  return best;
}

}  // namespace

std::vector<TileRects> layOutTiles(int count, QSizeF image, QRectF area) {
  std::vector<TileRects> tiles;
  if (count < 1 || image.isEmpty()) return tiles;
  const int columns = bestColumns(count, image, area), rows = (count + columns - 1) / columns;
  // Tiles hug their images, so that neighbours are near enough to compare at a glance; the whole group is centred.
  const QSizeF tile = (image * std::max(0.01, fit(tileSize(columns, rows, area), image))).grownBy({0, 0, 0, kCaption});
  const double top = area.center().y() - (rows * tile.height() + (rows - 1) * kGap) / 2;
  for (int i = 0; i < count; ++i) {
    const int row = i / columns, column = i % columns;
    const int inRow = row == rows - 1 ? count - row * columns : columns;
    const double left = area.center().x() - (inRow * tile.width() + (inRow - 1) * kGap) / 2;
    const QPointF corner(std::round(left + column * (tile.width() + kGap)), std::round(top + row * (tile.height() + kGap)));
    tiles.push_back({QRectF(corner, QSizeF(tile.width(), kCaption)), QRectF(corner + QPointF(0, kCaption), tile.shrunkBy({0, 0, 0, kCaption}))});
  }
  return tiles;
}

}  // namespace quantspot::views
