// What is shown of every tile once the names may be seen, in the order of the tiles.
#pragma once

#include "ui/views/figures.h"
#include "ui/views/tile_caption.h"

#include <QImage>

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

struct ResultEntry {
  QImage image;
  Figures figures;
  TileTruth truth;
  QString said;                  // the user's word for this tile; empty when there was none
};

// Of the trial that was just answered; else of the comparison on screen, in the order of its last trial. Empty while blind.
std::vector<ResultEntry> resultEntries(ui::CompareSession& session);
// Index of the first bf16 tile, or -1.
int referenceTile(const std::vector<ResultEntry>& entries);

}  // namespace quantspot::views
