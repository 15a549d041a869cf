// Where the tiles of a grid lie.
#pragma once

#include <QRectF>

#include <vector>

namespace quantspot::views {

struct TileRects { QRectF caption, image; };

// Rows and columns that give images of this size the largest scale; of equals, the most square. All tiles get one size.
std::vector<TileRects> layOutTiles(int count, QSizeF image, QRectF area);

}  // namespace quantspot::views
