#include "ui/models/study_draft.h"

#include "study/ablation.h"
#include "study/error.h"
#include "study/new_protocol.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>

namespace quantspot::ui {
namespace {

const QString kGold = QStringLiteral("corrupted");

study::Protocol blank() {
  study::Protocol p;
  p.title = QObject::tr("New study");
  study::Block spot;
  spot.trials = 20;
  p.blocks = {spot};
  p.practice = 3, p.participants = 20, p.break_every = 20;
  p.consent_version = QStringLiteral("1");
  p.consent_text = QObject::tr("You will look at pictures and answer questions about them. Taking part is voluntary; you can stop at any time. "
                               "Your answers are kept under a random code, without your name.");
  return p;
}

QString pixelsOf(const QJsonObject& attested, const QString& variant) {
  return attested["pictures"][variant]["image_sha256"].toString();
}

void overrule(QJsonObject& attested) {
  QJsonObject gate = attested["gate"].toObject();
  gate["overruled"] = true;
  attested["gate"] = gate;
}

void addModel(study::Protocol& p, const QString& model) {
  QStringList models = p.model.split(QStringLiteral("; "), Qt::SkipEmptyParts);
  if (!model.isEmpty() && !models.contains(model)) models << model;
  p.model = models.join(QStringLiteral("; "));
}

DraftSection sectionOf(const QString& problem) {
  const std::pair<const char*, DraftSection> kSections[] = {{"blocks[", DraftSection::Trials}, {"no block", DraftSection::Trials},
      {"stopping", DraftSection::Stopping}, {"analysis:", DraftSection::Analysis}, {"exclusion:", DraftSection::Analysis},
      {"min_viewing_s", DraftSection::Rules}, {"participants", DraftSection::Rules}, {"question", DraftSection::Participant},
      {"retention_until", DraftSection::Participant}, {"colour_vision:", DraftSection::Participant}};
  for (const auto& [begin, section] : kSections)
    if (problem.contains(QLatin1String(begin))) return section;
  return DraftSection::Comparisons;
}

}  // namespace

StudyDraft::StudyDraft(const QString& file, study::StudyStore* store, QObject* parent)
    : QObject(parent), file_(file), store_(store), protocol_(blank()) {
  if (QFile::exists(file_)) read();
}

void StudyDraft::read() {
  QFile file(file_);
  const QJsonObject json = file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
  try {
    if (json.isEmpty()) throw study::Error(tr("it cannot be read, or holds no JSON object"));
    protocol_ = study::draftFromJson(json[QStringLiteral("protocol")].toObject());
  } catch (const std::exception& error) {
    file_problem_ = tr("The draft %1 is damaged: %2").arg(QDir::toNativeSeparators(file_), QString::fromUtf8(error.what()));
    return;
  }
  const QJsonObject effect = json[QStringLiteral("effect")].toObject(), sources = json[QStringLiteral("sources")].toObject();
  effect_ = {effect[QStringLiteral("rate")].toDouble(effect_.rate), effect[QStringLiteral("power")].toDouble(effect_.power)};
  for (const QString& id : sources.keys()) {
    const QJsonValue value = sources[id];
    sources_[id] = value.isString() ? StudySource{0, value.toString()} : StudySource{value.toInteger(), {}};
  }
  findOffered();
}

void StudyDraft::save() {
  if (!file_problem_.isEmpty() || discarded_) return;
  QJsonObject sources;
  for (auto source = sources_.begin(); source != sources_.end(); ++source)
    sources[source.key()] = source->comparison ? QJsonValue(source->comparison) : QJsonValue(source->folder);
  const QJsonObject all{{"schema", 1}, {"protocol", toJson(protocol_)}, {"sources", sources},
                        {"effect", QJsonObject{{"rate", effect_.rate}, {"power", effect_.power}}}};
  const QByteArray text = QJsonDocument(all).toJson();
  QDir().mkpath(QFileInfo(file_).absolutePath());
  QSaveFile file(file_);
  const bool saved = file.open(QIODevice::WriteOnly) && file.write(text) == text.size() && file.commit();
  save_problem_ = saved ? QString() : QStringLiteral("%1 (%2)").arg(file.errorString(), QDir::toNativeSeparators(file_));
  if (!saved) Q_EMIT failed(tr("The draft cannot be saved: %1. What you see is kept only until the window closes.").arg(save_problem_));
}

void StudyDraft::edit(const std::function<void(study::Protocol&)>& change) {
  change(protocol_);
  save();
  Q_EMIT changed();
}

void StudyDraft::setEffect(const SoughtEffect& effect) {
  effect_ = effect;
  save();
  Q_EMIT changed();
}

void StudyDraft::findOffered() {
  offered_.clear();
  for (const study::StudyComparison& c : protocol_.comparisons) {
    if (!has_.contains(c.id)) {
      QString why;
      const auto found = readFiles(*store_, sources_.value(c.id), why);
      has_[c.id] = found ? QStringList(found->pictures.keys()) : QStringList();
      shown_[c.id] = pixelsOf(c.attested, protocol_.reference);
    }
    if (&c == &protocol_.comparisons.front()) offered_ = has_[c.id];
    else offered_.removeIf([&](const QString& variant) { return !has_[c.id].contains(variant); });
  }
}

QString StudyDraft::add(const QString& id, const StudySource& source, Gate gate) {
  if (protocol_.comparison(id)) {
    const StudySource own = sources_.value(id);
    return own.comparison == source.comparison && own.folder == source.folder ? tr("it is in the study already")
        : tr("another comparison of the study is called %1, too: rename the folder").arg(id);
  }
  QString why;
  auto found = readSource(*store_, source, why, protocol_.reference);
  if (!found) return why;
  if (!found->pictures.contains(protocol_.reference)) return tr("it has no picture of %1").arg(protocol_.reference);
  if (found->pictures.size() < 2) return tr("it has no variant beside %1").arg(protocol_.reference);
  if (!protocol_.comparisons.empty())
    for (const QString& variant : protocol_.variants)
      if (!found->pictures.contains(variant)) return tr("it has no picture of %1").arg(variant);
  const QString pixels = pixelsOf(found->attested, protocol_.reference), same = pixels.isEmpty() ? QString() : shown_.key(pixels);
  if (!same.isEmpty())
    return tr("its picture of %1 is that of “%2”, which is in the study already").arg(protocol_.reference, protocol_.comparison(same)->prompt);
  if (!found->suspicion.isEmpty() && gate == Gate::Heed) {
    doubted_[id] = source;
    return found->suspicion;
  }
  if (!found->suspicion.isEmpty()) overrule(found->attested);
  has_[id] = found->pictures.keys(), shown_[id] = pixels;
  sources_[id] = source, doubted_.remove(id);
  edit([&](study::Protocol& p) {
    if (p.comparisons.empty()) {
      p.variants = found->pictures.keys();
      p.variants.removeAll(p.reference), p.variants.prepend(p.reference);
    }
    p.comparisons.push_back({id, found->prompt, false, found->attested});
    addModel(p, found->model);
    findOffered();
  });
  return {};
}

QString StudyDraft::addFromHistory(qint64 comparison) { return add(idOf(comparison), {comparison, {}}); }

QStringList StudyDraft::addFromFolder(const QString& folder) {
  QStringList refused;
  const auto sources = sourcesIn(folder);
  if (sources.isEmpty()) refused << tr("%1: neither it nor its folders hold PNG pictures").arg(QDir::toNativeSeparators(folder));
  for (auto source = sources.begin(); source != sources.end(); ++source)
    if (const QString why = add(source.key(), *source); !why.isEmpty()) refused << source.key() + QStringLiteral(": ") + why;
  return refused;
}

void StudyDraft::takeDoubted() {
  const auto doubted = std::exchange(doubted_, {});
  for (auto one = doubted.begin(); one != doubted.end(); ++one) add(one.key(), *one, Gate::Overrule);
}

void StudyDraft::remove(const QString& given) {
  const QString id = given;                // it may be that of what goes
  sources_.remove(id), has_.remove(id), shown_.remove(id);
  edit([&](study::Protocol& p) {
    std::erase_if(p.comparisons, [&](const study::StudyComparison& c) { return c.id == id; });
    for (study::Block& block : p.blocks) block.comparisons.removeAll(id);
    if (p.comparisons.empty()) p.variants.clear(), p.model.clear();
    findOffered();
  });
}

void StudyDraft::setVariant(const QString& given, bool taken) {
  const QString variant = given;           // as above
  edit([&](study::Protocol& p) {
    p.variants.removeAll(variant);
    if (!taken) return;
    p.variants << variant;
    std::sort(p.variants.begin(), p.variants.end(), [&](const QString& a, const QString& b) {
      return std::pair(a != p.reference, a) < std::pair(b != p.reference, b);
    });
  });
}

QMap<QString, QByteArray> StudyDraft::pictures(const QString& id) const {
  QString why;
  const auto found = readFiles(*store_, sources_.value(id), why);
  return found ? found->pictures : QMap<QString, QByteArray>();
}

// Gold trials get their corrupted pictures at the freeze.
study::Protocol StudyDraft::complete() const {
  study::Protocol p = protocol_;
  const bool gold = std::any_of(p.blocks.begin(), p.blocks.end(), [](const study::Block& block) { return block.gold > 0; });
  p.gold_variant = gold ? kGold : QString();
  return p;
}

std::optional<std::pair<DraftSection, QString>> StudyDraft::problem() const {
  if (protocol_.comparisons.empty()) return std::pair(DraftSection::Comparisons, tr("Pick comparisons: without pictures there is no study."));
  for (const study::StudyComparison& c : protocol_.comparisons)
    for (const QString& variant : protocol_.variants)
      if (!has_[c.id].contains(variant))
        return std::pair(DraftSection::Comparisons, tr("“%1” has no picture of %2 any more; untick one of them.").arg(c.prompt, variant));
  try {
    study::validateNew(complete());
  } catch (const std::exception& error) {
    const QString text = QString::fromUtf8(error.what()).remove(QStringLiteral("protocol: "));
    return std::pair(sectionOf(text), text);
  }
  return {};
}

namespace {

// Over all comparisons: the highest memory, the mean time. A figure that one of them lacks is left out.
QMap<QString, study::VariantCost> costsOf(const std::vector<QMap<QString, study::VariantCost>>& comparisons, const QStringList& variants) {
  QMap<QString, study::VariantCost> all;
  for (const QString& variant : variants) {
    study::VariantCost sum;
    bool memory = !comparisons.empty(), time = memory;
    for (const auto& costs : comparisons) {
      const study::VariantCost one = costs.value(variant);
      memory = memory && one.memory_bytes > 0, time = time && one.seconds > 0;
      sum.memory_bytes = std::max(sum.memory_bytes, one.memory_bytes);
      sum.seconds += one.seconds / static_cast<double>(comparisons.size());
    }
    if (memory || time) all[variant] = {memory ? sum.memory_bytes : 0, time ? sum.seconds : 0};
  }
  return all;
}

// For the curve over bits per weight; of variants whose layers every comparison tells. Nothing where groups of layers are low in turn: a whole
// model's bits say nothing about a group.
QMap<QString, double> bitsOf(const std::vector<QMap<QString, double>>& comparisons, const study::Protocol& p) {
  QMap<QString, double> all;
  for (const QString& variant : study::isAblation(p) ? QStringList() : p.variants) {
    double sum = 0;
    const bool known = std::all_of(comparisons.begin(), comparisons.end(), [&](const auto& bits) { sum += bits.value(variant); return bits.contains(variant); });
    if (known && !comparisons.empty()) all[variant] = sum / static_cast<double>(comparisons.size());
  }
  return all;
}

}  // namespace

study::PreparedStudy prepareDraft(study::StudyStore& store, const FreezeInput& input, const std::function<void(int, int)>& step) {
  study::Protocol p = input.protocol;
  study::Pictures all;
  std::vector<QMap<QString, study::VariantCost>> costs;
  std::vector<QMap<QString, double>> bits;
  const int of = static_cast<int>(p.comparisons.size());
  for (study::StudyComparison& c : p.comparisons) {
    if (step) step(static_cast<int>(costs.size()), of);
    QString why;
    auto found = readSource(store, input.sources.value(c.id), why, p.reference);
    if (found && !found->suspicion.isEmpty()) {          // a folder may have changed since it was picked
      if (!c.attested.value("gate")["overruled"].toBool()) why = found->suspicion;
      overrule(found->attested);
    }
    if (!found || !why.isEmpty()) throw study::Error(StudyDraft::tr("“%1” cannot be taken: %2").arg(c.prompt, why));
    c.attested = found->attested;                         // of the pictures that are frozen
    all[c.id] = found->pictures;
    costs.push_back(found->costs), bits.push_back(found->bits);
    if (!p.gold_variant.isEmpty()) all[c.id][p.gold_variant] = corrupted(found->pictures[p.reference]);
  }
  p.costs = costsOf(costs, p.variants), p.bits = bitsOf(bits, p);
  if (step) step(of, of);
  return study::prepareStudy(p, all);
}

study::FrozenStudy StudyDraft::freeze(const QString& passphrase, study::SealCost cost) const {
  study::PreparedStudy prepared = prepareDraft(*store_, freezeInput());
  prepared.study.sealed = study::seal(prepared.mapping.text(), passphrase, cost);
  return std::move(prepared.study);
}

void StudyDraft::discard() {
  discarded_ = true;
  QFile::remove(file_);
}

}  // namespace quantspot::ui
