#include "study/protocol.h"

#include "study/error.h"

#include <QDate>
#include <QSet>

#include <algorithm>

namespace quantspot::study {
namespace {

const std::pair<TrialKind, const char*> kKinds[] = {{TrialKind::Spot, "spot"}, {TrialKind::Abx, "abx"}, {TrialKind::Preference, "preference"},
                                                   {TrialKind::Triangle, "triangle"}, {TrialKind::SameDifferent, "same-different"},
                                                   {TrialKind::Rating, "rating"}, {TrialKind::Ranking, "ranking"}};

void require(bool holds, const QString& otherwise) {
  if (!holds) throw Error(QStringLiteral("protocol: ") + otherwise);
}

void validateBlock(const Protocol& protocol, const Block& block, const QString& where) {
  require(block.trials > 0, where + QStringLiteral("trials must be 1 or more"));
  require(block.slots >= 2 && block.slots <= 9, where + QStringLiteral("slots must be 2 to 9"));
  require(block.flicker_hz >= 0 && block.flicker_hz <= 10, where + QStringLiteral("flicker_hz must be 0 to 10"));
  require(block.gold >= 0 && block.null >= 0 && block.repeats >= 0 && block.repeats <= block.trials,
          where + QStringLiteral("gold, null and repeats must be 0 or more, repeats at most trials"));
  require(block.gold == 0 || !protocol.gold_variant.isEmpty(), where + QStringLiteral("gold trials need gold_variant"));
  require(!block.ties || block.kind == TrialKind::Preference, where + QStringLiteral("ties belong to preference"));
  require(block.null == 0 || hasTruth(block.kind) || block.kind == TrialKind::Preference, where + QStringLiteral("null trials make no sense for ")
      + kindName(block.kind));
  require(block.gold == 0 || block.kind != TrialKind::Ranking, where + QStringLiteral("gold trials make no sense for ranking"));
  bool shown = block.comparisons.isEmpty();
  for (const QString& id : block.comparisons) {
    const StudyComparison* comparison = protocol.comparison(id);
    require(comparison, where + QStringLiteral("there is no comparison '%1'").arg(id));
    shown = shown || !comparison->practice;
  }
  require(shown, where + QStringLiteral("all its comparisons are for practice"));
}

void validateRules(const Protocol& p) {
  const Stopping& s = p.stopping;
  require(s.rule != StoppingRule::Sprt || (0 < s.null_rate && s.null_rate < s.alternative_rate && s.alternative_rate < 1),
      QStringLiteral("stopping: 0 < null_rate < alternative_rate < 1"));
  require(s.alpha > 0 && s.beta > 0 && s.alpha + s.beta < 1, QStringLiteral("stopping: alpha and beta must be positive and stay below 1 together"));
  require(s.tuned_for >= 1, QStringLiteral("stopping: tuned_for must be 1 or more"));
  require(p.analysis.margin > 0 && p.analysis.margin < 1, QStringLiteral("analysis: margin must lie between 0 and 1, such as 0.1"));
  require(p.analysis.level >= 0.5 && p.analysis.level < 1, QStringLiteral("analysis: level must be 0.5 or more and below 1, such as 0.95"));
  require(p.exclusion.min_gold_rate >= 0 && p.exclusion.min_gold_rate <= 1, QStringLiteral("exclusion: min_gold_rate must be 0 to 1"));
  require(p.colour_plates >= 0 && p.colour_plates <= 6, QStringLiteral("colour_vision: plates_per_axis must be 0 to 6"));
  require(p.exclusion.min_plates_read >= 0 && p.exclusion.min_plates_read <= 3 * p.colour_plates,
      QStringLiteral("exclusion: min_plates_read must be 0 to %1, the plates of the colour-vision check").arg(3 * p.colour_plates));
  require(p.time_limit_s >= 0 && p.min_viewing_s >= 0 && (p.time_limit_s == 0 || p.min_viewing_s < p.time_limit_s),
          QStringLiteral("min_viewing_s must be 0 or more and below time_limit_s"));
  require(p.retention_until.isEmpty() || QDate::fromString(p.retention_until, Qt::ISODate).isValid(),
      QStringLiteral("retention_until must be a date such as 2027-12-31"));
}

void validateQuestions(const std::vector<Question>& questions) {
  static const QStringList types{QStringLiteral("likert"), QStringLiteral("choice"), QStringLiteral("text")};
  for (const Question& question : questions) {
    require(!question.id.isEmpty() && types.contains(question.type), QStringLiteral("question '%1': type must be likert, choice or text")
        .arg(question.id));
    require(question.type != QLatin1String("choice") || question.choices.size() >= 2, QStringLiteral("question '%1' needs two choices")
        .arg(question.id));
  }
}

}  // namespace

QString kindName(TrialKind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return QLatin1String(name);
  return {};
}

std::optional<TrialKind> kindFromName(const QString& name) {
  for (const auto& [value, text] : kKinds)
    if (name == QLatin1String(text)) return value;
  return {};
}

bool hasTruth(TrialKind kind) { return kind == TrialKind::Spot || kind == TrialKind::Abx || kind == TrialKind::Triangle
    || kind == TrialKind::SameDifferent; }

double kindChance(TrialKind kind, int slots) {
  switch (kind) {
    case TrialKind::Spot: return 1.0 / slots;
    case TrialKind::Triangle: return 1.0 / 3;
    case TrialKind::Abx:
    case TrialKind::SameDifferent: return 0.5;
    default: return 0;
  }
}

const StudyComparison* Protocol::comparison(const QString& id) const {
  const auto found = std::find_if(comparisons.begin(), comparisons.end(), [&](const StudyComparison& c) { return c.id == id; });
  return found == comparisons.end() ? nullptr : &*found;
}

QStringList Protocol::tested() const {
  QStringList others = variants;
  others.removeAll(reference);
  return others;
}

void validate(const Protocol& p) {
  require(p.variants.contains(p.reference), QStringLiteral("the reference '%1' is not among the variants").arg(p.reference));
  require(p.variants.size() >= 2 && QSet<QString>(p.variants.begin(), p.variants.end()).size() == p.variants.size(),
      QStringLiteral("variants must be two or more, each once"));
  require(!p.variants.contains(p.gold_variant), QStringLiteral("gold_variant must not be one of the variants"));
  QSet<QString> ids;
  qsizetype usable = 0;
  for (const StudyComparison& c : p.comparisons) {
    require(!c.id.isEmpty() && !c.id.contains(QLatin1Char('/')) && !ids.contains(c.id),
        QStringLiteral("comparison '%1': ids must be unique, without '/'").arg(c.id));
    ids << c.id;
    usable += !c.practice;
  }
  require(usable > 0, QStringLiteral("there is no comparison (practice does not count)"));
  require(!p.blocks.empty(), QStringLiteral("there is no block of trials"));
  for (std::size_t i = 0; i < p.blocks.size(); ++i) validateBlock(p, p.blocks[i], QStringLiteral("blocks[%1]: ").arg(i));
  require(p.participants >= 0 && p.practice >= 0 && p.break_every >= 0, QStringLiteral("participants, practice and break_every must be 0 or more"));
  validateRules(p);
  validateQuestions(p.before);
  validateQuestions(p.after);
}

}  // namespace quantspot::study
