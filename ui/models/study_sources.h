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

// PNG files by variant, with the prompt, and what is known of how they were made.
struct SourcePictures {
  QString prompt, model;               // model: empty where it is not known
  QMap<QString, QByteArray> pictures;
  QMap<QString, study::VariantCost> costs;   // of those that the history has figures of
  QMap<QString, double> bits = {};     // per weight of the denoiser, of those whose layers the history knows
  QJsonObject attested = {};           // attestation() and pictureFacts(); `imported` where no report of an engine says anything
  QMap<QString, double> lpips = {};    // of those that it was measured of, against the reference
  QString suspicion = {};              // which picture looks broken, and why; a person may overrule it
};

// What a comparison's reports say: `noise_sha256`, `recipe`, `model`, `engine`, which all samples share, and `variants`: of each `policy`, `weights`
// (part → `bytes` and `layers`: precision → how many), and by phase `seconds`, `peak_bytes` and `device_peak_bytes`; of a reference that was drawn
// again, whether its pictures are the same (`reference_repeats`, `reference_repeats_equal`: the noise floor), and else how far apart
// (`reference_repeats_psnr`, dB, the lowest).
QJsonObject attestation(const study::Comparison& comparison);

// Reads the source; `why` says why its pictures must not be compared: anything but the variant differs, one has no picture, is a
// single colour, or has the pixels of another. Then there is nothing. reference: the variant that the others are measured against.
std::optional<SourcePictures> readSource(study::StudyStore& store, const StudySource& source, QString& why,
                                         const QString& reference = QString::fromLatin1(study::kReference));
// The same without a look at the pixels: what is there, quickly.
std::optional<SourcePictures> readFiles(study::StudyStore& store, const StudySource& source, QString& why);

// Sources of a folder's subfolders, by name; of the folder itself when it holds pictures.
QMap<QString, StudySource> sourcesIn(const QString& folder);

// The reference, obviously broken: what gold trials show.
QByteArray corrupted(const QByteArray& png);

}  // namespace quantspot::ui
