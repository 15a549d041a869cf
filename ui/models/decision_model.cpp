#include "ui/models/decision_model.h"

#include "decision/checks.h"
#include "decision/figures.h"
#include "decision/mix.h"
#include "decision/python_snippet.h"
#include "ui/models/precision_list_model.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>
#include <map>
#include <optional>

namespace quantspot::ui {
namespace {

using decision::Candidate;

constexpr int kSoon = 60;                // ms: a slider that is dragged asks once
constexpr double kMostMemory = 1e18;     // of an edited file: a limit that bytes can hold

QString qt(const std::string& text) { return QString::fromStdString(text); }

QString signedGrade(double change) { return (change < 0 ? QStringLiteral("−") : QStringLiteral("+")) + QString::number(std::abs(change), 'f', 1); }

std::optional<double> optionalAt(const QJsonObject& object, const char* key) {
  const QJsonValue value = object[QLatin1String(key)];
  return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

QJsonObject toJson(const decision::Constraints& limits) {
  QJsonObject json = {{QStringLiteral("max_memory"), static_cast<double>(limits.maxMemory)}, {QStringLiteral("max_seconds"), limits.maxSeconds},
                      {QStringLiteral("offload"), limits.offload}};
  const auto add = [&](const char* key, std::optional<double> value) { if (value) json[QLatin1String(key)] = *value; };
  add("min_clip_change", limits.minClipChange), add("min_psnr", limits.minPsnr), add("max_lpips", limits.maxLpips),
      add("max_visible", limits.maxVisible), add("min_rating", limits.minRating);
  return json;
}

decision::Constraints limitsOf(const QJsonObject& json) {
  decision::Constraints limits;
  limits.maxMemory = static_cast<std::int64_t>(std::clamp(json[QStringLiteral("max_memory")].toDouble(), 0.0, kMostMemory));
  limits.maxSeconds = std::max(0.0, json[QStringLiteral("max_seconds")].toDouble());
  limits.minClipChange = optionalAt(json, "min_clip_change"), limits.minPsnr = optionalAt(json, "min_psnr");
  limits.maxLpips = optionalAt(json, "max_lpips"), limits.maxVisible = optionalAt(json, "max_visible");
  limits.minRating = optionalAt(json, "min_rating");
  if (limits.minRating) limits.minRating = std::clamp(*limits.minRating, 1.0, 5.0);   // settings may have been edited
  limits.offload = json[QStringLiteral("offload")].toBool(true);
  return limits;
}

// What the engine is at, in words; a stage of a later engine by its own name.
QString stageText(const std::string& stage) {
  static const std::map<std::string, QString> words = {
      {"load", DecisionModel::tr("packing layers")}, {"copy", DecisionModel::tr("copying parts")}, {"hash", DecisionModel::tr("hashing files")},
      {"scan", DecisionModel::tr("measuring blocks")}, {"estimate", DecisionModel::tr("counting memory")},
      {"denoise", DecisionModel::tr("drawing steps")}, {"decode", DecisionModel::tr("decoding")},
      {"encode", DecisionModel::tr("reading the prompt")}};
  const auto found = words.find(stage);
  return found == words.end() ? qt(stage) : found->second;
}

bool hasReference(const decision::Question& question) {
  return std::ranges::any_of(question.options, [](const decision::Option& one) { return one.precision == "bf16" && one.memory.error.empty(); });
}

// What a model was made for, where it lies on this machine (engine/pipeline/recipe.h, completeRecipe): diffusers does not know of it.
std::optional<int> ownSequenceLength(const QString& folder) {
  QFile file(folder + QStringLiteral("/quantspot.json"));
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QJsonValue length = QJsonDocument::fromJson(file.readAll())[QStringLiteral("max_sequence_length")];
  return length.isDouble() ? std::optional(length.toInt()) : std::nullopt;
}

}  // namespace

DecisionModel::DecisionModel(EngineClient* engine, QObject* parent) : QAbstractTableModel(parent), engine_(engine) {
  soon_.setSingleShot(true);
  soon_.setInterval(kSoon);
  connect(&soon_, &QTimer::timeout, this, &DecisionModel::request);
  connect(engine_, &EngineClient::progress, this, [this](const protocol::Progress& progress) {
    if (isExporting() && progress.id == export_ && progress.steps > 0)
      Q_EMIT exportProgress(tr("Exporting: %1, %2 of %3").arg(stageText(progress.stage)).arg(progress.step).arg(progress.steps), progress.step,
          progress.steps);
    if (isSearching() && progress.id == search_ && progress.steps > 0)
      Q_EMIT searchProgress(tr("Looking for a mix: %1, %2 of %3").arg(stageText(progress.stage)).arg(progress.step).arg(progress.steps));
  });
  connect(&evidence_, &DecisionEvidence::changed, this, [this] {
    gather();
    decide();
    ask();                                          // policies that somebody measured may be the answer, too
    save();
  });
  evidence_.setModel(model_, folder_);
  setEngineInfo(nlohmann::json::object());
}

void DecisionModel::setEngineInfo(const nlohmann::json& engine) {
  hardware_ = decision::foundHardware(engine);
  const auto& known = decision::knownGpus();
  hardware_.insert(hardware_.end(), known.begin(), known.end());
  hardware_index_ = hardware_.size() > known.size() + 1 ? 1 : 0;   // a GPU that is there
  const auto wanted = std::ranges::find(hardware_, wanted_, &decision::Hardware::id);
  if (wanted != hardware_.end()) hardware_index_ = static_cast<int>(wanted - hardware_.begin());
  Q_EMIT hardwareChanged();
  ask();
}

void DecisionModel::setHardware(int index) {
  if (index < 0 || index >= static_cast<int>(hardware_.size()) || index == hardware_index_) return;
  const bool gpu = hardware_[static_cast<std::size_t>(hardware_index_)].gpu;
  hardware_index_ = index;
  wanted_ = hardware_[static_cast<std::size_t>(index)].id;
  save();
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
  evidence_.setModel(path, folder_);                // what was known was about another model
  if (path == model_ && family == family_) return;
  model_ = path, family_ = family;
  ask();
}

void DecisionModel::setRecipe(const protocol::Recipe& recipe) {
  if (recipe == recipe_) return;
  recipe_ = recipe;
  gather();
  ask();
}

void DecisionModel::setActive(bool active) {
  active_ = active;
  if (!active_) return;
  if (stale_) soon_.start();
  if (!folders_.isEmpty()) evidence_.lookIn(folders_);
  Q_EMIT shown();
}

void DecisionModel::ask() {
  stale_ = true;
  if (active_) soon_.start();
}

void DecisionModel::request() {
  if (call_ != 0 || precisions_.empty()) return;    // the answer that is under way asks again when it is stale
  stale_ = false;
  if (!decision_) problem_.clear();                 // of the attempt before
  protocol::EstimateParams params{.model = model_.toStdString(), .precisions = {}, .recipe = recipe_, .batch = 1,
      .gpu = hardware_[static_cast<std::size_t>(hardware_index_)].gpu};
  for (const protocol::PrecisionInfo& one : precisions_) params.precisions.push_back(one.id);
  for (const auto& [policy, known] : known_.byPrecision)   // policies that somebody measured or judged may be the answer, too
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
        stale_ = true;                              // whoever looks at the page again asks again
      });
  Q_EMIT changed();
}

