#include "study/csv.h"
#include "study/error.h"
#include "study/protocol.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>

#include <cmath>

namespace quantspot::study {
namespace {

template <class Enum>
using Names = std::initializer_list<std::pair<Enum, const char*>>;
const Names<OrderScheme> kOrders = {{OrderScheme::BalancedLatinSquare, "balanced-latin-square"}, {OrderScheme::Williams, "williams"},
    {OrderScheme::Random, "random"}};
const Names<StoppingRule> kStops = {{StoppingRule::Fixed, "fixed"}, {StoppingRule::Sprt, "sprt"}, {StoppingRule::AlwaysValid, "always-valid"}};
const Names<ResumePolicy> kResumes = {{ResumePolicy::ContinueSameDay, "continue-same-day"}, {ResumePolicy::NextBlock, "next-block"},
    {ResumePolicy::Restart, "restart"}};

template <class Enum>
QString nameOf(const Names<Enum>& names, Enum value) {
  for (const auto& [entry, name] : names)
    if (entry == value) return QLatin1String(name);
  return {};
}

// Takes an object apart; what nobody took is an error, because a misspelt key would silently be a default.
class Reader {
 public:
  Reader(const QJsonObject& json, const QString& where) : json_(json), where_(where) {}

  QString text(const char* key, const QString& fallback = {}) {
    const QJsonValue value = take(key);
    if (value.isUndefined()) return fallback;
    if (!value.isString()) fail(key, QStringLiteral("must be a text"));
    return value.toString();
  }
  double number(const char* key, double fallback) {
    const QJsonValue value = take(key);
    if (value.isUndefined()) return fallback;
    if (!value.isDouble()) fail(key, QStringLiteral("must be a number"));
    return value.toDouble();
  }
  int count(const char* key, int fallback) {
    const double value = number(key, fallback);
    if (value != std::floor(value) || std::abs(value) > 1e9) fail(key, QStringLiteral("must be a whole number"));
    return static_cast<int>(value);
  }
  bool flag(const char* key, bool fallback) {
    const QJsonValue value = take(key);
    if (!value.isUndefined() && !value.isBool()) fail(key, QStringLiteral("must be true or false"));
    return value.toBool(fallback);
  }
  QStringList texts(const char* key) {
    QStringList found;
    for (const QJsonValue& entry : array(key)) {
      if (!entry.isString()) fail(key, QStringLiteral("must be a list of texts"));
      found << entry.toString();
    }
    return found;
  }
  QJsonArray array(const char* key) {
    const QJsonValue value = take(key);
    if (!value.isUndefined() && !value.isArray()) fail(key, QStringLiteral("must be a list"));
    return value.toArray();
  }
  QJsonObject anyObject(const char* key) {
    const QJsonValue value = take(key);
    if (!value.isUndefined() && !value.isObject()) fail(key, QStringLiteral("must be an object"));
    return value.toObject();
  }
  // Calls body with a Reader of each object of a list.
  template <class Body>
  void each(const char* key, Body body) {
    const QJsonArray list = array(key);
    for (qsizetype i = 0; i < list.size(); ++i) {
      if (!list[i].isObject()) fail(key, QStringLiteral("must be a list of objects"));
      Reader inner(list[i].toObject(), QStringLiteral("%1[%2].").arg(where_ + QString::fromUtf8(key)).arg(i));
      body(inner);
      inner.finish();
    }
  }
  template <class Body>
  void object(const char* key, Body body) {
    const QJsonValue value = take(key);
    if (value.isUndefined()) return;
    if (!value.isObject()) fail(key, QStringLiteral("must be an object"));
    Reader inner(value.toObject(), where_ + QString::fromUtf8(key) + QLatin1Char('.'));
    body(inner);
    inner.finish();
  }
  template <class Enum>
  Enum choice(const char* key, const Names<Enum>& names, Enum fallback) {
    const QString given = text(key, nameOf(names, fallback));
    QStringList known;
    for (const auto& [entry, name] : names) {
      if (given == QLatin1String(name)) return entry;
      known << QLatin1String(name);
    }
    fail(key, QStringLiteral("is '%1'; it must be one of %2").arg(given, known.join(QStringLiteral(", "))));
  }
  [[noreturn]] void fail(const char* key, const QString& what) const { throw Error(QStringLiteral("protocol: %1%2 %3")
      .arg(where_, QString::fromUtf8(key), what)); }
  void finish() const {
    for (const QString& key : json_.keys())
      if (!taken_.contains(key)) throw Error(QStringLiteral("protocol: there is no key %1%2").arg(where_, key));
  }
  QStringList keys() const { return json_.keys(); }

