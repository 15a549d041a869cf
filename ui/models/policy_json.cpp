#include "ui/models/policy_library.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

namespace quantspot::ui {
namespace {

constexpr int kSchema = 1, kLongestName = 80;
const QString kLast = QStringLiteral("{last}");

QString tr(const char* text) { return QCoreApplication::translate("Policy", text); }

// Thrown and caught in this file: what is wrong, in one line.
struct Wrong {
  QString line;
};

QString textOf(const QJsonObject& object, const char* key, bool required) {
  const QJsonValue value = object[QLatin1String(key)];
  if (value.isUndefined() && !required) return {};
  if (!value.isString() || (required && value.toString().trimmed().isEmpty()))
    throw Wrong{tr("“%1” is missing or no text").arg(QLatin1String(key))};
  return value.toString().trimmed();
}

QJsonArray listOf(const QJsonObject& object, const char* key) {
  const QJsonValue value = object[QLatin1String(key)];
  if (!value.isUndefined() && !value.isArray()) throw Wrong{tr("“%1” is no list").arg(QLatin1String(key))};
  return value.toArray();
}

QString checkedPattern(const QString& pattern) {
  static const QRegularExpression separators(QStringLiteral("[&=,?\\s]"));
  if (pattern.isEmpty()) throw Wrong{tr("a pattern is empty")};
  if (pattern.contains(separators)) throw Wrong{tr("the pattern “%1” holds a space or one of & = , ?").arg(pattern)};
  return pattern;
}

QString checkedPrecision(const QString& precision, const QStringList& known) {
  if (known.isEmpty() || known.contains(baseId(precision))) return precision;
  throw Wrong{tr("this engine has no precision “%1”").arg(precision)};
}

QJsonObject checkedObject(const QByteArray& json) {
  QJsonParseError error;
  const QJsonDocument document = QJsonDocument::fromJson(json, &error);
  if (error.error != QJsonParseError::NoError) throw Wrong{tr("not JSON: %1 at byte %2").arg(error.errorString()).arg(error.offset)};
  const QJsonObject object = document.object();
  const QJsonValue schema = object[QLatin1String("schema")];
  if (!document.isObject() || !schema.isDouble()) throw Wrong{tr("not a policy: “schema” is missing")};
  if (schema.toInt() != kSchema) throw Wrong{tr("schema %1 is not known to this version, which reads %2").arg(schema.toDouble()).arg(kSchema)};
  return object;
}

NamedPolicy read(const QJsonObject& object, const QStringList& precisions) {
  NamedPolicy policy{textOf(object, "name", true), textOf(object, "family", false), textOf(object, "about", false), {}, false, {}};
  if (policy.name.size() > kLongestName) throw Wrong{tr("the name has %1 letters, %2 at most").arg(policy.name.size()).arg(kLongestName)};
  policy.policy.base = checkedPrecision(textOf(object, "base", true), precisions);
  for (const QJsonValue& pattern : listOf(object, "skip")) {
    if (!pattern.isString()) throw Wrong{tr("“skip” holds something that is no text")};
    policy.policy.skip << checkedPattern(pattern.toString());
  }
  for (const QJsonValue& layer : listOf(object, "layers")) {
    if (!layer.isObject()) throw Wrong{tr("“layers” holds something that is no pattern with its precision")};
    const QString pattern = textOf(layer.toObject(), "pattern", true), precision = textOf(layer.toObject(), "precision", true);
    policy.policy.rules.push_back({checkedPattern(pattern), checkedPrecision(precision, precisions)});
  }
  return policy;
}

// "blocks.{last}" → "blocks.18" when the highest block is 18; as it is when there is none.
QString withLast(const QString& pattern, const QStringList& layers) {
  const qsizetype at = pattern.indexOf(kLast);
  if (at < 0) return pattern;
  const bool anchored = pattern.startsWith(u'^');
  const QString before = QRegularExpression::escape(pattern.left(at).mid(anchored));
  const QRegularExpression number((anchored ? QStringLiteral("^") : QString()) + before + QStringLiteral("(\\d+)"));
  int last = -1;
  for (const QString& layer : layers)
    if (const auto match = number.match(layer); match.hasMatch()) last = std::max(last, match.captured(1).toInt());
  return last < 0 ? pattern : QString(pattern).replace(kLast, QString::number(last));
}

}  // namespace

QByteArray toJson(const NamedPolicy& policy) {
  QJsonArray layers;
  for (const PolicyRule& rule : policy.policy.rules) layers << QJsonObject{{"pattern", rule.pattern}, {"precision", rule.precision}};
  QJsonObject object{{"schema", kSchema}, {"name", policy.name}, {"family", policy.family}, {"base", policy.policy.base},
                     {"skip", QJsonArray::fromStringList(policy.policy.skip)}, {"layers", layers}};
  if (!policy.about.isEmpty()) object[QLatin1String("about")] = policy.about;
  return QJsonDocument(object).toJson();
}

std::optional<NamedPolicy> policyFromJson(const QByteArray& json, const QStringList& precisions, QString* problem) {
  try {
    return read(checkedObject(json), precisions);
  } catch (const Wrong& wrong) {
    if (problem) *problem = wrong.line;
    return std::nullopt;
  }
}

bool needsLayers(const NamedPolicy& policy) { return policy.policy.text().contains(kLast); }

QString policyFor(const NamedPolicy& policy, const QStringList& layers) {
  PolicyText text = policy.policy;
  for (QString& pattern : text.skip) pattern = withLast(pattern, layers);
  for (PolicyRule& rule : text.rules) rule.pattern = withLast(rule.pattern, layers);
  return text.text();
}

}  // namespace quantspot::ui
