#include "ui/models/decision_model.h"

#include "decision/checks.h"
#include "decision/evidence_files.h"
#include "decision/figures.h"
#include "decision/gpu_table.h"
#include "decision/python_snippet.h"
#include "ui/models/precision_list_model.h"

#include <QJsonDocument>

#include <algorithm>

namespace quantspot::ui {
namespace {

using decision::Candidate;

constexpr int kSoon = 60;                // ms: a slider that is dragged asks once

QString qt(const std::string& text) { return QString::fromStdString(text); }

nlohmann::json plain(const QJsonObject& object) {
  return nlohmann::json::parse(QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString());
}

}  // namespace

DecisionModel::DecisionModel(EngineClient* engine, QObject* parent) : QAbstractTableModel(parent), engine_(engine) {
  soon_.setSingleShot(true);
  soon_.setInterval(kSoon);
  connect(&soon_, &QTimer::timeout, this, &DecisionModel::request);
  connect(engine_, &EngineClient::progress, this, [this](const protocol::Progress& progress) {
    if (isExporting() && progress.id == export_ && progress.steps > 0)
      Q_EMIT exportProgress(tr("Exporting: %1, %2 of %3").arg(qt(progress.stage)).arg(progress.step).arg(progress.steps));
  });
  setEngineInfo(nlohmann::json::object());
}

void DecisionModel::setEngineInfo(const nlohmann::json& engine) {
  hardware_ = decision::foundHardware(engine);
  const auto& known = decision::knownGpus();
  hardware_.insert(hardware_.end(), known.begin(), known.end());
  hardware_index_ = hardware_.size() > known.size() + 1 ? 1 : 0;   // a GPU that is there
  Q_EMIT hardwareChanged();
  ask();
}

void DecisionModel::setHardware(int index) {
  if (index < 0 || index >= static_cast<int>(hardware_.size()) || index == hardware_index_) return;
  const bool gpu = hardware_[static_cast<std::size_t>(hardware_index_)].gpu;
  hardware_index_ = index;
  if (gpu != hardware_[static_cast<std::size_t>(index)].gpu) ask();   // activations differ
  else decide();
}

void DecisionModel::setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions) {
  precisions_.clear();
  for (const protocol::PrecisionInfo& one : precisions)
    if (one.id != "fp32" && one.id != "fp16") precisions_.push_back(one);   // they hold no more than the reference does
  ask();
}

void DecisionModel::setModel(const QString& path, const QString& family, const QString& folder) {
  folder_ = folder.isEmpty() ? path : folder;
  if (path == model_ && family == family_) return;
  if (path != model_) evidence_ = {}, drawn_ = nullptr;   // it was about another model
  model_ = path, family_ = family;
  ask();
}

void DecisionModel::setRecipe(const protocol::Recipe& recipe) {
  if (recipe == recipe_) return;
  recipe_ = recipe;
  ask();
}

void DecisionModel::setActive(bool active) {
  active_ = active;
  if (active_ && stale_) soon_.start();
}

void DecisionModel::ask() {
  stale_ = true;
  if (active_) soon_.start();
}

void DecisionModel::request() {
  if (call_ != 0 || precisions_.empty()) return;    // the answer that is under way asks again when it is stale
  stale_ = false;
  protocol::EstimateParams params{.model = model_.toStdString(), .precisions = {}, .recipe = recipe_, .batch = 1, .gpu = hardware_[static_cast<std::size_t>(hardware_index_)].gpu};
  for (const protocol::PrecisionInfo& one : precisions_) params.precisions.push_back(one.id);
  for (const auto& [policy, known] : evidence_.byPrecision)   // policies that somebody measured or judged may be the answer, too
    if (policy.find('?') != policy.npos && infoOf(policy)) params.precisions.push_back(policy);
  const auto done = [this] {
    call_ = 0;
    if (stale_) soon_.start();
    decide();
  };
  call_ = engine_->call<protocol::EstimateResult>(
      QStringLiteral("memory/estimate"), params, this,
      [this, done](const protocol::EstimateResult& result) {
        estimates_ = decision::memoryEstimates(result);
        process_bytes_ = result.process_bytes;
        problem_.clear();
        done();
      },
      [this, done](const RpcError& error) {
        estimates_.clear();
        problem_ = error.message;
        done();
      });
  Q_EMIT changed();
}

