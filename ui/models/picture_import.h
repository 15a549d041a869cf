// Pictures that were made elsewhere, into the store: as comparisons that nobody has judged yet.
#pragma once

#include "study/study_store.h"

#include <QCoreApplication>

namespace quantspot::ui {

inline constexpr char kImported[] = "imported";   // the model of such a comparison: stored, never rename

class PictureImport {
  Q_DECLARE_TR_FUNCTIONS(PictureImport)
 public:
  explicit PictureImport(study::StudyStore* store) : store_(store) {}   // not owned

  // A folder of folders named by precision, or a list (.csv, .json): see evaluation/picture_list.h. Pixels are kept as PNG of our own, nothing
  // else of the files. All or nothing: the ids of the new comparisons, or none with error().
  std::vector<qint64> read(const QString& path);
  QString error() const { return error_; }

 private:
  study::StudyStore* store_;
  QString error_;
};

}  // namespace quantspot::ui
