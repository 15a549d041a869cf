#include "ui/models/policy_summary.h"

#include "ui/models/precision_list_model.h"

#include <QCoreApplication>
#include <QHash>

#include <algorithm>

namespace quantspot::ui {
namespace {

constexpr int kMostNamed = 4;

QString tr(const char* text, int n = -1) { return QCoreApplication::translate("Policy", text, nullptr, n); }

bool isQuantized(const QString& precision) { return !precision.isEmpty() && !isPlain(baseId(precision)); }

// "a", "a and b", "a, b and 3 more"
QString listed(QStringList names) {
  if (names.size() > kMostNamed) {
    const auto more = names.size() - kMostNamed + 1;
    names = names.mid(0, kMostNamed - 1) << tr("%1 more").arg(more);
  }
  const QString last = names.takeLast();
  return names.isEmpty() ? last : names.join(QStringLiteral(", ")) + tr(" and ") + last;
}

// Of text encoders patterns are long: the kinds of layers, where they are few.
QStringList encoderKinds(const RuleFinder& finder, const QStringList& now, const QString& precision) {
  QStringList kinds;
  for (qsizetype i = 0; i < now.size(); ++i)
    if (const QString kind = finder.layers()[i].section(u'.', -1); now[i] == precision && !kinds.contains(kind)) kinds << kind;
  return kinds.size() < kMostNamed ? kinds : QStringList();
}

// What the layers with this precision have in common, as a reader would name them: patterns without their anchors. `told`: precisions whose
// layers were named before; what is said of these may speak of them, too.
QStringList named(const RuleFinder& finder, const QStringList& now, const QString& main, const QString& precision, const QStringList& told) {
  QStringList from, to, names;
  for (const QString& one : now) {
    to << (one.isEmpty() ? one : one == precision || told.contains(one) ? precision : main);
    from << (one == precision ? main : to.constLast());
  }
  for (PolicyRule& rule : finder.rules(from, to)) {
    if (rule.precision != precision) return {};   // all but some of a kind: a count says it more clearly
    const QString bare = rule.pattern.remove(u'^').remove(u'$').remove(QLatin1String("conv:"));
    if (bare.isEmpty()) return {};                // all convolutions: counted
    if (!names.contains(bare)) names << bare;
  }
  return names;
}

QString otherText(const PolicyLayersModel& model, const QStringList& names, const QString& precision, int count) {
  QString who = names.isEmpty() ? count == 1 ? tr("1 layer") : tr("%n layers", count) : listed(names);
  if (!names.isEmpty() && count > names.size()) who += tr(" (%n layers)", count);
  const bool one = count == 1;
  const QString stays = one ? tr("%1 stays %2") : tr("%1 stay %2"), is = one ? tr("%1 is %2") : tr("%1 are %2");
  return (isPlain(precision) ? stays : is).arg(who, model.label(precision));
}

// precisions: of all quantizable layers, empty where the layer is of another part.
QString partText(const QString& title, const QStringList& precisions, const PolicyLayersModel& model, const RuleFinder& finder) {
  QHash<QString, int> counts;
  QStringList kinds;
  for (const QString& precision : precisions)
    if (!precision.isEmpty() && ++counts[precision] == 1) kinds << precision;
  if (kinds.isEmpty()) return {};
  std::stable_sort(kinds.begin(), kinds.end(), [&](const QString& a, const QString& b) {
    return std::make_pair(isQuantized(a), counts[a]) > std::make_pair(isQuantized(b), counts[b]);
  });
  const auto total = precisions.size() - precisions.count(QString());
  const QString main = kinds.takeFirst();
  QStringList said{counts[main] == total ? tr("%1%2 for all %3 layers").arg(title, model.label(main)).arg(total)
                                         : tr("%1%2 for %3 of %4 layers").arg(title, model.label(main)).arg(counts[main]).arg(total)};
  const bool encoders = !title.isEmpty();   // or the decoder
  QStringList told;
  for (const QString& precision : kinds) {
    const QStringList names = encoders ? encoderKinds(finder, precisions, precision) : named(finder, precisions, main, precision, told);
    said << otherText(model, names, precision, counts[precision]);
    told << precision;
  }
  return said.join(QStringLiteral("; "));
}

}  // namespace

PolicySummary summarize(const std::vector<PolicyLayer>& layers) {
  PolicySummary summary;
  qint64 all = 0, quantized = 0;
  for (const PolicyLayer& layer : layers) {
    summary.before += layer.before;
    summary.after = layer.after < 0 || summary.after < 0 ? -1 : summary.after + layer.after;
    all += layer.parameters();
    if (isQuantized(layer.held)) quantized += layer.parameters();
  }
  summary.quantized = all > 0 ? static_cast<double>(quantized) / static_cast<double>(all) : 0;
  return summary;
}

QString policySizeText(qint64 bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return QStringLiteral("%1\u2009GB").arg(value / 1e9, 0, 'f', 2);
  return bytes >= 10'000'000 ? QStringLiteral("%1\u2009MB").arg(value / 1e6, 0, 'f', 1) : fileSizeText(bytes);
}

QString quantizedText(const PolicySummary& summary) {
  const QString share = tr("%1\u2009% of parameters quantized").arg(100 * summary.quantized, 0, 'f', 1);
  if (summary.after < 0 || summary.before <= 0) return share;
  const double bytes = static_cast<double>(summary.after) / static_cast<double>(summary.before);
  return share + u'\n' + tr("%1\u2009% of the bytes").arg(100 * bytes, 0, 'f', 0);
}

QString policySentence(const PolicyLayersModel& model, const RuleFinder& finder) {
  QStringList transformer, encoders, decoder;
  for (const PolicyLayer& layer : model.layers()) {
    if (!layer.quantizable) continue;
    const QString precision = layer.held.isEmpty() ? layer.asked : layer.held;
    const bool encoder = layer.part == QLatin1String("text_encoder");
    const bool vae = layer.part == QLatin1String("vae");
    transformer << (encoder || vae ? QString() : precision), encoders << (encoder ? precision : QString()), decoder << (vae ? precision : QString());
  }
  QStringList said{partText({}, transformer, model, finder)};
  if (std::any_of(encoders.begin(), encoders.end(), isQuantized)) said << partText(tr("text encoders: "), encoders, model, finder);
  if (std::any_of(decoder.begin(), decoder.end(), isQuantized)) said << partText(tr("decoder: "), decoder, model, finder);
  const PolicySummary summary = summarize(model.layers());
  if (summary.after >= 0) said << tr("%1 instead of %2").arg(policySizeText(summary.after), policySizeText(summary.before));
  return said.join(QStringLiteral("; "));
}

}  // namespace quantspot::ui
