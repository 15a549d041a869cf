#include "ui/models/decision_evidence.h"

#include "decision/evidence_files.h"
#include "evaluation/figures.h"

#include <QDate>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

namespace quantspot::ui {
namespace {

nlohmann::json plain(const QJsonObject& object) {
  return nlohmann::json::parse(QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
}

QString today() { return QDate::currentDate().toString(Qt::ISODate); }

// As in report.json; null without a picture of the reference.
nlohmann::json reported(const study::Comparison& comparison) {
  nlohmann::json samples = nlohmann::json::array();
  bool reference = false;
  QString clip;                                  // what scored
  for (const study::Sample& one : comparison.samples) {
    if (one.report.isEmpty()) continue;
    reference = reference || one.precision == QLatin1String(study::kReference);
    nlohmann::json scores = nlohmann::json::object();
    if (one.scores.clip) scores["clip"] = *one.scores.clip, clip = one.scores.clip_label;
    if (one.scores.psnr) scores["psnr"] = *one.scores.psnr;   // an infinite one is no number in JSON
    samples.push_back({{"precision", one.precision.toStdString()}, {"scores", scores}, {"report", plain(one.report)}});
  }
  if (!reference) return nullptr;
  return {{"created", comparison.created.date().toString(Qt::ISODate).toStdString()}, {"recipe", plain(comparison.recipe)}, {"samples", samples},
          {"clip", clip.toStdString()}};
}

// What times depend on.
std::string sharedText(const nlohmann::json& recipe) {
  return QStringLiteral("%1 × %2, %3 steps").arg(recipe.value("width", 0)).arg(recipe.value("height", 0)).arg(recipe.value("steps", 0)).toStdString();
}

nlohmann::json toldOf(const study::GradeMean& mean) {
  nlohmann::json told = {{"value", mean.value}, {"n", mean.n}, {"ci95", nullptr}};
  if (mean.ci95) told["ci95"] = {mean.ci95->first, mean.ci95->second};
  return told;
}

bool isScored(const nlohmann::json& comparison) {
  return std::ranges::any_of(comparison["samples"], [](const nlohmann::json& sample) { return sample["scores"].contains("clip"); });
}

// Scores of different weights have no mean: those of the latest stay, by its name.
void keepOneClip(nlohmann::json& report) {
  auto& comparisons = report["comparisons"];
  const auto last = std::find_if(comparisons.rbegin(), comparisons.rend(), isScored);
  if (last == comparisons.rend()) return;
  const std::string clip = (*last)["clip"];
  for (nlohmann::json& comparison : comparisons)
    for (nlohmann::json& sample : comparison["samples"])
      if (comparison["clip"] != clip) sample["scores"].erase("clip");
  report["labels"] = {{"clip", evaluation::scoreLabel("clip", clip)}};
}

decision::Evidence readAny(const QString& path) {
  const std::filesystem::path file = path.toStdString();
  decision::Evidence evidence;
  try {
    decision::readComparison(evidence, file);
  } catch (const std::runtime_error& first) {
    if (!std::filesystem::exists(file)) throw;
    evidence = {};
    try {
      decision::readStudy(evidence, file);
    } catch (const std::runtime_error&) {
      throw std::runtime_error(DecisionEvidence::tr("%1: neither a report of a comparison nor the analysis of a study").arg(path).toStdString());
    }
  }
  return evidence;
}

}  // namespace

DecisionEvidence::DecisionEvidence(QObject* parent) : QObject(parent) {}

void DecisionEvidence::setModel(const QString& path, const QString& folder) {
  if (path == model_ && folder == folder_) return;
  if (path != model_) history_.clear(), sources_.clear();
  model_ = path, folder_ = folder;
  takeRemembered();
  Q_EMIT changed();
}

void DecisionEvidence::learn(const std::vector<study::Comparison>& comparisons) {
  bool any = false;
  for (const study::Comparison& one : comparisons) {
    if (one.model != model_) continue;
    nlohmann::json entry = reported(one);
    if (entry.is_null()) continue;
    nlohmann::json& known = history_[one.created.toMSecsSinceEpoch()];
    if (known == entry) continue;
    known = std::move(entry);
    any = true;
  }
  if (!any) return;
  tellHistory();
  Q_EMIT changed();
}

void DecisionEvidence::tellHistory() {
  std::map<std::string, nlohmann::json> groups;
  for (const auto& [time, comparison] : history_) {
    nlohmann::json& report = groups[sharedText(comparison["recipe"])];
    if (report.is_null()) report = {{"schema", 1}, {"precisions", {study::kReference}}, {"comparisons", nlohmann::json::array()}};
    report["comparisons"].push_back(comparison);
    for (const nlohmann::json& sample : comparison["samples"])
      if (auto& names = report["precisions"]; std::find(names.begin(), names.end(),
          sample["precision"]) == names.end()) names.push_back(sample["precision"]);
  }
  for (auto& [shared, report] : groups) {
    keepOneClip(report);
    Source source{.key = QStringLiteral("history:") + QString::fromStdString(shared), .found = {}};
    decision::addComparison(source.found.evidence, report, tr("the history").toStdString(), report["comparisons"].back()["created"]);
    put(std::move(source));
  }
}

void DecisionEvidence::lookIn(const QStringList& folders) {
  using Runs = std::vector<std::pair<std::string, decision::Evidence>>;   // file, what it tells
  const auto look = [folders, model = model_.toStdString(), folder = folder_.toStdString()] {
    Runs runs;
    for (const QString& place : folders)
      for (const std::filesystem::path& path : decision::findComparisons(place.toStdString())) try {
        decision::Evidence evidence;
        const std::string of = decision::readComparison(evidence, path);
        if (of == model || of == folder) runs.emplace_back(path.string(), std::move(evidence));
      } catch (const std::runtime_error&) {
        // Not one of ours: nobody asked for it.
      }
    return runs;
  };
  background_.run<Runs>(look, [this, model = model_](Runs runs) {
    if (model != model_ || runs.empty()) return;
    for (auto& [file, evidence] : runs) {
      const QString key = QString::fromStdString(file);
      const auto known = std::ranges::find(sources_, key, &Source::key);
      if (known == sources_.end() || !known->found.chosen) put({.key = key, .found = {std::move(evidence), false}});
    }
    Q_EMIT changed();
  }, [](const QString&) {});
}

void DecisionEvidence::addFile(const QString& path) {
  const QString file = QFileInfo(path).absoluteFilePath();
  put({.key = file, .found = {readAny(file), true}});
  remember("files", {{QStringLiteral("model"), model_}, {QStringLiteral("key"), file}});
  Q_EMIT changed();
}

void DecisionEvidence::addStudy(const QJsonObject& analysis) {
  Source source{.key = QStringLiteral("study:") + analysis[QStringLiteral("study")].toString(), .found = {}};
  const QString title = analysis[QStringLiteral("title")].toString();
  try {
    decision::addStudy(source.found.evidence, plain(analysis), title.toStdString(), today().toStdString());
  } catch (const std::runtime_error&) {
    return;                                        // a study that asks for something else than what can be noticed
  }
  remember("studies", {{QStringLiteral("model"), model_}, {QStringLiteral("key"), source.key}, {QStringLiteral("date"), today()},
                       {QStringLiteral("analysis"), analysis}});
  put(std::move(source));
  Q_EMIT changed();
}

void DecisionEvidence::setRatings(const std::vector<study::RatingMean>& ratings, const QString& name) {
  const QString key = QStringLiteral("ratings");
  const auto known = std::ranges::find(sources_, key, &Source::key);
  if (ratings.empty()) {
    if (known == sources_.end()) return;
    sources_.erase(known);
    return void(Q_EMIT changed());
  }
  nlohmann::json told = nlohmann::json::object();
  for (const study::RatingMean& one : ratings) {
    nlohmann::json& rating = told[one.precision.toStdString()] = toldOf(one.mean);
    if (one.change) rating["change"] = toldOf(*one.change);
  }
  Source source{.key = key, .found = {}};
  decision::addRatings(source.found.evidence, told, name.toStdString(), today().toStdString());
  put(std::move(source));
  Q_EMIT changed();
}

void DecisionEvidence::addMix(const std::string& policy, const nlohmann::json& scan, const std::string& low, double error) {
  Source source{.key = QStringLiteral("mix:") + QString::fromStdString(policy), .found = {}};
  decision::addScan(source.found.evidence, scan, low);
  source.found.evidence.byPrecision[policy].latentError = error;
  put(std::move(source));
  Q_EMIT changed();
}

void DecisionEvidence::put(Source source) {
  const QJsonArray unused = saved_[QStringLiteral("unused")].toArray();
  source.used = !unused.contains(source.key);
  const auto known = std::ranges::find(sources_, source.key, &Source::key);
  if (known != sources_.end()) *known = std::move(source);
  else sources_.push_back(std::move(source));
}

void DecisionEvidence::setUsed(const QString& key, bool used) {
  const auto known = std::ranges::find(sources_, key, &Source::key);
  if (known == sources_.end() || known->used == used) return;
  known->used = used;
  QJsonArray unused;
  for (const QJsonValue& one : saved_[QStringLiteral("unused")].toArray())
    if (one.toString() != key) unused.append(one);
  if (!used) unused.append(key);
  saved_[QStringLiteral("unused")] = unused;
  Q_EMIT changed();
}

decision::Evidence DecisionEvidence::gathered(int steps, int width, int height) const {
  std::vector<decision::Found> found;
  for (const Source& source : sources_)
    if (source.used) found.push_back(source.found);
  return decision::gathered(std::move(found), steps, width, height);
}

void DecisionEvidence::remember(const char* list, const QJsonObject& entry) {
  QJsonArray all;
  for (const QJsonValue& one : saved_[QLatin1String(list)].toArray())
    if (one[QStringLiteral("model")] != entry[QStringLiteral("model")] || one[QStringLiteral("key")] != entry[QStringLiteral("key")]) all.append(one);
  all.append(entry);
  saved_[QLatin1String(list)] = all;
}

void DecisionEvidence::restore(const QJsonObject& saved) {
  saved_ = saved;
  takeRemembered();
  Q_EMIT changed();
}

void DecisionEvidence::takeRemembered() {
  const auto ofModel = [this](const char* list) {
    QList<QJsonObject> found;
    for (const QJsonValue& one : saved_[QLatin1String(list)].toArray())
      if (one[QStringLiteral("model")].toString() == model_) found << one.toObject();
    return found;
  };
  for (const QJsonObject& file : ofModel("files")) try {
    put({.key = file[QStringLiteral("key")].toString(), .found = {readAny(file[QStringLiteral("key")].toString()), true}});
  } catch (const std::runtime_error&) {
    // It is gone; it comes back when its disk does.
  }
  for (const QJsonObject& study : ofModel("studies")) try {
    Source source{.key = study[QStringLiteral("key")].toString(), .found = {}};
    const QJsonObject analysis = study[QStringLiteral("analysis")].toObject();
    decision::addStudy(source.found.evidence, plain(analysis), analysis[QStringLiteral("title")].toString().toStdString(),
                       study[QStringLiteral("date")].toString().toStdString());
    put(std::move(source));
  } catch (const std::runtime_error&) {
    // An edited file.
  }
}

}  // namespace quantspot::ui