void DecisionModel::setConstraints(const decision::Constraints& constraints) {
  constraints_ = constraints;
  save();
  decide();
}

bool DecisionModel::addEvidence(const QString& path) try {
  problem_.clear();
  evidence_.addFile(path);
  return true;
} catch (const std::exception& error) {
  problem_ = QString::fromUtf8(error.what());
  Q_EMIT changed();
  return false;
}

void DecisionModel::gather() { known_ = evidence_.gathered(recipe_.steps, recipe_.width, recipe_.height); }

void DecisionModel::keepIn(const QString& file) {
  QFile saved(file);
  if (saved.open(QIODevice::ReadOnly)) {
    const QJsonObject json = QJsonDocument::fromJson(saved.readAll()).object();
    constraints_ = limitsOf(json[QStringLiteral("limits")].toObject());
    wanted_ = json[QStringLiteral("hardware")].toString().toStdString();
    evidence_.restore(json[QStringLiteral("evidence")].toObject());
    const auto wanted = std::ranges::find(hardware_, wanted_, &decision::Hardware::id);
    if (wanted != hardware_.end()) setHardware(static_cast<int>(wanted - hardware_.begin()));
  }
  file_ = file;
  decide();
}

void DecisionModel::save() const {
  if (file_.isEmpty()) return;
  QSaveFile out(file_);
  const QJsonObject json = {{QStringLiteral("schema"), 1}, {QStringLiteral("limits"), toJson(constraints_)},
                            {QStringLiteral("hardware"), qt(hardware_[static_cast<std::size_t>(hardware_index_)].id)},
                            {QStringLiteral("evidence"), evidence_.saved()}};
  if (!out.open(QIODevice::WriteOnly)) return;      // a full disk costs the settings, not the work
  out.write(QJsonDocument(json).toJson());
  out.commit();
}

