// The history holds pictures under their variants' names. While a study shows some of them, its file must not tell which is which to somebody who
// holds it and looks up what is on the screen: they are taken out of the file, under the study's own seal, until its reveal.
#pragma once

#include "study/freeze.h"

#include <QSet>

namespace quantspot::study {

// By what the study's pictures can be known again: SHA-256 of their bare files, and of their pixels where the mapping has it (callers that can decode
// pictures add those that it lacks).
QSet<QString> shownBy(const FrozenStudy& study, const Mapping& mapping);

// Seals every comparison of the history that holds one of the pictures `shown`: whole, because the pictures beside it, their figures and hashes
// would tell it, too. Pictures, reports and scores leave the file, its free pages, its journal and its backups (FILE.schemaN.bak, which keep a note
// in their place); the names of precisions stay, without anything to match them with. Returns how many samples were sealed, 0 also for no file.
// The key is drawn from the mapping's salt, so whoever opens the study opens them. One transaction; throws Error, also when traces may remain.
int sealHistory(const QString& file, const QString& study, const Mapping& mapping, const QSet<QString>& shown);

// Puts them back after the reveal, and forgets the seal: how many. Samples that were removed meanwhile stay away. Throws Error; nothing is then
// changed.
int unsealHistory(const QString& file, const QString& study, const Mapping& mapping);

}  // namespace quantspot::study
