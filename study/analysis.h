// From responses to the decision. Every figure can be derived again from responses.csv (resources/study/rederive.py and .R).
#pragma once

#include "study/responses.h"

#include <QJsonArray>

namespace quantspot::study {

// The whole analysis as JSON (docs/study-analysis.md): decisions (one sentence per variant), figures with and without excluded
// participants, exclusions. Figures that are undefined are null.
QJsonObject analyze(const Protocol& protocol, const QString& hash, const Responses& responses);

// The parts, over the rows given (main and repeat trials are told apart inside). Used by analyze and by charts.
using Rows = std::vector<const ResponseRow*>;
// Per kind with a truth and tested variant: counts, exact interval, p (Holm over variants), detection corrected for guessing, d′,
// the mixed model beside the pooled figure, verdict, per participant and per prompt.
QJsonArray detectionFigures(const Protocol& protocol, const Rows& rows);
// Bradley–Terry with ties and order effect, the reference at 0; null without preference trials.
QJsonValue preferenceFigures(const Protocol& protocol, const Rows& rows);
// Opinion scores per variant with subject bias and BT.500 rejection; null without ratings.
QJsonValue ratingFigures(const Protocol& protocol, const Rows& rows);
// Plackett–Luce; null without rankings.
QJsonValue rankingFigures(const Protocol& protocol, const Rows& rows);
// Variants by how visible they are, most visible first: the ranking of a study over a family of policies (one group of layers
// at a lower precision in each). Pooled over kinds: the share right corrected for guessing, each kind weighted by its trials, and a
// normal interval of it.
QJsonArray visibility(const Protocol& protocol, const QJsonArray& detection);
// How long answers took: per kind over all of its main trials, and, where there is a right answer, per variant for right and wrong ones.
QJsonArray responseTimes(const Rows& rows);
// What was answered where what was true: per kind and number of slots, over all variants ("all") and each.
QJsonArray confusion(const Protocol& protocol, const Rows& rows);
// A row per participant: answers, gold trials, median time, focus losses, reasons of exclusion.
QJsonArray participants(const Rows& rows);
// Gold, null and repeat trials, position bias, response times.
QJsonObject qualityFigures(const Rows& rows);
// Detection against bits per weight; null where fewer than two variants have bits.
QJsonValue psychometricFigures(const Protocol& protocol, const QJsonArray& detection);

// The fitted share right at so many bits per weight, of one entry of psychometricFigures; nothing where there is no curve.
std::optional<double> psychometricAt(const QJsonObject& curve, double bits);

// "`bnb-nf4` is not noticeable at margin 10 % (…)", and whether it is worse, from the figures.
QString decision(const Protocol& protocol, const QJsonObject& figures, const QString& variant);

}  // namespace quantspot::study
