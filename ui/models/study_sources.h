// Where a study's pictures come from: comparisons of the history, or folders.
#pragma once

#include "study/protocol.h"
#include "study/study_store.h"

#include <QImage>
#include <QMap>

#include <optional>

namespace quantspot::ui {

// One comparison as a draft names it: an id of the history, or a folder with VARIANT.png files.
struct StudySource {
  qint64 comparison = 0;               // 0: from the folder
  QString folder;
};

// PNG files by variant, with the prompt, and what the reports say of how they were made (attestation; nothing for folders).
struct SourcePictures {
  QString prompt;
  QMap<QString, QByteArray> pictures;
  QMap<QString, study::VariantCost> costs;   // of those that the history has figures of
  QJsonObject attested = {};
};

// What a comparison's reports say: `noise_sha256`, `recipe`, `model` and `engine`, which all samples share, and `variants`: of each `policy`, `weights`
// (part → `bytes` and `layers`: precision → how many) and `png_sha256` as the engine gave it; of a reference that was drawn again, whether its
// pictures are the same (`reference_repeats`, `reference_repeats_equal`: the noise floor).
QJsonObject attestation(const study::Comparison& comparison);

// Reads the source; `why` says why its pictures must not be compared: anything but the variant differs, one has no picture, is a
// single colour, or lies far from the reference beside the others. Then there is nothing.
std::optional<SourcePictures> readSource(study::StudyStore& store, const StudySource& source, QString& why);

// Sources of a folder's subfolders, by name; of the folder itself when it holds pictures.
QMap<QString, StudySource> sourcesIn(const QString& folder);

// The reference, obviously broken: what gold trials show.
QByteArray corrupted(const QByteArray& png);

}  // namespace quantspot::ui
