#include "study/responses.h"

#include "study/csv.h"
#include "study/error.h"

#include <QSet>

#include <algorithm>
#include <map>

namespace quantspot::study {
namespace {

struct Person {
  int cell = 0;
  std::vector<PlannedTrial> plan;
};

class Collector {
 public:
  Collector(const Protocol& protocol, const QString& hash, const Mapping& mapping) : protocol_(protocol), hash_(hash), mapping_(mapping) {}

  Responses collect(const std::vector<ChainRecord>& chain) {
    for (const ChainRecord& record : chain)
      if (!record.erased()) take(record.number, record.json());
    result_.people = static_cast<int>(people_.size());
    exclude();
    return std::move(result_);
  }

 private:
  void take(qint64 number, const QJsonObject& json) {
    const QString kind = json[QStringLiteral("kind")].toString(), participant = json[QStringLiteral("participant")].toString();
    const auto wrong = [&](const QString& what) { result_.problems << QStringLiteral("record %1: %2").arg(number).arg(what); };
    if (kind == QLatin1String("join")) {
      const int cell = json[QStringLiteral("cell")].toInt(-1);
      if (cell < 0 || people_.count(participant)) return wrong(QStringLiteral("joins a participant twice, or without a cell"));
      restarted_ << json[QStringLiteral("restarts")].toString();
      people_[participant] = {cell, planTrials(protocol_, hash_, mapping_, participant, cell)};
    } else if (kind == QLatin1String("response")) {
      if (!people_.count(participant)) return wrong(QStringLiteral("answers for a participant who never joined"));
      response(number, participant, json, wrong);
    } else if (kind == QLatin1String("questionnaire")) {
      if (!people_.count(participant)) return wrong(QStringLiteral("answers questions for a participant who never joined"));
      try {
        takeQuestionnaire(protocol_, number, json, result_.questionnaires);
      } catch (const Error& error) {
        wrong(QString::fromUtf8(error.what()));
      }
    } else if (kind == QLatin1String("colour-vision")) {
      if (!people_.count(participant)) return wrong(QStringLiteral("reads plates for a participant who never joined"));
      try {
        takePlates(protocol_, hash_, mapping_, number, json, result_.plates);
      } catch (const Error& error) {
        wrong(QString::fromUtf8(error.what()));
      }
    } else if (kind == QLatin1String("undo")) {
      auto& rows = result_.rows;
      const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const ResponseRow& row) { return row.participant == participant; });
      if (last == rows.rend() || last->trial.index != json[QStringLiteral("trial")].toInt(-1))
        return wrong(QStringLiteral("takes back what was not the last answer"));
      rows.erase(std::next(last).base());
    }
  }

  template <class Wrong>
  void response(qint64 number, const QString& participant, const QJsonObject& json, const Wrong& wrong) {
    const Person& person = people_[participant];
    const int index = json[QStringLiteral("trial")].toInt(-1);
    if (index < 0 || index >= static_cast<int>(person.plan.size())) return wrong(QStringLiteral("answers a trial that the plan does not have"));
    const PlannedTrial& trial = person.plan[static_cast<std::size_t>(index)];
    const QString answer = json[QStringLiteral("answer")].toString();
    if (json[QStringLiteral("shown")].toString() != QString::fromLatin1(planDigest(mapping_, participant, trial)))
      return wrong(QStringLiteral("was given to other pictures than the plan shows"));
    if (!isAnswer(protocol_, trial, answer)) return wrong(QStringLiteral("holds '%1', which its trial does not take").arg(answer));
    for (const ResponseRow& row : result_.rows)
      if (row.participant == participant && row.trial.index == index) return wrong(QStringLiteral("answers trial %1 a second time").arg(index));
    ResponseRow row;
    row.record = number;
    row.participant = participant;
    row.cell = person.cell;
    row.trial = trial;
    row.prompt = protocol_.comparison(trial.comparison)->prompt;
    row.answer = answer;
    row.time = json[QStringLiteral("time")].toString();
    if (!trial.truth.isEmpty()) row.correct = answer == trial.truth;
    row.chance = kindChance(trial.kind, static_cast<int>(trial.shown.size()));
    row.response_ms = json[QStringLiteral("response_ms")].toInt();
    row.confidence = json[QStringLiteral("confidence")].toInt();
    row.focus_losses = focusLossesOf(json);
    result_.rows.push_back(std::move(row));
  }

  QString reasons(const QString& participant) const {
    int gold = 0, gold_right = 0, losses = 0;
    std::vector<int> times;
    for (const ResponseRow& row : result_.rows) {
      if (row.participant != participant || row.trial.role == TrialRole::Practice) continue;
      if (row.trial.role == TrialRole::Gold && row.correct) ++gold, gold_right += *row.correct;
      losses += row.focus_losses;
      times.push_back(row.response_ms);
    }
    const Exclusion& rules = protocol_.exclusion;
    QStringList found;
    if (gold > 0 && gold_right < rules.min_gold_rate * gold) found << QStringLiteral("gold");
    std::sort(times.begin(), times.end());
    if (!times.empty() && times[times.size() / 2] < rules.min_median_ms) found << QStringLiteral("too fast");
    if (rules.max_focus_losses >= 0 && losses > rules.max_focus_losses) found << QStringLiteral("focus lost");
    if (platesRead(result_.plates, participant) < rules.min_plates_read) found << QStringLiteral("colour vision");
    if (restarted_.contains(participant)) found << QStringLiteral("restarted");
    return found.join(QStringLiteral("; "));
  }

