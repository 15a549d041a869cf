#include "study/new_protocol.h"

#include "study/error.h"

#include <QSet>

#include <algorithm>

namespace quantspot::study {
namespace {

constexpr qint64 kMostTrials = 10000, kMostPeople = 100000;
constexpr int kMostPictures = 9;   // tiles of a screen, A to I

void require(bool holds, const QString& otherwise) {
  if (!holds) throw Error(QStringLiteral("protocol: ") + otherwise);
}

// They stand in tables, sentences and columns of CSV files.
void names(const Protocol& p) {
  for (const QString& variant : p.variants)
    require(!variant.trimmed().isEmpty() && std::all_of(variant.begin(), variant.end(), [](QChar c) { return c.category() != QChar::Other_Control; }),
        QStringLiteral("variants: each needs a name in one line, and one is '%1'").arg(variant.simplified()));
}

void counts(const Protocol& p) {
  qint64 trials = p.practice;
  for (const Block& block : p.blocks) trials += qint64(block.trials) + block.gold + block.null + block.repeats;
  require(trials <= kMostTrials, QStringLiteral("blocks[]: %1 trials of one participant are more than %2").arg(trials).arg(kMostTrials));
  require(p.participants <= kMostPeople, QStringLiteral("participants must be %1 or fewer").arg(kMostPeople));
  for (std::size_t i = 0; i < p.blocks.size(); ++i)
    require(p.blocks[i].kind != TrialKind::Ranking || p.variants.size() <= kMostPictures,
        QStringLiteral("blocks[%1]: a ranking shows all %2 variants, and there is room for %3").arg(i).arg(p.variants.size()).arg(kMostPictures));
}

void questions(const std::vector<Question>& asked) {
  QSet<QString> ids;
  for (const Question& question : asked) {
    require(!ids.contains(question.id), QStringLiteral("question '%1' is there twice; each needs an id of its own").arg(question.id));
    ids << question.id;
    require(!question.text.trimmed().isEmpty(), QStringLiteral("question '%1' has no words").arg(question.id));
    const QSet<QString> different(question.choices.begin(), question.choices.end());
    require(different.size() == question.choices.size() && !different.contains(QString()),
        QStringLiteral("question '%1': its answers must be unlike each other, and none empty").arg(question.id));
  }
}

// A name that is misspelt here would silently be a variant without figures.
template <class Figures>
void named(const Protocol& p, const Figures& figures, const char* what) {
  for (const QString& variant : figures.keys())
    require(p.variants.contains(variant), QStringLiteral("%1: there is no variant '%2'").arg(QLatin1String(what), variant));
}

}  // namespace

void validateNew(const Protocol& p) {
  names(p);
  validate(p);
  counts(p);
  questions(p.before);
  questions(p.after);
  named(p, p.bits, "bits");
  named(p, p.costs, "costs");
  require(p.exclusion.min_median_ms >= 0 && p.exclusion.max_focus_losses >= -1,
      QStringLiteral("exclusion: min_median_ms must be 0 or more, max_focus_losses -1 (no limit) or more"));
  for (const double bits : p.bits) require(bits > 0, QStringLiteral("bits: must be above 0"));
  for (const VariantCost& cost : p.costs)
    require(cost.memory_bytes >= 0 && cost.seconds >= 0, QStringLiteral("costs: memory_bytes and seconds must be 0 or more"));
}

}  // namespace quantspot::study
