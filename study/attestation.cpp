#include "study/attestation.h"

#include "study/rounding.h"

#include <QJsonArray>

#include <algorithm>
#include <cmath>
#include <optional>

namespace quantspot::study {
namespace {

using Known = bool (*)(const QJsonObject& attested, const QStringList& variants);

bool says(const QJsonValue& value) { return value.isObject() ? !value.toObject().isEmpty() : !value.toString().isEmpty(); }

bool ofEach(const QJsonObject& attested, const QStringList& variants, bool (*known)(const QJsonObject& variant)) {
  const QJsonObject all = attested["variants"].toObject();
  return std::all_of(variants.begin(), variants.end(), [&](const QString& variant) { return known(all[variant].toObject()); });
}

bool hasLayers(const QJsonObject& variant) {
  const QJsonObject parts = variant["weights"].toObject();
  return std::any_of(parts.begin(), parts.end(), [](const QJsonValue& part) { return says(part["layers"]); });
}

bool isRepeated(const QJsonObject& attested) { return attested["reference_repeats"].toInt() > 0; }

struct Fact {
  const char *key, *words;
  bool decisive;          // without it somebody must be believed that nothing but the variant differs
  Known known;
};

// The order is that of analysis.json; rederive_attestation.py has the same.
const Fact kFacts[] = {
    {"noise", "starting noise", true, [](const QJsonObject& a, const QStringList&) { return says(a["noise_sha256"]); }},
    {"recipe", "recipe", true, [](const QJsonObject& a, const QStringList&) { return says(a["recipe"]); }},
    {"weights", "weights of the model", true, [](const QJsonObject& a, const QStringList&) { return says(a["model"]["weights_sha256"]); }},
    {"program", "program", true, [](const QJsonObject& a, const QStringList&) { return says(a["engine"]["version"]); }},
    {"layers", "precision of every layer", true, [](const QJsonObject& a, const QStringList& v) { return ofEach(a, v, hasLayers); }},
    {"policy", "policy", true,
     [](const QJsonObject& a, const QStringList& v) { return ofEach(a, v, [](const QJsonObject& one) { return says(one["policy"]); }); }},
    {"repeat", "the reference drawn twice (noise floor)", false,
     [](const QJsonObject& a, const QStringList&) { return isRepeated(a); }},
    {"pixels", "pixels (their hashes lie with the mapping)", false, [](const QJsonObject& a, const QStringList&) { return says(a["pixels"]); }},
    {"gate", "passed or overruled sanity gate", false, [](const QJsonObject& a, const QStringList&) { return says(a["gate"]); }},
};

QString comparisonsOf(int count) { return counted(count, "comparison", "comparisons"); }

// Empty where no reference was drawn again. The figure is rounded down: the pictures lie at most so far apart.
QString noiseFloor(const std::vector<StudyComparison>& comparisons) {
  int drawn = 0, same = 0;
  std::optional<double> lowest;
  for (const StudyComparison& one : comparisons) {
    if (!isRepeated(one.attested)) continue;
    ++drawn;
    if (one.attested["reference_repeats_equal"].toBool()) ++same;
    else if (const QJsonValue db = one.attested["reference_repeats_psnr"]; db.isDouble()) lowest = std::min(lowest.value_or(db.toDouble()), db.toDouble());
  }
  if (drawn == 0) return {};
  const QString worst = lowest ? QStringLiteral(", at worst PSNR %1 dB").arg(std::floor(*lowest * 10) / 10, 0, 'f', 1) : QString();
  return QStringLiteral("Noise floor: drawn again, the reference had the same pixels in %1 of %2%3.").arg(same)
      .arg(comparisonsOf(drawn), worst);
}

}  // namespace

QJsonObject attestationFigures(const Protocol& protocol) {
  const int all = static_cast<int>(protocol.comparisons.size());
  QJsonArray facts;
  QStringList always, sometimes, never, lines;
  bool believed = false;
  for (const Fact& fact : kFacts) {
    const int count = static_cast<int>(std::count_if(protocol.comparisons.begin(), protocol.comparisons.end(),
        [&](const StudyComparison& c) { return fact.known(c.attested, protocol.variants); }));
    facts << QJsonObject{{"fact", QLatin1String(fact.key)}, {"comparisons", count}};
    const QString words = QLatin1String(fact.words);
    if (count == all) always << words;
    else if (count == 0) never << words;
    else sometimes << QStringLiteral("%1 (%2)").arg(words).arg(count);
    believed = believed || (fact.decisive && count < all);
  }
  const auto overruled = std::count_if(protocol.comparisons.begin(), protocol.comparisons.end(),
      [](const StudyComparison& c) { return c.attested["gate"]["overruled"].toBool(); });
  lines << (protocol.model.isEmpty() ? QStringLiteral("Model: not stated.") : QStringLiteral("Model: %1.").arg(protocol.model));
  const QString list = QStringLiteral(", ");
  const QString every = all == 1 ? QStringLiteral("the one comparison") : QStringLiteral("all %1 comparisons").arg(all);
  if (!always.isEmpty()) lines << QStringLiteral("Known of %1: %2.").arg(every, always.join(list));
  if (!sometimes.isEmpty()) lines << QStringLiteral("Known of some of the %1 comparisons: %2.").arg(all).arg(sometimes.join(list));
  if (!never.isEmpty()) lines << QStringLiteral("Not known: %1.").arg(never.join(list));
  if (believed) lines << QStringLiteral("That nothing but the variant differs between the pictures is not proved: it is the experimenter's word.");
  if (const QString floor = noiseFloor(protocol.comparisons); !floor.isEmpty()) lines << floor;
  if (overruled > 0) lines << QStringLiteral("The sanity gate was overruled for %1 of %2.").arg(overruled).arg(comparisonsOf(all));
  return {{"model", protocol.model}, {"comparisons", all}, {"facts", facts}, {"lines", QJsonArray::fromStringList(lines)}};
}

QMap<QString, QJsonObject> takePictureFacts(Protocol& protocol) {
  QMap<QString, QJsonObject> taken;
  for (StudyComparison& comparison : protocol.comparisons) {
    const QJsonValue pictures = comparison.attested.take(QStringLiteral("pictures"));
    if (says(pictures)) taken[comparison.id] = pictures.toObject();
  }
  return taken;
}

}  // namespace quantspot::study
