// Models that the user opened by their place, beside those that the engine finds by itself. Kept for the next start.
#pragma once

#include "engine/protocol/messages.h"

#include <QString>

#include <vector>

namespace quantspot::ui {

class OpenedModels {
 public:
  explicit OpenedModels(QString file = {});          // models.json beside the history; empty: nothing is kept
  void add(const protocol::ModelEntry& model);       // again: its place in the list stays
  // The list with those that it lacks behind it; what is no longer there is left out.
  std::vector<protocol::ModelEntry> with(std::vector<protocol::ModelEntry> list) const;

 private:
  QString file_;
  std::vector<protocol::ModelEntry> models_;
};

}  // namespace quantspot::ui
