#include "study/trial_plan.h"

#include "study/order.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include <algorithm>
#include <numeric>

namespace quantspot::study {
namespace {

QString letter(int slot) { return QString(QLatin1Char(static_cast<char>('A' + slot))); }

int slotsOf(const Protocol& protocol, const Block& block) {
  switch (block.kind) {
    case TrialKind::Spot: return block.slots;
    case TrialKind::Abx:
    case TrialKind::Triangle: return 3;
    case TrialKind::Preference:
    case TrialKind::SameDifferent: return 2;
    case TrialKind::Rating: return 1;
    case TrialKind::Ranking: break;
  }
  return static_cast<int>(protocol.variants.size());
}

// What the trials of a block are about, each as often as the others.
std::vector<QStringList> conditions(const Protocol& p, TrialKind kind) {
  std::vector<QStringList> found;
  if (kind == TrialKind::Ranking) return {p.variants};
  if (kind == TrialKind::Preference) {
    for (qsizetype a = 0; a < p.variants.size(); ++a)
      for (qsizetype b = a + 1; b < p.variants.size(); ++b) found.push_back({p.variants[a], p.variants[b]});
    return found;
  }
  for (const QString& variant : kind == TrialKind::Rating ? p.variants : p.tested()) found.push_back({variant});
  return found;
}

// The ways to lay out a trial, all of which come equally often.
int layouts(TrialKind kind, int slots) {
  switch (kind) {
    case TrialKind::Spot: return slots;
    case TrialKind::Abx:
    case TrialKind::SameDifferent: return 4;
    case TrialKind::Triangle: return 6;
    case TrialKind::Preference: return 2;
    default: return 1;
  }
}

// reference and tested: the two sides (Preference: the pair).
void lay(PlannedTrial& trial, int layout, int slots, const QString& reference, const QString& tested) {
  switch (trial.kind) {
    case TrialKind::Spot:
      trial.shown = QStringList(slots, reference);
      trial.shown[layout] = tested;
      trial.truth = letter(layout);
      break;
    case TrialKind::Abx: {
      const bool swapped = layout & 1, x_is_b = layout & 2;
      trial.shown = swapped ? QStringList{tested, reference} : QStringList{reference, tested};
      trial.shown << trial.shown[x_is_b];
      trial.truth = letter(x_is_b);
      break;
    }
    case TrialKind::Triangle: {
      const bool odd_is_tested = layout < 3;
      trial.shown = QStringList(3, odd_is_tested ? reference : tested);
      trial.shown[layout % 3] = odd_is_tested ? tested : reference;
      trial.truth = letter(layout % 3);
      break;
    }
    case TrialKind::SameDifferent:
      trial.shown = {layout & 1 ? tested : reference, layout & 2 ? tested : reference};
      trial.truth = trial.shown[0] == trial.shown[1] ? QStringLiteral("same") : QStringLiteral("different");
      break;
    case TrialKind::Preference: trial.shown = layout ? QStringList{tested, reference} : QStringList{reference, tested}; break;
    default: trial.shown = {tested};
  }
}

// One participant's plan in the making.
class Planner {
 public:
  Planner(const Protocol& protocol, const QString& hash, const Mapping& mapping, const QString& participant, int cell)
      : protocol_(protocol), mapping_(mapping), cell_(cell),
        draws_(mapping.salt, "order\n" + hash.toUtf8() + '\n' + participant.toUtf8() + '\n' + QByteArray::number(cell)) {}

  std::vector<PlannedTrial> plan() {
    practice();
    for (std::size_t b = 0; b < protocol_.blocks.size(); ++b) block(static_cast<int>(b));
    for (std::size_t i = 0; i < trials_.size(); ++i) trials_[i].index = static_cast<int>(i);
    for (PlannedTrial& trial : trials_)
      if (trial.role == TrialRole::Repeat) {
        const auto first = std::find_if(trials_.begin(), trials_.end(), [&](const PlannedTrial& t) { return t.block == trial.block
            && t.role == TrialRole::Main && serial(t) == trial.repeat_of; });
        trial.repeat_of = first->index;
      }
    return std::move(trials_);
  }

 private:
  static int serial(const PlannedTrial& trial) { return trial.repeat_of; }   // of a Main trial, until the indices are known

  QStringList usable(const Block& block, bool practice) const {
    QStringList ids;
    for (const StudyComparison& c : protocol_.comparisons)
      if (c.practice == practice && (practice || block.comparisons.isEmpty() || block.comparisons.contains(c.id))) ids << c.id;
    return ids;
  }

  // The offset is secret, drawn anew for each condition, comparison and visit; one cell further is one layout further. So layouts are balanced across
  // participants for every picture and visit, and what is to come cannot be told from what was.
  int layoutOf(const Block& block, int number, const QString& comparison, const QStringList& variants, int visit) const {
    const QByteArray label = "layout\n" + QByteArray::number(number) + '\n' + comparison.toUtf8() + '\n' + variants.join(QLatin1Char('\n')).toUtf8()
        + '\n' + QByteArray::number(visit);
    const int count = layouts(block.kind, slotsOf(protocol_, block));
    return (SecretDraws(mapping_.salt, label).below(count) + cell_) % count;
  }