void DecisionModel::searchMix(const QString& low) {
  if (isSearching() || !decision_) return;
  protocol::ScanParams params{.model = model_.toStdString(), .precision = low.toStdString(), .recipe = recipe_, .prompts = {recipe_.prompt},
      .blocks = true};
  try {
    params.max_bytes = decision::roomForMix(question(), params.precision);
  } catch (const std::invalid_argument& error) {
    Q_EMIT searched(QString::fromUtf8(error.what()), false);
    return;
  }
  search_ = engine_->call<protocol::ScanResult>(
      QStringLiteral("policies/scan"), params, this,
      [this, low = params.precision](const protocol::ScanResult& result) {
        search_ = 0;
        takeFound(low, result);
      },
      [this](const RpcError& error) {
        search_ = 0;
        Q_EMIT searched(error.code == protocol::Cancelled ? tr("The search was cancelled.") : error.message, false);
      });
  Q_EMIT searchProgress(tr("Looking for a mix of bf16 and %1…").arg(low));
}

void DecisionModel::takeFound(const std::string& low, const protocol::ScanResult& result) {
  if (!result.found) return void(Q_EMIT searched(tr("No mix of bf16 and %1 fits.").arg(qt(low)), false));
  const protocol::FoundPolicy& found = *result.found;
  evidence_.addMix(found.policy, result, low, found.measured);
  Q_EMIT searched(tr("%n block(s) at %1, the rest at bf16: latents %2 % off those of bf16, measured on the whole model (%3 checks).", nullptr,
                     static_cast<int>(found.low.size())).arg(qt(low)).arg(100 * found.measured, 0, 'g', 3).arg(found.checks), true);
}

void DecisionModel::cancelSearch() {
  if (isSearching()) engine_->cancel(search_);
}

decision::Question DecisionModel::question() const {
  decision::Question made{.model = model_.toStdString(), .hardware = hardware_[static_cast<std::size_t>(hardware_index_)],
      .constraints = constraints_, .options = {},
                          .evidence = known_, .steps = recipe_.steps, .width = recipe_.width, .height = recipe_.height, .reserve = 0};
  made.reserve = made.hardware.gpu ? decision::kGpuReserve : process_bytes_;
  for (const decision::MemoryEstimate& estimate : estimates_)
    if (const protocol::PrecisionInfo* info = infoOf(estimate.precision)) made.options.push_back({estimate.precision, info->bits, estimate});
  for (decision::Option& option : made.options)     // of a mix, its own
    if (option.precision.find('?') != option.precision.npos && option.memory.error.empty() && hasReference(made))
      option = decision::mixOption(made, option.precision, option.memory);
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
  if (!problem_.isEmpty()) return problem_.left(1).toUpper() + problem_.mid(1);
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
  for (const decision::EvidenceSource& source : known_.sources)
    all << QStringLiteral("%1 (%2%3): %4").arg(qt(source.kind), qt(source.name), source.date.empty() ? QString()
        : QStringLiteral(", ") + qt(source.date),
                                               qt(source.text));
  return all;
}

QStringList DecisionModel::figures(const QString& precision) const {
  const decision::PrecisionEvidence& known = known_.of(precision.toStdString());
  QStringList all;
  const auto add = [&](const QString& text,
      const decision::Figure& figure) { all << text + QStringLiteral(" (%1)").arg(qt(decision::originText(figure))); };
  if (known.seconds)
    add(tr("%1 per picture on %2, %3, %4 steps").arg(qt(decision::seconds(known.seconds->value)), qt(known.seconds->device),
          qt(decision::sizeText(known.seconds->width, known.seconds->height))).arg(known.seconds->steps), *known.seconds);
  if (known.clipChange) add(qt(known.clipChange->label + " " + decision::signedPercent(known.clipChange->value)), *known.clipChange);
  if (known.psnr) add(tr("PSNR %1 dB").arg(known.psnr->value, 0, 'f', 1), *known.psnr);
  if (known.lpips) add(tr("LPIPS %1").arg(known.lpips->value, 0, 'f', 3), *known.lpips);
  if (known.rating) {
    add(tr("rated %1").arg(qt(decision::gradeText(*known.rating))), *known.rating);
  }
  if (known.ratingChange) add(tr("%1 grades against bf16 beside it").arg(signedGrade(known.ratingChange->value)), *known.ratingChange);
  if (known.latentError) all << tr("latents %1 % off those of bf16 (measured on the whole model)").arg(100 * *known.latentError, 0, 'g', 3);
  if (known.seen) {
    const QString date = known.seen->date.empty() ? QString() : QStringLiteral(", ") + qt(known.seen->date);
    all << tr("%1: noticed by %2 (N = %3 answers of %4 people, “%5”%6)")
               .arg(qt(known.seen->verdict), qt(decision::percent(known.seen->detection, 0)))
             .arg(known.seen->trials).arg(known.seen->people).arg(qt(known.seen->study), date);
  }
  return all;
}

