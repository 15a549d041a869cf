#include "ui/models/step_schedule.h"

#include <QCoreApplication>
#include <QRegularExpression>

namespace quantspot::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("StepSchedule", text); }

}  // namespace

std::optional<std::vector<StepSpan>> parseSteps(const QString& text) {
  if (!changesOverSteps(text)) return std::vector{StepSpan{0, text}};
  // A comma may belong to a policy; the one behind a range of steps ends its span.
  static const QRegularExpression span(QStringLiteral("([^@]+)@(\\d{1,6})-(\\d{1,6})?(,|$)"));
  std::vector<StepSpan> spans;
  qsizetype at = 0;
  for (int next = 0; at < text.size();) {
    const auto match = span.match(text, at, QRegularExpression::NormalMatch, QRegularExpression::AnchorAtOffsetMatchOption);
    const bool open = match.captured(3).isEmpty();
    if (!match.hasMatch() || match.captured(2).toInt() != next || open != (match.capturedEnd() == text.size())) return std::nullopt;
    if (!open && match.captured(3).toInt() < next) return std::nullopt;
    spans.push_back({next, match.captured(1)});
    next = match.captured(3).toInt() + 1;
    at = match.capturedEnd();
  }
  return spans;
}

QString stepsText(const std::vector<StepSpan>& spans) {
  if (spans.size() == 1) return spans.front().policy;
  QStringList parts;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const QString last = i + 1 < spans.size() ? QString::number(spans[i + 1].first - 1) : QString();
    parts << QStringLiteral("%1@%2-%3").arg(spans[i].policy).arg(spans[i].first).arg(last);
  }
  return parts.join(u',');
}

bool changesOverSteps(const QString& text) { return text.contains(u'@'); }

QString spanName(const std::vector<StepSpan>& spans, std::size_t at) {
  if (spans.size() == 1) return tr("all steps");
  if (at + 1 == spans.size()) return tr("from step %1").arg(spans[at].first);
  const int last = spans[at + 1].first - 1;
  return last == spans[at].first ? tr("step %1").arg(last) : tr("steps %1–%2").arg(spans[at].first).arg(last);
}

}  // namespace quantspot::ui
