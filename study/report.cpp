#include "study/bundle.h"

#include <cmath>

namespace quantspot::study {
namespace {

QString escaped(const QJsonValue& value) { return value.toString().toHtmlEscaped(); }

QString percent(const QJsonValue& share) { return QString::number(share.toDouble() * 100, 'f', 1); }

QString range(const QJsonValue& interval) { return percent(interval[0]) + QStringLiteral("–") + percent(interval[1]); }

QString fixed(const QJsonValue& value) { return value.isDouble() ? QString::number(value.toDouble(), 'f', 2) : QStringLiteral("∞"); }

QString detectionTable(const QJsonArray& detection) {
  QString html = QStringLiteral("<table><tr><th>variant<th>kind<th>right<th>%<th>CI<th>chance<th>p<th>p (Holm)"
                                "<th>d′<th>CI<th>mixed model %<th>CI<th>verdict</tr>\n");
  for (const QJsonValue& f : detection) {
    const QJsonObject sensitivity = f["dprime"].toObject(), mixed = f["mixed"].toObject();
    QJsonValue d;
    for (const QString& key : sensitivity.keys())
      if (sensitivity[key].isObject() && d.isNull()) d = sensitivity[key];
    const QString rate = mixed.contains(QStringLiteral("rate")) ? percent(mixed["rate"]) + QStringLiteral("<td>")
        + range(mixed["rate_interval"]) : QStringLiteral("–<td>") + escaped(mixed["reason"]);
    html += QStringLiteral("<tr><td>%1<td>%2<td>%3/%4<td>%5<td>%6<td>%7").arg(escaped(f["variant"]), escaped(f["kind"])).arg(f["correct"].toInt())
        .arg(f["trials"].toInt())
                .arg(percent(f["rate"]), range(f["rate_interval"]), percent(f["chance"]));
    html += QStringLiteral("<td>%1<td>%2<td>%3<td>%4–%5<td>%6<td>%7</tr>\n").arg(f["p"].toDouble(), 0, 'g', 3).arg(f["p_holm"].toDouble(), 0, 'g', 3)
                .arg(fixed(d["value"]), fixed(d["interval"][0]), fixed(d["interval"][1]), rate, escaped(f["verdict"]));
  }
  return html + QStringLiteral("</table>\n");
}

QString abilityTable(const QString& title, const QJsonArray& abilities, const QString& note) {
  if (abilities.isEmpty()) return {};
  QString html = QStringLiteral("<h3>%1</h3><table><tr><th>variant<th>ability<th>CI</tr>\n").arg(title);
  for (const QJsonValue& a : abilities)
    html += QStringLiteral("<tr><td>%1<td>%2<td>%3 to %4</tr>\n").arg(escaped(a["variant"]), fixed(a["value"]), fixed(a["interval"][0]),
        fixed(a["interval"][1]));
  return html + QStringLiteral("</table>\n") + note;
}

QString part(const QJsonObject& figures, const QString& title) {
  QString html = QStringLiteral("<h2>%1</h2><p>%2 people, %3 responses.</p>\n").arg(title).arg(figures["people"].toInt())
      .arg(figures["responses"].toInt());
  html += detectionTable(figures["detection"].toArray());
  const QString separated = QStringLiteral("<p>Separated: some variants never lost; the fit is the bias-reduced one.</p>\n");
  html += abilityTable(QStringLiteral("Preference (Bradley–Terry)"), figures["preference"]["abilities"].toArray(),
      figures["preference"]["separated"].toBool() ? separated : QString());
  html += abilityTable(QStringLiteral("Ranking (Plackett–Luce)"), figures["ranking"]["abilities"].toArray(),
      figures["ranking"]["separated"].toBool() ? separated : QString());
  for (const QJsonValue& s : figures["rating"]["scores"].toArray())
    html += QStringLiteral("<p>%1: mean opinion %2 (%3–%4), without bias %5</p>\n").arg(escaped(s["variant"]), fixed(s["mos"]),
        fixed(s["interval"][0]), fixed(s["interval"][1]), fixed(s["quality_without_bias"]));
  return html;
}

}  // namespace

QByteArray reportHtml(const QJsonObject& analysis) {
  QString html = QStringLiteral("<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>%1</title>"
                                "<style>body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
                                "td,th{border:1px solid #999;padding:.2em .6em;text-align:right}.d{font-size:1.2em}</style>\n")
                                    .arg(escaped(analysis["title"]));
  for (const QJsonValue& line : analysis["decisions"].toArray()) html += QStringLiteral("<p class=\"d\">%1</p>\n").arg(escaped(line));
  html += QStringLiteral("<h1>%1</h1><p>Study %2. Headline: %3.</p>\n").arg(escaped(analysis["title"]), escaped(analysis["study"]),
      escaped(analysis["headline"]).replace(QLatin1Char('_'), QLatin1Char(' ')));
  for (const QJsonValue& e : analysis["excluded"].toArray())
    html += QStringLiteral("<p>Excluded: participant %1 (%2)</p>\n").arg(escaped(e["participant"]), escaped(e["reasons"]));
  html += part(analysis["with_exclusions"].toObject(), QStringLiteral("With exclusions"));
  html += part(analysis["without_exclusions"].toObject(), QStringLiteral("Without exclusions"));
  return html.toUtf8();
}

}  // namespace quantspot::study