void DecisionModel::setMaxMemory(qint64 bytes) { constraints_.maxMemory = bytes, decide(); }
void DecisionModel::setMaxSeconds(double seconds) { constraints_.maxSeconds = seconds, decide(); }
void DecisionModel::setMaxVisible(std::optional<double> share) { constraints_.maxVisible = share, decide(); }
void DecisionModel::setOffload(bool allowed) { constraints_.offload = allowed, decide(); }

bool DecisionModel::addEvidence(const QString& path) {
  const std::filesystem::path file = path.toStdString();
  decision::Evidence more = evidence_;
  std::string why;
  for (const auto read : {decision::readComparison, decision::readStudy}) try {
    read(more, file);
    evidence_ = std::move(more);
    problem_.clear();
    decide();
    ask();
    return true;
  } catch (const std::exception& error) {
    why = why.empty() ? error.what() : tr("%1: neither a report of a comparison nor the analysis of a study").arg(path).toStdString();
    more = evidence_;
  }
  problem_ = qt(why);
  Q_EMIT changed();
  return false;
}

void DecisionModel::learn(const ComparisonResult& comparison) {
  if (comparison.model != model_) return;
  nlohmann::json samples = nlohmann::json::array();
  std::vector<std::string> names = {"bf16"};        // the reference, wherever it stands
  bool reference = false;
  for (const SampleResult& one : comparison.samples) {
    if (one.sample.report.isEmpty()) continue;
    const std::string precision = one.sample.precision.toStdString();
    reference = reference || precision == names.front();
    names.push_back(precision);
    nlohmann::json scores = nlohmann::json::object();
    if (one.sample.scores.clip) scores["clip"] = *one.sample.scores.clip;
    if (one.sample.scores.psnr) scores["psnr"] = *one.sample.scores.psnr;   // an infinite one is no number in JSON
    samples.push_back({{"precision", precision}, {"scores", scores}, {"report", plain(one.sample.report)}});
  }
  if (!reference) return;
  if (drawn_.is_null()) drawn_ = {{"schema", 1}, {"precisions", names}, {"comparisons", nlohmann::json::array()}};
  for (const std::string& name : names)
    if (auto& known = drawn_["precisions"]; std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  // The same pictures come again once they are scored.
  const qint64 created = comparison.created.toMSecsSinceEpoch();
  nlohmann::json& all = drawn_["comparisons"];
  all.erase(std::remove_if(all.begin(), all.end(), [&](const nlohmann::json& one) { return one["created"] == created; }), all.end());
  all.push_back({{"created", created}, {"recipe", comparison.recipe}, {"samples", samples}});
  std::erase_if(evidence_.sources, [](const decision::EvidenceSource& source) { return source.name == "drawn here"; });
  decision::addComparison(evidence_, drawn_, "drawn here");
  decide();
}

decision::Question DecisionModel::question() const {
  decision::Question made{.model = model_.toStdString(), .hardware = hardware_[static_cast<std::size_t>(hardware_index_)], .constraints = constraints_, .options = {},
                          .evidence = evidence_, .steps = recipe_.steps, .reserve = 0};
  made.reserve = made.hardware.gpu ? decision::kGpuReserve : process_bytes_;
  for (const decision::MemoryEstimate& estimate : estimates_)
    if (const protocol::PrecisionInfo* info = infoOf(estimate.precision)) made.options.push_back({estimate.precision, info->bits, estimate});
  return made;
}

const protocol::PrecisionInfo* DecisionModel::infoOf(const std::string& policy) const {
  const auto found = std::ranges::find(precisions_, policy.substr(0, policy.find('?')), &protocol::PrecisionInfo::id);
  return found == precisions_.end() ? nullptr : &*found;
}

void DecisionModel::decide() {
  beginResetModel();
  decision_.reset();
  if (!estimates_.empty()) try {
    decision_ = decision::decide(question());
  } catch (const std::invalid_argument& error) {
    problem_ = qt(error.what());
  }
  endResetModel();
  Q_EMIT changed();
}

QString DecisionModel::sentence() const {
  if (decision_) return qt(decision_->sentence);
  if (!problem_.isEmpty()) return problem_;
  return isBusy() ? tr("Counting what each precision needs…") : tr("The engine has not told yet what it found.");
}

QString DecisionModel::chosen() const { return decision_ && decision_->chosen ? qt(decision_->ranked[*decision_->chosen].precision) : QString(); }

QStringList DecisionModel::changes() const {
  QStringList all;
  if (decision_)
    for (const decision::Change& change : decision_->changes) all << qt(change.text);
  return all;
}

QStringList DecisionModel::unknown() const {
  QStringList all;
  if (decision_)
    for (const std::string& fact : decision_->unknown) all << qt(fact);
  return all;
}

QStringList DecisionModel::sources() const {
  QStringList all;
  for (const decision::EvidenceSource& source : evidence_.sources) all << QStringLiteral("%1 (%2): %3").arg(qt(source.kind), qt(source.name), qt(source.text));
  return all;
}

QString DecisionModel::pythonText(const QString& precision, QString* why) const {
  try {
    decision::SnippetRequest request{.family = family_.toStdString(), .model = folder_.toStdString(), .policy = precision.toStdString()};
    if (!recipe_.prompt.empty()) request.prompt = recipe_.prompt;
    request.negative_prompt = recipe_.negative_prompt.value_or("");
    request.seed = recipe_.seed, request.steps = recipe_.steps, request.width = recipe_.width, request.height = recipe_.height, request.guidance = recipe_.guidance;
    if (request.policy.starts_with("gguf-")) request.exported = "exported.gguf";
    return qt(decision::pythonSnippet(request));
  } catch (const std::invalid_argument& error) {
    *why = QString::fromUtf8(error.what());
    return {};
  }
}

void DecisionModel::exportTo(const QString& precision, const QString& out) {
  if (isExporting()) return;
  const protocol::ExportParams params{.model = model_.toStdString(), .precision = precision.toStdString(), .out = out.toStdString(), .images = {}, .recipe = recipe_, .force = false};
  export_ = engine_->call<protocol::ExportResult>(
      QStringLiteral("exports/write"), params, this,
      [this, precision](const protocol::ExportResult& result) {
        export_ = 0;
        Q_EMIT exported(tr("%1 is in %2 (%3).").arg(precision, qt(result.out), fileSizeText(result.bytes)), true);
      },
      [this](const RpcError& error) {
        export_ = 0;
        Q_EMIT exported(error.code == protocol::Cancelled ? tr("Nothing was exported.") : error.message, false);
      });
  Q_EMIT exportProgress(tr("Exporting %1…").arg(precision));
}

void DecisionModel::cancelExport() {
  if (isExporting()) engine_->cancel(export_);
}

int DecisionModel::rowCount(const QModelIndex& parent) const { return parent.isValid() || !decision_ ? 0 : static_cast<int>(decision_->ranked.size()); }
int DecisionModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString DecisionModel::text(const Candidate& candidate, int column) const {
  const decision::PrecisionEvidence& known = evidence_.of(candidate.precision);
  switch (column) {
    case Precision: return qt(candidate.precision);
    case Memory: return qt(decision::gib(candidate.needs));
    case Placement: return qt(std::string(decision::placementText(candidate.placement)));
    case Time: return known.seconds ? tr("%1, N = %2").arg(qt(decision::seconds(known.seconds->value))).arg(known.seconds->n) : tr("not timed");
    case Clip: return known.clipChange ? tr("%1, N = %2").arg(qt(decision::signedPercent(known.clipChange->value))).arg(known.clipChange->n) : tr("–");
    case Seen: {
      if (!known.seen) return tr("nobody asked");
      const auto& interval = known.seen->interval;
      return interval ? tr("%1 (to %2)").arg(qt(decision::percent(known.seen->detection, 0)), qt(decision::percent(interval->high, 0))) : qt(decision::percent(known.seen->detection, 0));
    }
    default: break;
  }
  for (const decision::Check& check : candidate.checks)
    if (check.verdict == decision::Verdict::Broken) return qt(check.text);
  for (const decision::Check& check : candidate.checks)
    if (check.verdict == decision::Verdict::Unknown) return tr("open: %1").arg(qt(check.text));
  return tr("met");
}

QVariant DecisionModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Candidate& candidate = decision_->ranked[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole: return text(candidate, index.column());
    case IdRole: return qt(candidate.precision);
    case PossibleRole: return candidate.possible();
    case ChosenRole: return decision_->chosen && static_cast<int>(*decision_->chosen) == index.row();
    case Qt::ToolTipRole:
    case ChecksRole: {
      QStringList lines;
      for (const decision::Check& check : candidate.checks) lines << QStringLiteral("%1: %2").arg(qt(check.constraint), qt(check.text));
      return lines.join(u'\n');
    }
    default: return {};
  }
}

QVariant DecisionModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case Precision: return tr("Precision");
    case Memory: return tr("Needs");
    case Placement: return tr("Where its weights are");
    case Time: return tr("Per picture");
    case Clip: return tr("CLIP score");
    case Seen: return tr("Noticed by");
    case Verdict: return tr("Verdict");
    default: return {};
  }
}

}  // namespace quantspot::ui
