#include "study/ablation.h"

#include "study/error.h"

#include <QJsonArray>
#include <QRegularExpression>
#include <QSet>

#include <algorithm>

namespace quantspot::study {
namespace {

struct Parts {
  LayerGroup group;
  QString low;
};

// "bf16?a=nf4&b=nf4" → a and b at nf4; nothing for a variant of another form.
std::optional<Parts> parse(const QString& reference, const QString& variant) {
  if (!variant.startsWith(reference + QLatin1Char('?'))) return {};
  Parts parts;
  for (const QString& rule : variant.mid(reference.size() + 1).split(QLatin1Char('&'))) {
    const QString pattern = rule.section(QLatin1Char('='), 0, 0), precision = rule.section(QLatin1Char('='), 1);
    if (pattern.isEmpty() || precision.isEmpty() || pattern == QLatin1String("skip") || (!parts.low.isEmpty() && precision != parts.low)) return {};
    parts.group.patterns << pattern;
    parts.low = precision;
  }
  return parts;
}

QString lowOf(const Protocol& protocol) {
  QString low;
  for (const QString& variant : protocol.tested()) {
    const auto parts = parse(protocol.reference, variant);
    if (!parts || (!low.isEmpty() && parts->low != low)) return {};
    low = parts->low;
  }
  return low;
}

// Shown by every kind of trial that was asked about it.
bool isWithinMargin(const QJsonArray& detection, const QString& variant) {
  bool any = false;
  for (const QJsonValue& figure : detection) {
    if (figure["variant"].toString() != variant) continue;
    if (figure["verdict"].toString() != QLatin1String("not-noticeable")) return false;
    any = true;
  }
  return any;
}

QString listed(const QStringList& groups) { return groups.isEmpty() ? QStringLiteral("none") : groups.join(QStringLiteral(", ")); }

}  // namespace

std::vector<LayerGroup> layerGroups(const QString& text) {
  static const QRegularExpression forbidden(QStringLiteral("[&=?\\s]"));
  std::vector<LayerGroup> groups;
  QSet<QString> seen;
  for (const QString& group : text.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
    groups.push_back({group.split(QLatin1Char('+'), Qt::SkipEmptyParts)});
    for (const QString& pattern : groups.back().patterns) {
      if (pattern.contains(forbidden)) throw Error(QStringLiteral("groups: '%1' holds a space or one of & = ?, which a policy's pattern cannot").arg(pattern));
      if (seen.contains(pattern)) throw Error(QStringLiteral("groups: '%1' stands in two groups").arg(pattern));
      seen << pattern;
    }
    if (groups.back().patterns.isEmpty()) throw Error(QStringLiteral("groups: '%1' names no pattern").arg(group));
  }
  if (groups.empty()) throw Error(QStringLiteral("groups: name at least one, such as attn,ff"));
  return groups;
}

QString ablationVariant(const QString& reference, const LayerGroup& group, const QString& low) {
  QStringList rules;
  for (const QString& pattern : group.patterns) rules << pattern + QLatin1Char('=') + low;
  return reference + QLatin1Char('?') + rules.join(QLatin1Char('&'));
}

Protocol ablationProtocol(Protocol protocol, const std::vector<LayerGroup>& groups, const QString& low) {
  if (low.isEmpty() || low == protocol.reference) throw Error(QStringLiteral("low: name a precision other than the reference %1").arg(protocol.reference));
  protocol.variants = QStringList{protocol.reference};
  protocol.bits.clear();   // whole models' bits say nothing about a group
  for (const LayerGroup& group : groups) protocol.variants << ablationVariant(protocol.reference, group, low);
  validate(protocol);
  return protocol;
}

bool isAblation(const Protocol& protocol) { return !lowOf(protocol).isEmpty(); }

VisibilityPolicy policyFromVisibility(const Protocol& protocol, const QJsonObject& analysis) {
  const QString low = lowOf(protocol);
  if (low.isEmpty())
    throw Error(QStringLiteral("no policy follows from this study: its variants are not groups of layers at one lower precision, such as %1?attn=bnb-nf4")
        .arg(protocol.reference));
  const QJsonObject part = analysis[analysis["headline"].toString()].toObject();
  std::vector<std::pair<LayerGroup, bool>> order;   // most visible first; whether it is within the margin
  for (const QJsonValue& entry : part["visibility"].toArray()) {
    const QString variant = entry["variant"].toString();
    order.emplace_back(parse(protocol.reference, variant)->group, isWithinMargin(part["detection"].toArray(), variant));
  }
  const auto seen = std::find_if(order.rbegin(), order.rend(), [](const auto& group) { return !group.second; });   // the least visible that stays
  VisibilityPolicy result;
  QJsonArray layers;
  for (auto group = order.begin(); group != order.end(); ++group) {
    if (group < seen.base()) {
      result.kept << group->first.name();
      continue;
    }
    result.lowered << group->first.name();
    for (const QString& pattern : group->first.patterns) layers << QJsonObject{{"pattern", pattern}, {"precision", low}};
  }
  const QString about = QStringLiteral("From study %1: in %2, most visible first: %3; in %4, not noticeable at margin %5 % one group at a time: %6")
      .arg(analysis["study"].toString().left(12), protocol.reference, listed(result.kept), low).arg(protocol.analysis.margin * 100).arg(listed(result.lowered));
  result.policy = {{"schema", 1}, {"name", QStringLiteral("What people did not see, %1").arg(low)}, {"family", ""}, {"about", about},
      {"base", protocol.reference}, {"skip", QJsonArray()}, {"layers", layers}};
  return result;
}

}  // namespace quantspot::study