  PlannedTrial make(int number, TrialRole role, const QString& comparison, const QStringList& variants, int visit) {
    const Block& block = number < 0 ? protocol_.blocks.front() : protocol_.blocks[static_cast<std::size_t>(number)];
    PlannedTrial trial;
    trial.block = number;
    trial.kind = block.kind;
    trial.role = role;
    trial.comparison = comparison;
    trial.variants = variants;
    trial.flicker_hz = block.flicker_hz;
    if (block.kind == TrialKind::Ranking) {
      std::vector<QString> order(variants.begin(), variants.end());
      draws_.shuffle(order);
      trial.shown = QStringList(order.begin(), order.end());
      return trial;
    }
    const bool pair = block.kind == TrialKind::Preference && role != TrialRole::Gold;
    lay(trial, layoutOf(block, number, comparison, variants, visit), slotsOf(protocol_, block), pair ? variants[0] : protocol_.reference,
        variants.back());
    if (role == TrialRole::Null) {
      trial.shown = QStringList(trial.shown.size(), protocol_.reference);
      trial.truth = trial.kind == TrialKind::SameDifferent ? QStringLiteral("same") : QString();
    }
    if (role == TrialRole::Gold && trial.kind == TrialKind::Preference)
      trial.truth = letter(static_cast<int>(trial.shown.indexOf(protocol_.reference)));
    return trial;
  }

  std::vector<int> sequence(int count) {
    if (protocol_.order == OrderScheme::Random) {
      std::vector<int> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), 0);
      draws_.shuffle(order);
      return order;
    }
    const Square square = protocol_.order == OrderScheme::Williams ? williamsSquare(count) : balancedLatinSquare(count);
    return square[static_cast<std::size_t>(cell_) % square.size()];
  }

  void practice() {
    const Block& first = protocol_.blocks.front();
    QStringList ids = usable(first, true);
    if (ids.isEmpty()) ids = usable(first, false);
    const auto all = conditions(protocol_, first.kind);
    for (int t = 0; t < protocol_.practice; ++t) {
      const QString& id = ids[draws_.below(static_cast<int>(ids.size()))];
      trials_.push_back(make(-1, TrialRole::Practice, id, all[static_cast<std::size_t>(draws_.below(static_cast<int>(all.size())))],
          draws_.below(12)));
    }
  }

  void block(int number) {
    const Block& block = protocol_.blocks[static_cast<std::size_t>(number)];
    const auto all = conditions(protocol_, block.kind);
    const std::vector<int> order = sequence(static_cast<int>(all.size()));
    const QStringList ids = usable(block, false);
    std::vector<std::vector<QString>> lists(all.size(), std::vector<QString>(ids.begin(), ids.end()));
    std::vector<int> visits(all.size());
    std::vector<PlannedTrial> made;
    for (int t = 0; t < block.trials; ++t) {
      const auto condition = static_cast<std::size_t>(order[static_cast<std::size_t>(t) % order.size()]);
      const int visit = visits[condition]++;
      if (visit % static_cast<int>(ids.size()) == 0) shuffleAnew(lists[condition]);
      made.push_back(make(number, TrialRole::Main, lists[condition][static_cast<std::size_t>(visit) % lists[condition].size()], all[condition],
          visit / static_cast<int>(ids.size())));
      made.back().repeat_of = t;
    }
    addExtras(number, ids, made);
    trials_.insert(trials_.end(), made.begin(), made.end());
  }

  // Another order, which does not begin with what was last.
  void shuffleAnew(std::vector<QString>& list) {
    const QString last = list.back();
    draws_.shuffle(list);
    if (list.size() > 1 && list.front() == last) std::swap(list.front(), list[1 + static_cast<std::size_t>(draws_.below(static_cast<int>(list.size()) - 1))]);
  }

  void addExtras(int number, const QStringList& ids, std::vector<PlannedTrial>& made) {
    const Block& block = protocol_.blocks[static_cast<std::size_t>(number)];
    const auto all = conditions(protocol_, block.kind);
    const auto insert = [&](PlannedTrial trial, int from) {
      const int place = from + draws_.below(static_cast<int>(made.size()) - from + 1);
      made.insert(made.begin() + place, std::move(trial));
    };
    std::vector<int> again(made.size());
    std::iota(again.begin(), again.end(), 0);
    draws_.shuffle(again);
    for (int k = 0; k < block.gold; ++k)
      insert(make(number, TrialRole::Gold, ids[draws_.below(static_cast<int>(ids.size()))], {protocol_.gold_variant}, draws_.below(12)), 0);
    for (int k = 0; k < block.null; ++k)
      insert(make(number, TrialRole::Null, ids[draws_.below(static_cast<int>(ids.size()))],
          all[static_cast<std::size_t>(draws_.below(static_cast<int>(all.size())))], 0), 0);
    for (int k = 0; k < block.repeats; ++k) {
      const auto first = std::find_if(made.begin(), made.end(), [&](const PlannedTrial& t) { return t.role == TrialRole::Main
          && serial(t) == again[static_cast<std::size_t>(k)]; });
      PlannedTrial trial = make(number, TrialRole::Repeat, first->comparison, first->variants, 1 + draws_.below(12));
      trial.repeat_of = serial(*first);
      insert(std::move(trial), static_cast<int>(first - made.begin()) + 1);
    }
  }