QString DecisionModel::pythonText(const QString& precision, const QString& folder, QString* why) const {
  try {
    decision::SnippetRequest request{.family = family_.toStdString(), .model = folder_.toStdString(), .policy = precision.toStdString()};
    if (!recipe_.prompt.empty()) request.prompt = recipe_.prompt;
    request.negative_prompt = recipe_.negative_prompt.value_or("");
    request.seed = recipe_.seed, request.steps = recipe_.steps, request.width = recipe_.width, request.height = recipe_.height,
        request.guidance = recipe_.guidance;
    request.max_sequence_length = recipe_.max_sequence_length ? recipe_.max_sequence_length : ownSequenceLength(folder_);
    if (request.policy.starts_with("gguf-")) request.exported = folder.toStdString();
    return qt(decision::pythonSnippet(request));
  } catch (const std::invalid_argument& error) {
    *why = QString::fromUtf8(error.what());
    return {};
  }
}

void DecisionModel::exportTo(const QString& precision, const QString& out) {
  if (isExporting()) return;
  const protocol::ExportParams params{.model = model_.toStdString(), .precision = precision.toStdString(), .out = out.toStdString(), .images = {},
      .recipe = recipe_, .force = false};
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
  Q_EMIT exportProgress(tr("Exporting %1…").arg(precision), 0, 0);
}

qint64 DecisionModel::exportBytes(const QString& precision) const {
  // fp8's convolutions are written in 16 bits and cast when they are loaded, int8-dynamic's layers in 32: rather too much than too little.
  const QString written = precision.startsWith(QLatin1String("fp8-layerwise")) ? QStringLiteral("bf16")
                          : precision.startsWith(QLatin1String("int8-dynamic")) ? QStringLiteral("fp32") : precision;
  const auto known = std::ranges::find(estimates_, written.toStdString(), &decision::MemoryEstimate::precision);
  if (known == estimates_.end()) return 0;
  const qint64 all = known->at(decision::Placement::Together).denoise.weights, denoiser = known->at(decision::Placement::InTurn).denoise.weights;
  const bool twice = precision.startsWith(QLatin1String("gguf-")) && family_.startsWith(QLatin1String("sd")) && family_ != QLatin1String("sd3");
  return all + (twice ? all - denoiser : 0);       // a UNet's other parts once more in one file, for stable-diffusion.cpp
}

bool DecisionModel::engineIsHere() const { return QFileInfo(engine_->command().program).fileName() != QLatin1String("ssh"); }

void DecisionModel::cancelExport() {
  if (isExporting()) engine_->cancel(export_);
}

int DecisionModel::rowCount(const QModelIndex& parent) const { return parent.isValid() || !decision_ ? 0
    : static_cast<int>(decision_->ranked.size()); }
int DecisionModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString DecisionModel::text(const Candidate& candidate, int column) const {
  const decision::PrecisionEvidence& known = known_.of(candidate.precision);
  switch (column) {
    case Precision: return qt(candidate.precision);
    case Memory: return qt(decision::gib(candidate.needs));
    case Placement: return qt(std::string(decision::placementText(candidate.placement)));
    case Time: return known.seconds ? tr("%1, N = %2").arg(qt(decision::seconds(known.seconds->value))).arg(known.seconds->n) : tr("–");
    case Clip: return known.clipChange ? tr("%1, N = %2").arg(qt(decision::signedPercent(known.clipChange->value))).arg(known.clipChange->n)
        : tr("–");
    case Seen: {
      if (!known.seen) return tr("–");
      const auto& interval = known.seen->interval;
      return interval ? tr("%1 (to %2)").arg(qt(decision::percent(known.seen->detection, 0)), qt(decision::percent(interval->high, 0)))
          : qt(decision::percent(known.seen->detection, 0));
    }
    case Rated: return known.rating ? tr("%1, N = %2").arg(known.rating->value, 0, 'f', 1).arg(known.rating->n) : tr("–");
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
      return (lines + figures(qt(candidate.precision))).join(u'\n');
    }
    default: return {};
  }
}

QVariant DecisionModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case Precision: return tr("Precision");
    case Memory: return tr("Needs");
    case Placement: return tr("Placement");
    case Time: return tr("Per picture");
    case Clip: return clipLabel();
    case Seen: return tr("Noticed by");
    case Rated: return tr("Rated");
    case Verdict: return tr("Verdict");
    default: return {};
  }
}

}  // namespace quantspot::ui
