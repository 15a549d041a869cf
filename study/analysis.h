// From responses to the decision. Every figure can be derived again from responses.csv (resources/study/rederive.py and .R).
#pragma once

#include "study/responses.h"

#include <QJsonArray>

namespace quantspot::study {

// Raised whenever a figure, a sentence, the report or its scripts change, so that a bundle says by which rules its figures were made
// (docs/study-bundle.md lists what each version changed). A bundle that names none is of version 1.
inline constexpr int kAnalysisVersion = 8;

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

// Where the threshold and the just noticeable difference stand in the chart of a curve. The threshold lies where half of the way from guessing to
// always right is gone; the difference runs from there to the bits where three quarters are. An open end is infinite here.
struct CurveMark {
  double share = 0;              // right answers, 0 to 1: the height
  double from = 0, to = 0;       // bits; equal for the threshold, NaN where the curve is a step
  double low = 0, high = 0;      // the interval of `to`, low < high
};
struct CurveMarks {
  CurveMark threshold;
  std::optional<CurveMark> jnd;  // a step has no place for it
};
std::optional<CurveMarks> psychometricMarks(const QJsonObject& curve);

// The figures of a curve as they are read: "-1.34" or "a step" or "flat"; "0.58 to 1.16", "at least 0.58", "at most 1.16",
// "-0.94 or steeper", "open".
struct CurveWords {
  QString slope, slope_range, threshold, threshold_range, jnd, jnd_range;
};
CurveWords psychometricWords(const QJsonObject& curve);
// The name of a range in a chart; where it has an open end, with what that means: "just noticeable: at least 0.58".
QString withOpenEnd(const QString& name, const QString& range);

// The fitted share right at so many bits per weight, of one entry of psychometricFigures; nothing where there is no curve.
std::optional<double> psychometricAt(const QJsonObject& curve, double bits);

// "`bnb-nf4` is not noticeable at margin 10 % (…)", and whether it is worse, from the figures.
QString decision(const Protocol& protocol, const QJsonObject& figures, const QString& variant);

}  // namespace quantspot::study