  void exclude() {
    std::map<QString, QString> known;
    for (ResponseRow& row : result_.rows) {
      if (!known.count(row.participant)) known[row.participant] = reasons(row.participant);
      row.excluded = known[row.participant];
    }
  }

  const Protocol& protocol_;
  const QString hash_;
  const Mapping& mapping_;
  std::map<QString, Person> people_;
  QSet<QString> restarted_;            // who began anew as somebody else
  Responses result_;
};

const std::pair<const char*, const char*> kColumns[] = {
    {"record", "number of the record in chain.csv"},
    {"participant", "random id"},
    {"cell", "row of the order design, from 0"},
    {"trial", "index in the participant's plan, from 0"},
    {"block", "block of the protocol, from 0; -1: practice"},
    {"kind", "spot, abx, preference, triangle, same-different, rating, ranking"},
    {"role", "practice, main, gold (obvious corruption), null (equal pictures), repeat (of an earlier trial)"},
    {"comparison", "id in the protocol"},
    {"prompt", "what the pictures were generated from"},
    {"variants", "what is tested; separated by |"},
    {"shown", "variant in each slot, A first; separated by |"},
    {"truth", "the right answer; empty where there is none"},
    {"answer", "a slot's letter, same, different, tie, 1 to 5, or letters from best to worst"},
    {"correct", "1, 0; NA where there is no right answer"},
    {"chance", "share right by guessing; NA where there is no right answer"},
    {"response_ms", "from the pictures on screen to the answer, milliseconds"},
    {"confidence", "1 to 5; 0: not asked"},
    {"focus_losses", "how often the window lost the focus during the trial"},
    {"repeat_of", "trial whose repeat this is; NA for others"},
    {"time", "UTC, ISO 8601"},
    {"excluded", "1 when the protocol's rules exclude the participant, else 0"},
    {"reasons", "gold (too many obvious ones missed), too fast, focus lost, restarted (began anew as another participant)"},
};

const std::pair<const char*, const char*> kQuestionColumns[] = {
    {"record", "number of the record in chain.csv"},
    {"participant", "random id"},
    {"when", "before or after the trials"},
    {"question", "id in the protocol"},
    {"kind", "likert, choice, text"},
    {"answer", "likert: step, from 1; choice: its text; text: as typed. Unanswered ones have no row; of a questionnaire given twice the last counts"},
};

}  // namespace

int focusLossesOf(const QJsonObject& record) { return std::clamp(record[QStringLiteral("focus_losses")].toInt(), 0, 1'000'000); }

Responses collect(const Protocol& protocol, const QString& hash, const Mapping& mapping, const std::vector<ChainRecord>& chain) {
  return Collector(protocol, hash, mapping).collect(chain);
}

QByteArray responsesCsv(const std::vector<ResponseRow>& rows) {
  QStringList header;
  for (const auto& [name, meaning] : kColumns) header << QLatin1String(name);
  QByteArray text = csvLine(header);
  const QString none = QStringLiteral("NA");
  for (const ResponseRow& r : rows) {
    const PlannedTrial& t = r.trial;
    text += csvLine({QString::number(r.record), r.participant, QString::number(r.cell), QString::number(t.index), QString::number(t.block),
                     kindName(t.kind), roleName(t.role),
                     t.comparison, r.prompt, t.variants.join(QLatin1Char('|')), t.shown.join(QLatin1Char('|')), t.truth, r.answer,
                     r.correct ? QString::number(*r.correct ? 1 : 0) : none, r.correct ? QString::number(r.chance, 'g', 17) : none,
                     QString::number(r.response_ms),
                     QString::number(r.confidence), QString::number(r.focus_losses), t.repeat_of < 0 ? none : QString::number(t.repeat_of), r.time,
                     r.excluded.isEmpty() ? QStringLiteral("0") : QStringLiteral("1"), r.excluded});
  }
  return text;
}

QByteArray codebookCsv(const Protocol& protocol) {
  QByteArray text = "file,column,meaning\n";
  for (const auto& [name, meaning] : kColumns) text += csvLine({QStringLiteral("responses.csv"), QLatin1String(name), QString::fromUtf8(meaning)});
  for (const auto& [name, meaning] : kQuestionColumns)
    text += csvLine({QStringLiteral("questionnaires.csv"), QLatin1String(name), QString::fromUtf8(meaning)});
  return protocol.colour_plates > 0 ? text + platesCodebook() : text;
}

}  // namespace quantspot::study
