// The figures of an analysis as rows of forest charts. All take a part of analysis.json (with or without excluded participants).
#pragma once

#include "ui/views/forest_chart.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QMap>

namespace quantspot::views {

// Detection corrected for guessing in %, pooled and below it (hollow) for the average participant and prompt.
std::vector<ForestRow> detectionRows(const QJsonObject& part);
// Every d′ of every kind and variant.
std::vector<ForestRow> dprimeRows(const QJsonObject& part);
// "abilities" of preference or ranking, the reference at 0.
std::vector<ForestRow> abilityRows(const QJsonArray& abilities);
// Mean opinion scores, and below each (hollow) the quality without bias.
std::vector<ForestRow> ratingRows(const QJsonObject& part);
// Share right in % of one figure of "detection": by "participant" or "comparison". names: what is shown for an id, where known.
std::vector<ForestRow> shareRows(const QJsonObject& figure, const QString& by, const QMap<QString, QString>& names = {});
// Medians in seconds with quartiles (thick) and 5 to 95 %.
std::vector<ForestRow> timeRows(const QJsonObject& part);
// The ranking of variants by detection pooled over kinds, in %.
std::vector<ForestRow> visibilityRows(const QJsonObject& part);
// Rank correlations of metrics with people, of one category; "spearman" or "kendall".
std::vector<ForestRow> metricRows(const QJsonArray& metrics, const QString& against, const QString& category, const QString& measure);

}  // namespace quantspot::views
