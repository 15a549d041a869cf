// Which automatic metric predicts people?
#pragma once

#include "study/analysis.h"
#include "study/csv.h"

namespace quantspot::study {

// metrics: columns comparison, variant, any number of metrics, and, if there, category. Every metric is ranked against two things over
// the pictures (comparison and variant): "detection", the share right corrected for guessing, over all kinds with a right
// answer; "preference", the share of pairs with the reference that the variant won, a tie counting half. A list of metric,
// against, category ("all" and each of the table's), pairs, spearman and kendall with intervals; null with a reason where
// undefined. Throws Error for a table without the columns or with a figure that is no number ("NA" and empty: left out).
QJsonArray metricCorrelations(const Protocol& protocol, const Rows& rows, const CsvTable& metrics);

}  // namespace quantspot::study
