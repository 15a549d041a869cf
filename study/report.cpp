#include "study/report.h"

#include "paper/flow.h"
#include "study/analysis.h"
#include "study/colour_vision.h"
#include "study/methods.h"
#include "study/questionnaire.h"
#include "study/rounding.h"

#include <QJsonArray>

namespace quantspot::study {
namespace {

using Blocks = std::vector<ReportBlock>;

QString percent(const QJsonValue& share) { return rounded(share.toDouble() * 100, 1); }
QString range(const QJsonValue& interval) { return percent(interval[0]) + QStringLiteral("–") + percent(interval[1]); }
QString fixed(const QJsonValue& value) { return value.isDouble() ? rounded(value.toDouble(), 2) : QStringLiteral("∞"); }
QString fixedRange(const QJsonValue& interval) { return fixed(interval[0]) + QStringLiteral(" to ") + fixed(interval[1]); }

void text(Blocks& blocks, ReportBlock::Kind kind, const QString& words) {
  blocks.push_back({.kind = kind, .text = words, .rows = {}, .drawing = {}});
}

void table(Blocks& blocks, const QList<QStringList>& rows) {
  if (rows.size() > 1) blocks.push_back({.kind = ReportBlock::Table, .text = {}, .rows = rows, .drawing = {}});
}

// The first d′ of a kind that has two models.
QJsonValue firstModel(const QJsonObject& sensitivity) {
  for (const QString& key : sensitivity.keys())
    if (sensitivity[key].isObject()) return sensitivity[key];
  return {};
}

QList<QStringList> detectionTable(const QJsonArray& detection) {
  QList<QStringList> rows{{"variant", "kind", "right", "%", "CI", "chance", "p", "p (Holm)", "d′", "CI", "mixed %", "CI", "verdict"}};
  for (const QJsonValue& f : detection) {
    const QJsonObject mixed = f["mixed"].toObject();
    const QJsonValue d = firstModel(f["dprime"].toObject());
    const bool fitted = mixed.contains(QStringLiteral("rate"));
    rows << QStringList{f["variant"].toString(), f["kind"].toString(), QStringLiteral("%1/%2").arg(f["correct"].toInt()).arg(f["trials"].toInt()),
        percent(f["rate"]), range(f["rate_interval"]), percent(f["chance"]), QString::number(f["p"].toDouble(), 'g', 3),
        QString::number(f["p_holm"].toDouble(), 'g', 3), fixed(d["value"]), fixedRange(d["interval"]),
        fitted ? percent(mixed["rate"]) : QStringLiteral("–"),
        fitted ? range(mixed["rate_interval"]) : mixed["reason"].toString().section(u':', 0, 0),
        f["verdict"].toString()};
  }
  return rows;
}

QList<QStringList> abilityTable(const QJsonArray& abilities) {
  QList<QStringList> rows{{"variant", "ability", "CI"}};
  for (const QJsonValue& a : abilities) rows << QStringList{a["variant"].toString(), fixed(a["value"]), fixedRange(a["interval"])};
  return rows;
}

void fit(Blocks& blocks, const QString& title, const QJsonObject& figures) {
  if (figures.isEmpty()) return;
  text(blocks, ReportBlock::Heading, title);
  table(blocks, abilityTable(figures["abilities"].toArray()));
  if (figures["separated"].toBool())
    text(blocks, ReportBlock::Paragraph, QStringLiteral("Separated: some variants never lost or never won; the fit is the bias-reduced one."));
  if (figures.contains(QStringLiteral("reason"))) text(blocks, ReportBlock::Paragraph, QStringLiteral("No fit: ") + figures["reason"].toString());
}

void tables(Blocks& blocks, const QJsonObject& part) {
  table(blocks, detectionTable(part["detection"].toArray()));
  fit(blocks, QStringLiteral("Preference (Bradley–Terry)"), part["preference"].toObject());
  fit(blocks, QStringLiteral("Ranking (Plackett–Luce)"), part["ranking"].toObject());
  QList<QStringList> opinions{{"variant", "mean opinion", "CI", "without bias"}};
  const QJsonObject rating = part["rating"].toObject();
  for (const QJsonValue& s : rating["scores"].toArray())
    opinions << QStringList{s["variant"].toString(), fixed(s["mos"]), fixedRange(s["interval"]),
        s["quality_without_bias"].isDouble() ? fixed(s["quality_without_bias"]) : QStringLiteral("–")};
  if (opinions.size() > 1) text(blocks, ReportBlock::Heading, QStringLiteral("Opinions"));
  table(blocks, opinions);
  const QJsonValue alpha = rating["krippendorff_ordinal"], range = rating["krippendorff_interval"];
  if (alpha.isDouble())
    text(blocks, ReportBlock::Paragraph, QStringLiteral("Agreement of the participants (Krippendorff's α, ordinal): %1, %2.")
        .arg(fixed(alpha), range.isArray() ? QStringLiteral("CI ") + fixedRange(range)
                                                 : QStringLiteral("no interval: ") + rating["krippendorff_reason"].toString()));
}

// Slope, threshold and just noticeable difference of each curve.
void curves(Blocks& blocks, const QJsonArray& list) {
  QList<QStringList> rows{{"kind", "half-way, bits", "CI", "just noticeable, bits", "CI", "slope per bit", "CI"}};
  for (const QJsonValue& curve : list) {
    const CurveWords words = psychometricWords(curve.toObject());
    rows << QStringList{curve["kind"].toString(), words.threshold, words.threshold_range, words.jnd, words.jnd_range, words.slope, words.slope_range};
  }
  if (rows.size() == 1) return;
  text(blocks, ReportBlock::Heading, QStringLiteral("Bits per weight"));
  table(blocks, rows);
}

void charts(Blocks& blocks, const QJsonObject& part) {
  const QJsonArray detection = part["detection"].toArray(), abilities = part["preference"]["abilities"].toArray();
  const double margin = detection.isEmpty() ? 0 : detection[0]["margin"].toDouble();
  for (ReportChart& chart : reportCharts(part, margin, abilities.isEmpty() ? QStringLiteral("the reference") : abilities[0]["variant"].toString())) {
    blocks.push_back({.kind = ReportBlock::Heading, .text = chart.title, .rows = {},
                      .drawing = {.width = 0, .height = chart.drawing.height, .marks = {}}});
    blocks.push_back({.kind = ReportBlock::Chart, .text = {}, .rows = {}, .drawing = std::move(chart.drawing)});
    text(blocks, ReportBlock::Note, methodOf(chart.method).line());
  }
}

void counts(Blocks& blocks, const QJsonObject& part, const QString& title) {
  text(blocks, ReportBlock::Heading, title);
  text(blocks, ReportBlock::Paragraph, QStringLiteral("%1, %2.")
      .arg(counted(part["people"].toInt(), "person", "people"), counted(part["responses"].toInt(), "answer", "answers")));
}

void questionnaires(Blocks& blocks, const QJsonArray& figures) {
  QList<QStringList> rows{{"asked", "question", "answers"}};
  for (const QJsonValue& figure : figures) rows << QStringList{figure["when"].toString(), figure["text"].toString(), questionnaireLine(figure)};
  if (rows.size() == 1) return;
  text(blocks, ReportBlock::Heading, methodOf(QStringLiteral("questionnaires")).title);
  table(blocks, rows);
  for (const QJsonValue& figure : figures)
    for (const QJsonValue& said : figure["texts"].toArray())
      text(blocks, ReportBlock::Paragraph, QStringLiteral("%1: “%2” (%3)").arg(figure["text"].toString(), said["answer"].toString(),
          said["participant"].toString()));
}

void colourVision(Blocks& blocks, const QJsonObject& figures) {
  if (figures.isEmpty()) return;
  const Method& method = methodOf(QStringLiteral("colour_vision"));
  text(blocks, ReportBlock::Heading, method.title);
  for (const QString& line : plateLines(figures)) text(blocks, ReportBlock::Paragraph, line + QLatin1Char('.'));
  text(blocks, ReportBlock::Note, method.line());
}

QByteArray htmlTable(const QList<QStringList>& rows) {
  QString html = QStringLiteral("<table>\n");
  for (qsizetype i = 0; i < rows.size(); ++i) {
    html += QStringLiteral("<tr>");
    for (const QString& cell : rows[i]) html += (i == 0 ? QStringLiteral("<th>%1</th>") : QStringLiteral("<td>%1</td>")).arg(cell.toHtmlEscaped());
    html += QStringLiteral("</tr>\n");
  }
  return (html + QStringLiteral("</table>\n")).toUtf8();
}

QByteArray html(const ReportBlock& block) {
  const QByteArray words = block.text.toHtmlEscaped().toUtf8();
  switch (block.kind) {
    case ReportBlock::Decision: return "<p class=\"d\">" + words + "</p>\n";
    case ReportBlock::Title: return "<h1>" + words + "</h1>\n";
    case ReportBlock::Heading: return "<h2>" + words + "</h2>\n";
    case ReportBlock::Note: return "<p class=\"n\">" + words + "</p>\n";
    case ReportBlock::Table: return htmlTable(block.rows);
    case ReportBlock::Chart: return toSvg(block.drawing);
    case ReportBlock::Paragraph: break;
  }
  return "<p>" + words + "</p>\n";
}

paper::Color color(Ink ink) {
  const Rgb c = rgb(ink);
  return {c.r, c.g, c.b};
}

void draw(paper::Document& document, const Mark& mark, paper::Point origin) {
  const paper::Point at{origin.x + mark.x, origin.y + mark.y};
  switch (mark.shape) {
    case Mark::Stroke: {
      const paper::Point ends[] = {at, {origin.x + mark.x2, origin.y + mark.y2}};
      return document.stroke(ends, {.color = color(mark.ink), .width = mark.width, .dashed = mark.dashed});
    }
    case Mark::Dot:
    case Mark::Ring: return document.circle(at, mark.x2, color(mark.ink), mark.shape == Mark::Ring);
    case Mark::Word: break;
  }
  const paper::Anchor anchors[] = {paper::Anchor::Start, paper::Anchor::Middle, paper::Anchor::End};
  document.text(at, mark.text.toStdString(), {.size = mark.x2, .bold = false, .color = color(mark.ink)}, anchors[static_cast<int>(mark.anchor * 2)]);
}

void print(paper::Flow& flow, const ReportBlock& block) {
  const std::string words = block.text.toStdString();
  switch (block.kind) {
    case ReportBlock::Decision: return flow.paragraph(words, {.size = 12, .bold = false, .color = {}}, 6);
    case ReportBlock::Title: return flow.heading(words, 17, 40, false);
    case ReportBlock::Heading: return flow.heading(words, 11.5, block.drawing.height + 30);   // with its chart
    case ReportBlock::Note: return flow.paragraph(words, {.size = 8, .bold = false, .color = color(Ink::Quiet)}, 6);
    case ReportBlock::Paragraph: return flow.paragraph(words);
    case ReportBlock::Table: {
      std::vector<std::vector<std::string>> rows;
      for (const QStringList& row : block.rows) {
        rows.emplace_back();
        for (const QString& cell : row) rows.back().push_back(cell.toStdString());
      }
      return flow.table(rows);
    }
    case ReportBlock::Chart: break;
  }
  const paper::Box box = flow.take(block.drawing.height + 4);
  for (const Mark& mark : block.drawing.marks) draw(flow.document(), mark, {box.x, box.y});
}

}  // namespace

std::vector<ReportBlock> reportBlocks(const QJsonObject& analysis) {
  Blocks blocks;
  for (const QJsonValue& line : analysis["decisions"].toArray()) text(blocks, ReportBlock::Decision, line.toString());
  const bool excluding = analysis["headline"].toString() == QLatin1String("with_exclusions");
  const QJsonObject planned = analysis[analysis["headline"].toString()].toObject();
  const QJsonObject other = analysis[excluding ? QStringLiteral("without_exclusions") : QStringLiteral("with_exclusions")].toObject();
  text(blocks, ReportBlock::Title, analysis["title"].toString());
  text(blocks, ReportBlock::Paragraph, QStringLiteral("Study %1. \"Different\" (is it seen) and \"worse\" (is it preferred) are two questions.")
      .arg(analysis["study"].toString()));
  for (const QJsonValue& line : analysis["attestation"]["lines"].toArray()) text(blocks, ReportBlock::Paragraph, line.toString());
  for (const QJsonValue& e : analysis["excluded"].toArray())
    text(blocks, ReportBlock::Paragraph, QStringLiteral("Flagged by the rules fixed beforehand: participant %1 (%2).")
        .arg(e["participant"].toString(), e["reasons"].toString()));
  counts(blocks, planned, excluding ? QStringLiteral("As planned: without flagged participants") : QStringLiteral("As planned: with everybody"));
  tables(blocks, planned);
  curves(blocks, planned["psychometric"].toArray());
  charts(blocks, planned);
  counts(blocks, other, excluding ? QStringLiteral("For comparison: with everybody")
                                  : QStringLiteral("For comparison: without flagged participants"));
  tables(blocks, other);
  curves(blocks, other["psychometric"].toArray());
  questionnaires(blocks, analysis["questionnaires"].toArray());
  colourVision(blocks, analysis["colour_vision"].toObject());
  return blocks;
}

QByteArray reportHtml(const QJsonObject& analysis) {
  QByteArray page = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + analysis["title"].toString().toHtmlEscaped().toUtf8()
      + "</title>\n<style>body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:.6em 0}"
        "td,th{border:1px solid #999;padding:.2em .6em;text-align:right}.d{font-size:1.2em}.n{color:#646c75;font-size:.85em}svg{max-width:100%}"
        "</style></head><body>\n";
  for (const ReportBlock& block : reportBlocks(analysis)) page += html(block);
  return page + "</body></html>\n";
}

QByteArray reportPdf(const QJsonObject& analysis) {
  paper::Flow flow(analysis["title"].toString().toStdString());
  for (const ReportBlock& block : reportBlocks(analysis)) print(flow, block);
  return QByteArray::fromStdString(flow.bytes());
}

QString fontsOf(const QByteArray& pdf) {
  const qsizetype at = pdf.lastIndexOf("/Keywords (");
  return at < 0 ? QString() : QString::fromLatin1(pdf.mid(at + 11, pdf.indexOf('\n', at) - at - 12));
}

}  // namespace quantspot::study
