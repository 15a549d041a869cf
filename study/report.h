// A study's report, for readers: HTML that needs no other file, and PDF. Both follow from analysis.json alone, byte for byte; the PDF as long as the
// fonts are the same.
#pragma once

#include "study/drawing.h"

#include <QJsonObject>
#include <QStringList>

namespace quantspot::study {

struct ReportBlock {
  enum Kind { Decision, Title, Heading, Paragraph, Note, Table, Chart } kind = Paragraph;
  QString text;
  QList<QStringList> rows;        // of a table, the header first
  Drawing drawing;                // of a chart; of a heading above one only its size, so that they stay together
};

// The decisions first, then the evidence of the planned part with charts and how each figure is obtained, then the other part's tables.
std::vector<ReportBlock> reportBlocks(const QJsonObject& analysis);

QByteArray reportHtml(const QJsonObject& analysis);
// A4, in this computer's fonts, which are embedded. The same libraries and fonts give the same bytes.
QByteArray reportPdf(const QJsonObject& analysis);
// The libraries and fonts that a PDF of ours says it was set with; empty for another.
QString fontsOf(const QByteArray& pdf);

// The charts of a part of the analysis: title, drawing and the key of its method (study/methods.h).
struct ReportChart {
  QString title, method;
  Drawing drawing;
};
std::vector<ReportChart> reportCharts(const QJsonObject& part, double margin, const QString& reference);

}  // namespace quantspot::study
