#include "ui/models/policy_text.h"

#include "ui/models/step_schedule.h"

#include <QCoreApplication>

#include <algorithm>

namespace quantspot::ui {
namespace {

const QString kSkip = QStringLiteral("skip"), kTextEncoder = QStringLiteral("text_encoder"), kAutoencoder = QStringLiteral("vae"),
    kConvolutions = QStringLiteral("conv:");

bool forConvolutions(const QString& pattern) { return pattern.startsWith(kConvolutions); }
QString bare(const QString& pattern) { return forConvolutions(pattern) ? pattern.mid(kConvolutions.size()) : pattern; }

// The part of the model that a pattern or a name speaks of; empty: transformer or UNet.
QString partOf(const QString& pattern) {
  const QString start = pattern.mid(pattern.startsWith(u'^'));
  return start.startsWith(kTextEncoder) ? kTextEncoder : start.startsWith(kAutoencoder) ? kAutoencoder : QString();
}

bool speaksOfEncoder(const QString& pattern) { return partOf(bare(pattern)) == kTextEncoder; }

std::nullopt_t refuse(QString* problem, const QString& line) {
  if (problem) *problem = line;
  return std::nullopt;
}

bool findsPiece(QStringView pattern, QStringView layer) {
  const bool at_start = pattern.startsWith(u'^');
  if (at_start) pattern = pattern.mid(1);
  const bool at_end = pattern.endsWith(u'$');
  if (at_end) pattern.chop(1);
  const bool number = !pattern.empty() && pattern.back().isDigit();
  for (qsizetype at = layer.indexOf(pattern); at >= 0; at = layer.indexOf(pattern, at + 1)) {
    const qsizetype end = at + pattern.size();
    const bool cuts_number = number && end < layer.size() && layer[end].isDigit();
    if ((!at_start || at == 0) && (!at_end || end == layer.size()) && !cuts_number) return true;
  }
  return false;
}

}  // namespace

QString PolicyText::text() const {
  QStringList parts;
  if (!skip.isEmpty()) parts << kSkip + u'=' + skip.join(u',');
  for (const PolicyRule& rule : rules) parts << rule.pattern + u'=' + rule.precision;
  if (parts.isEmpty()) return base;
  return base + (base.contains(u'?') ? u'&' : u'?') + parts.join(u'&');
}

PolicyText PolicyText::frame() const {
  PolicyText frame{base, {}, {}};
  for (const PolicyRule& rule : rules)
    if (namesWholeEncoder(rule.pattern) || isSoftmax(rule.pattern)) frame.rules.push_back(rule);
  return frame;
}

QString baseId(const QString& precision) {
  const auto spans = parseSteps(precision);
  return (spans ? spans->back().policy : precision).section(u'?', 0, 0);
}

bool isPlain(const QString& precision) {
  return precision == QLatin1String("fp32") || precision == QLatin1String("bf16") || precision == QLatin1String("fp16");
}

std::optional<PolicyText> parsePolicyText(const QString& text, const QStringList& precisions, QString* problem) {
  const QString line = text.trimmed();
  PolicyText policy{baseId(line), {}, {}};
  if (!precisions.contains(policy.base))
    return refuse(problem, QCoreApplication::translate("Policy", "“%1” is no precision of this engine").arg(policy.base));
  if (!line.contains(u'?')) return policy;
  QStringList options;
  for (const QString& part : line.section(u'?', 1).split(u'&')) {
    const QString key = part.section(u'=', 0, 0), value = part.section(u'=', 1);
    if (key.isEmpty() || value.isEmpty())
      return refuse(problem, QCoreApplication::translate("Policy", "“%1” is neither skip=pattern,… nor pattern=precision").arg(part));
    if (key == kSkip) policy.skip << value.split(u',');
    else if (precisions.contains(baseId(value))) policy.rules.push_back({key, value});
    else options << part;
  }
  if (policy.skip.contains(QString())) return refuse(problem, QCoreApplication::translate("Policy", "a pattern of skip= is empty"));
  if (!options.isEmpty()) policy.base += u'?' + options.join(u'&');
  return policy;
}

QString layerKey(const QString& name, bool convolution) { return convolution ? kConvolutions + name : name; }

bool matchesLayer(const QString& pattern, const QString& layer) {
  const QString piece = bare(pattern), name = bare(layer);
  return (!forConvolutions(pattern) || forConvolutions(layer)) && partOf(piece) == partOf(name) && findsPiece(piece, name);
}

bool ruleReaches(const QString& pattern, const QString& precision, const QString& key, const QStringList& reaching) {
  return !forConvolutions(key) || forConvolutions(pattern) || partOf(bare(key)) == kAutoencoder || reaching.contains(baseId(precision));
}

bool isSoftmax(const QString& pattern) { return pattern == QLatin1String("softmax"); }

bool namesWholeEncoder(const QString& pattern) {
  const qsizetype dot = pattern.indexOf(u'.');
  return speaksOfEncoder(pattern) && (dot < 0 || dot == pattern.size() - 1);
}

QStringList resolve(const PolicyText& text, const QStringList& layers, const FrameAnswer& frame) {
  QStringList precisions;
  for (qsizetype i = 0; i < layers.size(); ++i) {
    const auto matches = [&](const QString& pattern) { return matchesLayer(pattern, layers[i]); };
    const auto named = std::find_if(text.rules.rbegin(), text.rules.rend(), [&](const PolicyRule& rule) {
      return matches(rule.pattern) && ruleReaches(rule.pattern, rule.precision, layers[i], frame.reaching);
    });
    if (named != text.rules.rend() && !namesWholeEncoder(named->pattern)) {
      precisions << named->precision;
      continue;
    }
    const bool skipped = std::any_of(text.skip.begin(), text.skip.end(), matches);
    precisions << (skipped ? frame.plain : frame.precisions[i]);
  }
  return precisions;
}

}  // namespace quantspot::ui