  const Protocol& protocol_;
  const Mapping& mapping_;
  const int cell_;
  SecretDraws draws_;
  std::vector<PlannedTrial> trials_;
};

}  // namespace

QString roleName(TrialRole role) {
  switch (role) {
    case TrialRole::Practice: return QStringLiteral("practice");
    case TrialRole::Main: return QStringLiteral("main");
    case TrialRole::Gold: return QStringLiteral("gold");
    case TrialRole::Null: return QStringLiteral("null");
    case TrialRole::Repeat: break;
  }
  return QStringLiteral("repeat");
}

std::vector<PlannedTrial> planTrials(const Protocol& protocol, const QString& hash, const Mapping& mapping, const QString& participant, int cell) {
  std::vector<PlannedTrial> trials = Planner(protocol, hash, mapping, participant, cell).plan();
  for (PlannedTrial& trial : trials)
    if (trial.role != TrialRole::Repeat) trial.repeat_of = -1;
  return trials;
}

std::vector<PlannedTrial> planTrials(const FrozenStudy& study, const Mapping& mapping, const QString& participant, int cell) {
  return planTrials(study.protocol(), study.hash(), mapping, participant, cell);
}

bool isAnswer(const Protocol& protocol, const PlannedTrial& trial, const QString& answer) {
  const auto slots_below = [&](qsizetype count) { return answer.size() == 1 && answer[0] >= QLatin1Char('A')
      && answer[0] < QLatin1Char(static_cast<char>('A' + count)); };
  switch (trial.kind) {
    case TrialKind::Spot:
    case TrialKind::Triangle: return slots_below(trial.shown.size());
    case TrialKind::Abx: return slots_below(2);
    case TrialKind::Preference:
      return slots_below(2) || (answer == QLatin1String("tie") && trial.block >= -1
          && protocol.blocks[static_cast<std::size_t>(std::max(0, trial.block))].ties);
    case TrialKind::SameDifferent: return answer == QLatin1String("same") || answer == QLatin1String("different");
    case TrialKind::Rating: return answer.size() == 1 && answer[0] >= QLatin1Char('1') && answer[0] <= QLatin1Char('5');
    case TrialKind::Ranking: break;
  }
  QStringList letters = answer.split(QLatin1Char(','));
  std::sort(letters.begin(), letters.end());
  QStringList all;
  for (qsizetype slot = 0; slot < trial.shown.size(); ++slot) all << letter(static_cast<int>(slot));
  return letters == all;
}

QByteArray planDigest(const Mapping& mapping, const QString& participant, const PlannedTrial& trial) {
  const QJsonArray parts{participant, trial.index, trial.block, kindName(trial.kind), roleName(trial.role), trial.comparison,
      QJsonArray::fromStringList(trial.shown), trial.truth};
  return hmacHex(mapping.salt, "shown\n" + QJsonDocument(parts).toJson(QJsonDocument::Compact));
}

namespace {

// Whether two conditions came, and at two places: with fewer (one trial a person) there is nothing to test.
bool canDepend(const std::vector<std::vector<int>>& table) {
  int rows = 0;
  std::vector<bool> used(table.size());
  for (const std::vector<int>& row : table) {
    rows += std::any_of(row.begin(), row.end(), [](int count) { return count > 0; });
    for (std::size_t j = 0; j < row.size(); ++j) used[j] = used[j] || row[j] > 0;
  }
  return rows > 1 && std::count(used.begin(), used.end(), true) > 1;
}

}  // namespace

OrderCheck checkOrder(const Protocol& protocol, const QString& hash, const Mapping& mapping, int participants) {
  std::vector<int> slots(9);
  std::vector<std::vector<int>> places;
  for (int cell = 0; cell < participants; ++cell) {
    int place = 0, block = -1;
    for (const PlannedTrial& trial : planTrials(protocol, hash, mapping, QStringLiteral("self-test"), cell)) {
      if (trial.role != TrialRole::Main) continue;
      const auto all = conditions(protocol, trial.kind);
      if (trial.block != block) place = 0, block = trial.block;
      if (trial.block == 0 && (trial.kind == TrialKind::Spot || trial.kind == TrialKind::Preference))
        ++slots[static_cast<std::size_t>(trial.shown.indexOf(trial.variants.back()))];
      if (block == 0 && place < static_cast<int>(all.size())) {
        places.resize(all.size(), std::vector<int>(all.size()));
        ++places[static_cast<std::size_t>(std::find(all.begin(), all.end(), trial.variants) - all.begin())][static_cast<std::size_t>(place)];
      }
      ++place;
    }
  }
  while (slots.size() > 2 && slots.back() == 0) slots.pop_back();
  OrderCheck check;
  if (slots[0] + slots[1] > 0) check.slots = statistics::evenness(slots);
  if (canDepend(places)) check.places = statistics::independence(places);
  return check;
}

}  // namespace quantspot::study