 private:
  QJsonValue take(const char* key) {
    taken_ << QString::fromUtf8(key);   // names of variants are keys, too
    return json_.value(taken_.last());
  }

  QJsonObject json_;
  QString where_;
  QStringList taken_;
};

Block readBlock(Reader& r) {
  Block block;
  const auto kind = kindFromName(r.text("kind"));
  if (!kind) r.fail("kind", QStringLiteral("must be spot, abx, preference, triangle, same-different, rating or ranking"));
  block.kind = *kind;
  block.trials = r.count("trials", 0);
  block.slots = r.count("slots", 4);
  block.ties = r.flag("ties", false);
  block.flicker_hz = r.number("flicker_hz", 0);
  block.comparisons = r.texts("comparisons");
  block.gold = r.count("gold", 0);
  block.null = r.count("null", 0);
  block.repeats = r.count("repeats", 0);
  return block;
}

std::vector<Question> readQuestions(Reader& r, const char* key) {
  std::vector<Question> questions;
  r.each(key, [&](Reader& q) { questions.push_back({q.text("id"), q.text("type"), q.text("text"), q.texts("choices")}); });
  return questions;
}

void readRules(Reader& r, Protocol& p) {
  r.object("stopping", [&](Reader& s) {
    p.stopping = {s.choice("rule", kStops, StoppingRule::Fixed), s.number("null_rate", 0), s.number("alternative_rate", 0), s.number("alpha", 0.05),
        s.number("beta", 0.05), s.count("tuned_for", 100)};
  });
  r.object("exclusion", [&](Reader& e) { p.exclusion = {e.number("min_gold_rate", 0), e.count("min_median_ms", 0),
      e.count("max_focus_losses", -1), e.count("min_plates_read", 0)}; });
  r.object("analysis", [&](Reader& a) { p.analysis = {a.number("margin", 0.1), a.number("level", 0.95), a.flag("exclude", true)}; });
}

QJsonArray questionsJson(const std::vector<Question>& questions) {
  QJsonArray list;
  for (const Question& q : questions)
    list << QJsonObject{{"id", q.id}, {"type", q.type}, {"text", q.text}, {"choices", QJsonArray::fromStringList(q.choices)}};
  return list;
}

}  // namespace

Protocol draftFromJson(const QJsonObject& json) {
  Reader r(json, {});
  if (r.count("schema", 0) != 1) r.fail("schema", QStringLiteral("must be 1: this program knows no other"));
  Protocol p;
  p.title = r.text("title");
  p.model = r.text("model");
  p.variants = r.texts("variants");
  p.reference = r.text("reference", p.reference);
  p.gold_variant = r.text("gold_variant");
  r.object("bits", [&](Reader& b) { for (const QString& key : b.keys()) p.bits[key] = b.number(key.toUtf8().constData(), 0); });
  r.object("costs", [&](Reader& all) {
    for (const QString& key : all.keys())
      all.object(key.toUtf8().constData(), [&](Reader& c) { p.costs[key] = {c.number("memory_bytes", 0), c.number("seconds", 0)}; });
  });
  r.each("comparisons", [&](Reader& c) {
    p.comparisons.push_back({c.text("id"), c.text("prompt"), c.flag("practice", false), c.anyObject("attested")});
  });
  r.each("blocks", [&](Reader& b) { p.blocks.push_back(readBlock(b)); });
  p.order = r.choice("order", kOrders, p.order);
  p.participants = r.count("participants", 0);
  p.practice = r.count("practice", 0);
  p.time_limit_s = r.number("time_limit_s", 0);
  p.min_viewing_s = r.number("min_viewing_s", 0);
  p.break_every = r.count("break_every", 0);
  r.object("viewer", [&](Reader& v) { p.viewer = {v.flag("zoom", true), v.flag("swap", true), v.flag("slider", true), v.flag("flicker", true)}; });
  r.object("consent", [&](Reader& c) {
    p.consent_version = c.text("version");
    p.consent_text = c.text("text");
  });
  p.retention_until = r.text("retention_until");
  r.object("questionnaires", [&](Reader& q) {
    p.before = readQuestions(q, "before");
    p.after = readQuestions(q, "after");
  });
  r.object("colour_vision", [&](Reader& c) { p.colour_plates = c.count("plates_per_axis", 3); });
  readRules(r, p);
  p.resume = r.choice("resume", kResumes, p.resume);
  r.finish();
  return p;
}

Protocol protocolFromJson(const QJsonObject& json) {
  Protocol p = draftFromJson(json);
  validate(p);
  return p;
}

QJsonObject toJson(const Protocol& p) {
  QJsonArray comparisons, blocks;
  QJsonObject bits, costs;
  for (const StudyComparison& c : p.comparisons) {
    QJsonObject one{{"id", c.id}, {"prompt", c.prompt}, {"practice", c.practice}};
    if (!c.attested.isEmpty()) one["attested"] = c.attested;
    comparisons << one;
  }
  for (const Block& b : p.blocks)
    blocks << QJsonObject{{"kind", kindName(b.kind)}, {"trials", b.trials}, {"slots", b.slots}, {"ties", b.ties}, {"flicker_hz", b.flicker_hz},
                          {"comparisons", QJsonArray::fromStringList(b.comparisons)}, {"gold", b.gold}, {"null", b.null}, {"repeats", b.repeats}};
  for (auto bit = p.bits.begin(); bit != p.bits.end(); ++bit) bits[bit.key()] = bit.value();
  for (auto cost = p.costs.begin(); cost != p.costs.end(); ++cost)
    costs[cost.key()] = QJsonObject{{"memory_bytes", cost->memory_bytes}, {"seconds", cost->seconds}};
  const Stopping& s = p.stopping;
  QJsonObject exclusion{{"min_gold_rate", p.exclusion.min_gold_rate}, {"min_median_ms", p.exclusion.min_median_ms},
      {"max_focus_losses", p.exclusion.max_focus_losses}};
  if (p.exclusion.min_plates_read > 0) exclusion["min_plates_read"] = p.exclusion.min_plates_read;
  QJsonObject json{{"schema", 1}, {"title", p.title}, {"model", p.model}, {"variants", QJsonArray::fromStringList(p.variants)},
          {"reference", p.reference}, {"gold_variant", p.gold_variant},
          {"bits", bits}, {"costs", costs}, {"comparisons", comparisons}, {"blocks", blocks}, {"order", nameOf(kOrders, p.order)},
          {"participants", p.participants},
          {"practice", p.practice}, {"time_limit_s", p.time_limit_s}, {"min_viewing_s", p.min_viewing_s},
          {"break_every", p.break_every}, {"viewer", QJsonObject{{"zoom", p.viewer.zoom}, {"swap", p.viewer.swap}, {"slider", p.viewer.slider},
          {"flicker", p.viewer.flicker}}},
          {"consent", QJsonObject{{"version", p.consent_version}, {"text", p.consent_text}}}, {"retention_until", p.retention_until},
          {"questionnaires", QJsonObject{{"before", questionsJson(p.before)}, {"after", questionsJson(p.after)}}},
          {"stopping", QJsonObject{{"rule", nameOf(kStops, s.rule)}, {"null_rate", s.null_rate}, {"alternative_rate", s.alternative_rate},
          {"alpha", s.alpha}, {"beta", s.beta}, {"tuned_for", s.tuned_for}}},
          {"exclusion", exclusion},
          {"analysis", QJsonObject{{"margin", p.analysis.margin}, {"level", p.analysis.level}, {"exclude", p.analysis.exclude}}},
          {"resume", nameOf(kResumes, p.resume)}};
  // Without the check nothing of it is written, so that programs that do not know it read the protocol.
  if (p.colour_plates > 0) json["colour_vision"] = QJsonObject{{"plates_per_axis", p.colour_plates}};
  return json;
}

Protocol readProtocol(const QByteArray& text) {
  QJsonParseError error;
  const QJsonDocument document = QJsonDocument::fromJson(text, &error);
  if (!document.isObject()) throw Error(QStringLiteral("protocol: no JSON object at byte %1: %2").arg(error.offset).arg(error.errorString()));
  return protocolFromJson(document.object());
}

}  // namespace quantspot::study
