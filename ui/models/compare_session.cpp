#include "ui/models/compare_session.h"

#include "study/answers_table.h"
#include "ui/models/picture_import.h"
#include "ui/models/precision_names.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QRandomGenerator>
#include <QSaveFile>

#include <algorithm>

namespace quantspot::ui {
namespace {

QStringList layerNames(const protocol::InspectResult& model) {
  QStringList names;
  for (const protocol::LayerEntry& layer : model.layers) names << QString::fromStdString(layer.name);
  return names;
}

// Beside the database; of one in memory: none.
QString policyFolder(const study::StudyStore& store) {
  if (!store.isOpen() || store.path() == QLatin1String(":memory:")) return {};
  return QFileInfo(store.path()).absoluteDir().filePath(QStringLiteral("policies"));
}

QString modelsFile(const study::StudyStore& store) {
  const QString policies = policyFolder(store);
  return policies.isEmpty() ? QString() : QFileInfo(policies).path() + QStringLiteral("/models.json");
}

}  // namespace

CompareSession::CompareSession(EngineClient* engine, study::StudyStore* store, QObject* parent)
    : QObject(parent), engine_(engine), store_(store), runner_(engine), trial_(store), history_(store), score_(store),
      policies_(policyFolder(*store)), opened_(modelsFile(*store)), draft_(engine), scan_(engine), decision_(engine),
      inspect_context_(std::make_unique<QObject>()) {
  if (const auto latest = store_->comparison(history_.comparisonAt(0))) estimate_.learn(fromStored(*latest));
  connect(engine, &EngineClient::initialized, this, &CompareSession::onInitialized);
  connect(engine, &EngineClient::engineLost, this, &CompareSession::engineLost);
  connect(engine, &EngineClient::log, this, &CompareSession::engineLog);
  connect(store, &study::StudyStore::failed, this, &CompareSession::failed);
  connect(&trial_, &TrialController::failed, this, [this](const QString& message) {
    if (message != store_->lastError()) Q_EMIT failed(message);   // the store's own come from the store
  });
  connect(&runner_, &ComparisonRunner::statusChanged, this, &CompareSession::statusChanged);
  connect(&runner_, &ComparisonRunner::stateChanged, this, &CompareSession::busyChanged);
  connect(&runner_, &ComparisonRunner::variantFailed, this, &CompareSession::variantFailed);
  connect(&runner_, &ComparisonRunner::cancelled, this, &CompareSession::cancelled);
  connect(&runner_, &ComparisonRunner::failed, this, &CompareSession::failed);
  connect(&runner_, &ComparisonRunner::imagesReady, this, &CompareSession::onImagesReady);
  connect(&runner_, &ComparisonRunner::scored, this, &CompareSession::onScored);
  connect(&runner_, &ComparisonRunner::repeated, this, &CompareSession::onScored);
  connect(&policies_, &PolicyLibrary::changed, this, &CompareSession::listPolicies);
  connect(&precisions_, &QAbstractItemModel::rowsInserted, this, &CompareSession::requestInspect);
  connect(&decision_, &DecisionModel::shown, this, &CompareSession::tellDecision);
  connect(&score_, &ScoreSummary::changed, this, &CompareSession::tellRatings);
  connect(&trial_, &TrialController::revealed, this, [this] {
    names_seen_ = true;
    history_.hide(0);
    decision_.evidence()->learn({toStored(comparison_)});
    Q_EMIT revealed();
  });
}

// What lies in the history, but for what is still blind.
void CompareSession::tellDecision() {
  constexpr std::size_t kMost = 100;
  std::vector<study::Comparison> past;
  for (const study::ComparisonHead& head : store_->comparisons()) {
    if (head.model != model_ || past.size() == kMost) continue;
    if (head.id == comparison_.id && !comparison()) continue;
    if (auto stored = store_->comparison(head.id)) past.push_back(std::move(*stored));
  }
  decision_.evidence()->learn(past);
  tellRatings();
}

void CompareSession::tellRatings() { decision_.evidence()->setRatings(score_.ratings(model_), tr("your ratings, Compare page")); }

void CompareSession::connectEngine() { engine_->start(); }

void CompareSession::onInitialized(const protocol::InitializeResult& result) {
  engine_info_ = result.engine;
  precisions_.setPrecisions(result.precisions);
  draft_.setPrecisions(result.precisions);
  decision_.setEngineInfo(result.engine);
  decision_.setPrecisions(result.precisions);
  refreshModels();
  requestTraits();
}

void CompareSession::refreshModels() {
  engine_->call<protocol::ModelsListResult>(
      QStringLiteral("models/list"), nlohmann::json::object(), this,
      [this](const protocol::ModelsListResult& list) {
        models_ = opened_.with(list.models);
        decision_.setModel(model_, family(), modelFolder());
        Q_EMIT modelsChanged();
        listPolicies();
      },
      // The engine's death is told by engineLost.
      [this](const RpcError& error) { if (error.code != kEngineLost) Q_EMIT failed(error.message); });
}

void CompareSession::requestTraits() {
  const QString model = model_;
  engine_->call<protocol::ModelTraits>(
      QStringLiteral("models/traits"), protocol::TraitsParams{model.toStdString()}, this,
      [this, model](const protocol::ModelTraits& traits) {
        if (model != model_) return;   // another one was chosen meanwhile
        traits_ = traits;
        Q_EMIT traitsChanged();
      },
      // A model that cannot be read says so when it is used.
      [](const RpcError&) {});
}

QString CompareSession::scanEstimate(qint64 groups, qint64 prompts, const protocol::Recipe& recipe) const {
  const auto one = estimate_.need(model_, study::Task::NameEach, {QString::fromLatin1(study::kReference)}, recipe);
  return one ? durationText(one->seconds * static_cast<double>(picturesOfScan(groups, prompts))) : QString();
}

void CompareSession::setModel(const QString& path) {
  model_ = path;
  embeds_guidance_.reset();
  layers_.clear();
  precisions_.clearBytes();
  if (drafting_) draft_.setModel(path);
  scan_.forget();
  decision_.setModel(path, family(), modelFolder());
  traits_.reset();
  requestTraits();
  Q_EMIT modelInspected();
  listPolicies();
}

// Its configuration is read first: a folder that is no model says so, and the one before stays.
void CompareSession::openModel(const QString& path) {
  if (isBusy()) return Q_EMIT failed(tr("Another model can be opened when the pictures are drawn"));
  engine_->call<protocol::ModelTraits>(
      QStringLiteral("models/traits"), protocol::TraitsParams{path.toStdString()}, this,
      [this, path](const protocol::ModelTraits& traits) {
        opened_.add({.name = QFileInfo(path).fileName().toStdString(), .path = path.toStdString(), .family = traits.family});
        models_ = opened_.with(std::move(models_));
        if (!isBusy()) setModel(path);
        Q_EMIT modelsChanged();
      },
      [this](const RpcError& error) { if (error.code != kEngineLost) Q_EMIT failed(error.message); });
}

PolicyDraft* CompareSession::draft() {
  if (!std::exchange(drafting_, true)) draft_.setModel(model_);
  return &draft_;
}

void CompareSession::removePolicy(int row) {
  const QModelIndex index = precisions_.index(row);
  if (!index.data(PrecisionListModel::IsNamedRole).toBool()) return precisions_.removePolicy(row);
  if (!policies_.remove(index.data(Qt::DisplayRole).toString())) Q_EMIT failed(policies_.lastError());
}

// The embedded model is asked for by its name, and listed with its folder.
const protocol::ModelEntry* CompareSession::modelEntry() const {
  const auto entry = std::ranges::find_if(models_,
      [model = model_.toStdString()](const protocol::ModelEntry& one) { return one.path == model || one.name == model; });
  return entry == models_.end() ? nullptr : &*entry;
}

QString CompareSession::family() const { return modelEntry() ? QString::fromStdString(modelEntry()->family) : QString(); }
QString CompareSession::modelFolder() const { return modelEntry() ? QString::fromStdString(modelEntry()->path) : QString(); }

// The user's own policies as rows to tick. One that speaks of the last block waits until the model's blocks are known.
void CompareSession::listPolicies() {
  std::vector<std::pair<QString, QString>> named;
  for (const NamedPolicy& policy : policies_.policies(family()))
    if (!policy.shipped && (!needsLayers(policy) || !layers_.isEmpty())) named.emplace_back(policy.name, policyFor(policy, layers_));
  precisions_.setNamed(named);
  QHash<QString, QString> names;
  for (const auto& [name, text] : named) names.insert(text, name);
  setPolicyNames(std::move(names));
  requestInspect();
}

void CompareSession::requestInspect() {
  inspect_context_ = std::make_unique<QObject>();
  inspect_queue_.clear();
  for (int row = 0; row < precisions_.rowCount(); ++row)
    if (const QModelIndex index = precisions_.index(row); index.data(PrecisionListModel::BytesRole).isNull())
      inspect_queue_ << index.data(PrecisionListModel::IdRole).toString();
  inspectNext();
}

// One at a time, so that a comparison never waits behind more than one of them.
void CompareSession::inspectNext() {
  if (inspect_queue_.isEmpty() || isBusy()) return;
  const QString id = inspect_queue_.takeFirst();
  engine_->call<protocol::InspectResult>(
      QStringLiteral("models/inspect"), protocol::InspectParams{model_.toStdString(), id.toStdString(), false}, inspect_context_.get(),
      [this, id](const protocol::InspectResult& result) {
        precisions_.setBytes(id, result.bytes);
        const auto guides = [](const protocol::LayerEntry& layer) { return layer.name.find("guidance_embed") != std::string::npos; };
        // Beside FLUX, guidance is a second pass that every model takes.
        if (!result.layers.empty()) embeds_guidance_ = result.family != "flux" || std::any_of(result.layers.begin(), result.layers.end(), guides);
        const bool first = std::exchange(layers_, layerNames(result)).isEmpty();
        Q_EMIT modelInspected();
        if (first) listPolicies();
        else inspectNext();
      },
      [this](const RpcError& error) {
        // Sizes are an extra: a model that cannot be read says so when it is used.
        if (error.code == kEngineLost) inspect_queue_.clear();
        inspectNext();
      });
}

bool CompareSession::isBusy() const { return runner_.state() == ComparisonRunner::State::Generating; }

void CompareSession::generate(study::Task task, const protocol::Recipe& recipe, int tiles, RunOptions options) {
  if (isBusy()) return Q_EMIT failed(tr("A comparison is being generated; cancel it first."));
  ComparisonRequest request{.model = model_, .recipe = recipe, .variants = {}, .options = std::move(options)};
  QStringList ids = precisions_.checkedIds();
  if (task == study::Task::SpotOne) {
    const QString reference = QString::fromLatin1(study::kReference);
    ids.removeAll(reference);
    if (ids.isEmpty()) return Q_EMIT failed(tr("Nothing to spot: tick a quantized precision."));
    ids = {ids[QRandomGenerator::securelySeeded().bounded(static_cast<int>(ids.size()))]};
    request.variants.push_back({reference, std::max(tiles, 2) - 1});
  }
  for (const QString& id : ids) request.variants.push_back({id, 1});
  task_ = task;
  trial_.abandon();
  history_.hide(0);
  comparison_ = {};
  runner_.start(std::move(request));
}

void CompareSession::cancel() {
  if (isBusy()) runner_.cancel();
}

QString CompareSession::estimateText(study::Task task, const protocol::Recipe& recipe) const {
  const auto need = estimate_.need(model_, task, precisions_.checkedIds(), recipe);
  return need ? needText(*need) : QString();
}

void CompareSession::onImagesReady() {
  comparison_ = runner_.result();
  estimate_.learn(comparison_);
  names_seen_ = false;
  scored_ids_.clear();
  study::Comparison stored = toStored(comparison_);
  {
    // While it is blind its row in the history would tell the names: hidden before anyone hears of it.
    const QSignalBlocker quiet(store_);
    if (store_->addComparison(stored)) history_.hide(stored.id);
  }
  if (stored.id == 0) return Q_EMIT failed(store_->lastError());
  comparison_.id = stored.id;
  for (std::size_t i = 0; i < stored.samples.size(); ++i) {
    comparison_.samples[i].sample.id = stored.samples[i].id;
    scored_ids_.push_back(stored.samples[i].id);
  }
  for (const SampleResult& one : comparison_.samples)
    if (const QJsonArray cut = one.sample.report[QStringLiteral("truncated")].toArray(); !cut.isEmpty()) {
      for (const QJsonValue& line : cut) Q_EMIT notice(line.toString());
      break;
    }
  uncounted_ = store_->seenBefore(stored.id) ? QString::fromLatin1(study::kSeenBefore) : QString();
  if (trial_.start(task_, comparison_, uncounted_)) return Q_EMIT trialOpened();
  // Too few pictures for a question: there is nothing left to hide.
  names_seen_ = true;
  history_.hide(0);
  decision_.evidence()->learn({toStored(comparison_)});
  Q_EMIT pastOpened();
}

void CompareSession::onScored() {
  const std::vector<SampleResult>& measured = runner_.result().samples;
  for (std::size_t i = 0; i < measured.size() && i < scored_ids_.size(); ++i) {
    const qint64 id = scored_ids_[i];
    const study::Scores& scores = measured[i].sample.scores;
    if (id == 0 || measured[i].image.isNull()) continue;
    store_->setScores(id, scores);
    trial_.setScores(id, scores);
    for (SampleResult& one : comparison_.samples)
      if (one.sample.id == id) one.sample.scores = scores;
  }
  if (!comparison()) return;
  decision_.evidence()->learn({toStored(comparison_)});
  Q_EMIT scoresChanged();
  inspectNext();
}

bool CompareSession::askAgain(study::Task task) {
  if (isBusy() || comparison_.id == 0) return false;
  task_ = task;
  if (!trial_.start(task, comparison_, names_seen_ ? QString::fromLatin1(study::kAskedAgain) : uncounted_)) return false;
  history_.hide(comparison_.id);
  Q_EMIT trialOpened();
  return true;
}

const ComparisonResult* CompareSession::comparison() const {
  const bool blind = trial_.state() == TrialController::State::Open || !names_seen_;
  return comparison_.id == 0 || blind ? nullptr : &comparison_;
}

bool CompareSession::openPast(qint64 id) {
  if (isBusy()) return false;
  const auto stored = store_->comparison(id);
  if (!stored) return false;
  if (stored->model == QLatin1String(kImported) && store_->trials(id).empty()) return openBlind(*stored);
  trial_.abandon();
  comparison_ = fromStored(*stored);
  names_seen_ = true;
  history_.hide(0);
  decision_.evidence()->learn({toStored(comparison_)});
  Q_EMIT pastOpened();
  return true;
}

bool CompareSession::openBlind(const study::Comparison& imported) {
  comparison_ = fromStored(imported);
  names_seen_ = false;
  scored_ids_.clear();
  for (const study::Sample& sample : imported.samples) scored_ids_.push_back(sample.id);
  task_ = study::Task::NameEach;
  uncounted_ = store_->seenBefore(imported.id) ? QString::fromLatin1(study::kSeenBefore) : QString();
  if (!trial_.start(task_, comparison_, uncounted_)) return false;
  history_.hide(imported.id);
  runner_.measure(comparison_);
  Q_EMIT trialOpened();
  return true;
}

int CompareSession::importPictures(const QString& path) {
  PictureImport import(store_);
  const auto made = static_cast<int>(import.read(path).size());
  if (made == 0) Q_EMIT failed(import.error());
  return made;
}

std::vector<CompareSession::Shared> CompareSession::sharing(qint64 comparison) const {
  const auto of = store_->comparison(comparison);
  if (!of) return {};
  std::vector<Shared> found;
  for (const study::ComparisonHead& head : store_->comparisons()) {
    const bool blind = (head.id == comparison_.id && !this->comparison()) || (head.model == QLatin1String(kImported) && head.trials == 0);
    if (blind || head.model != of->model) continue;
    const auto other = store_->comparison(head.id);
    if (!other || other->recipe != of->recipe || other->startPicture != of->startPicture) continue;
    for (SampleResult& one : fromStored(*other).samples) {
      const auto known = [&](const Shared& s) { return s.result.sample.precision == one.sample.precision; };
      if (!one.image.isNull() && std::ranges::none_of(found, known)) found.push_back({std::move(one), head.id, head.created});
    }
  }
  return found;
}

bool CompareSession::takeUp(const ComparisonResult& past) {
  if (isBusy() || past.model == QLatin1String(kImported)) return false;
  const auto named = [model = past.model.toStdString()](const protocol::ModelEntry& one) { return one.path == model || one.name == model; };
  if (past.model != model_ && std::ranges::any_of(models_, named)) setModel(past.model);
  QStringList wanted;
  for (const SampleResult& one : past.samples)
    if (!wanted.contains(one.sample.precision)) wanted << one.sample.precision;
  for (const QString& id : precisions_.checkedIds())
    if (!wanted.contains(id)) precisions_.setChecked(id, false);
  const QStringList known = precisions_.ids();
  for (const QString& id : wanted) {
    if (!known.contains(id)) precisions_.addPolicy(id);
    precisions_.setChecked(id, true);
  }
  return true;
}

bool CompareSession::exportAnswers(const QString& path) {
  const QByteArray table = study::answersTable(*store_);
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(table) == table.size() && file.commit()) return true;
  Q_EMIT failed(tr("%1 cannot be written: %2; choose another place").arg(QDir::toNativeSeparators(path), file.errorString()));
  return false;
}

std::vector<study::AnsweredTrial> CompareSession::pastTrials() const {
  return comparison() ? store_->trials(comparison_.id) : std::vector<study::AnsweredTrial>();
}

std::vector<study::ConfusionCell> CompareSession::confusion() const { return store_->confusion(); }

}  // namespace quantspot::ui
