// What else the data folder holds of a study's pictures, beside the study itself: closed before somebody who may read the folder sees them.
#pragma once

#include "study/sealed_history.h"

namespace quantspot::ui {

// By what the study's pictures can be found again: their bare files, and their pixels (as attested under the seal, else decoded here).
QSet<QString> traces(const study::FrozenStudy& study, const study::Mapping& mapping);

// Seals the history's copies (study/sealed_history.h) and takes hashes of single pictures out of the drafts beside it. history: its file; may be
// missing. Returns how many samples of the history were sealed. Throws study::Error; any thread.
int closeHistory(const QString& history, const study::FrozenStudy& study, const study::Mapping& mapping);

// Throws study::Error that names the folder when PNG files below the history's folder are pictures of the study: they lie there under names.
void refuseOpenPictures(const QString& history, const study::FrozenStudy& study, const study::Mapping& mapping);

}  // namespace quantspot::ui
