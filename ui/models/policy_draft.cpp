#include "ui/models/policy_draft.h"

#include <algorithm>

namespace quantspot::ui {
namespace {

constexpr int kDebounceMs = 150, kMostUndo = 100, kMostAnswers = 64;
const QString kBefore = QStringLiteral("bf16"), kTextEncoder = QStringLiteral("text_encoder");

// Packs every weight that any precision packs: tells which layers a policy can reach.
const QString kProbe = QStringLiteral("torchao-int8wo?text_encoder=torchao-int8wo&vae=torchao-int8wo&conv:=torchao-int8wo");

bool isProbed(const protocol::LayerEntry& layer) { return layer.precision == "torchao-int8wo"; }

}  // namespace

PolicyDraft::PolicyDraft(EngineClient* engine, QObject* parent) : QObject(parent), engine_(engine), context_(std::make_unique<QObject>()) {
  debounce_.setSingleShot(true), debounce_.setInterval(kDebounceMs);
  connect(&debounce_, &QTimer::timeout, this, &PolicyDraft::ask);
}

void PolicyDraft::setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions) {
  precisions_ = precisions;
  ids_.clear(), refusals_.clear();   // an engine that was started again is asked again
  QHash<QString, QString> labels;
  for (const protocol::PrecisionInfo& info : precisions) {
    ids_ << QString::fromStdString(info.id);
    labels[ids_.constLast()] = QString::fromStdString(info.label);
  }
  layers_.setLabels(std::move(labels));
  take(text_);
}

void PolicyDraft::setModel(const QString& path) {
  if (path == model_) return;
  model_ = path;
  context_ = std::make_unique<QObject>();
  asking_.clear(), answers_.clear(), refusals_.clear();
  finder_.reset();
  layers_.setLayers({});
  take(text_);
}

QString PolicyDraft::base() const { return parsed_ ? policy_.base : QString(); }

QString PolicyDraft::encoders() const {
  const auto all = [](const PolicyRule& rule) { return rule.pattern == kTextEncoder; };
  const auto rule = std::find_if(policy_.rules.rbegin(), policy_.rules.rend(), all);
  return rule == policy_.rules.rend() ? QString() : rule->precision;
}

void PolicyDraft::setText(const QString& text) {
  const QString line = text.trimmed();
  if (line == text_) return;
  if (!text_.isEmpty()) undo_ << text_;
  if (undo_.size() > kMostUndo) undo_.removeFirst();
  take(line);
}

void PolicyDraft::undo() {
  if (canUndo()) take(undo_.takeLast());
}

void PolicyDraft::setBase(const QString& precision) {
  if (!parsed_ || precision == policy_.base) return;
  PolicyText next = policy_;
  next.base = precision;
  setText(next.text());
}

void PolicyDraft::setEncoders(const QString& precision) {
  if (!parsed_ || precision == encoders()) return;
  PolicyText next = policy_;
  std::erase_if(next.rules, [](const PolicyRule& rule) { return rule.pattern == kTextEncoder; });
  if (!precision.isEmpty()) next.rules.insert(next.rules.begin(), {kTextEncoder, precision});   // what names single layers comes after
  setText(next.text());
}

QString PolicyDraft::softmax() const {
  const auto rule = std::find_if(policy_.rules.rbegin(), policy_.rules.rend(), [](const PolicyRule& one) { return isSoftmax(one.pattern); });
  return !parsed_ || rule == policy_.rules.rend() ? QString() : rule->precision;
}

void PolicyDraft::setSoftmax(const QString& precision) {
  if (!parsed_ || precision == softmax()) return;
  PolicyText next = policy_;
  std::erase_if(next.rules, [](const PolicyRule& rule) { return isSoftmax(rule.pattern); });
  if (!precision.isEmpty()) next.rules.push_back({QStringLiteral("softmax"), precision});
  setText(next.text());
}

void PolicyDraft::setPrecision(const QList<int>& rows, const QString& precision) {
  const PolicyText frame = policy_.frame();
  if (!parsed_ || !finder_ || !answers_.contains(frame.text())) return;
  const FrameAnswer held = frameAnswer();
  QStringList wanted;
  const std::vector<PolicyLayer>& all = layers_.layers();
  for (std::size_t row = 0; row < all.size(); ++row) {
    if (!all[row].quantizable) continue;
    const bool chosen = rows.contains(static_cast<int>(row));
    wanted << (!chosen ? all[row].asked : precision.isEmpty() ? held.precisions[wanted.size()] : precision);
  }
  setText(finder_->policy(frame, held, wanted).text());
}

void PolicyDraft::take(const QString& text) {
  text_ = text;
  parse();
  debounce_.start();
  follow();
}

void PolicyDraft::parse() {
  problem_.clear();
  const auto policy = parsePolicyText(text_, ids_, &problem_);
  parsed_ = policy.has_value();
  if (policy) policy_ = *policy;
  if (text_.isEmpty() || ids_.isEmpty()) problem_.clear();
}

// The layers first: they serve every text.
QStringList PolicyDraft::needed() const {
  QStringList texts{kBefore, kProbe};
  if (parsed_) texts << policy_.frame().text() << text_;
  return texts;
}

// One call at a time: what was typed meanwhile is asked next, and no more than that.
void PolicyDraft::ask() {
  if (!asking_.isEmpty() || model_.isEmpty() || ids_.isEmpty()) return;
  for (const QString& text : needed()) {
    if (answers_.contains(text) || refusals_.contains(text)) continue;
    asking_ = text;
    engine_->call<protocol::InspectResult>(
        QStringLiteral("models/inspect"), protocol::InspectParams{model_.toStdString(), text.toStdString(), false}, context_.get(),
        [this, text](const protocol::InspectResult& result) { answered(text, result); },
        [this, text](const RpcError& error) { refused(text, error.message); });
    return;
  }
}

void PolicyDraft::answered(const QString& text, const protocol::InspectResult& result) {
  asking_.clear();
  if (answers_.size() >= kMostAnswers)
    answers_.removeIf([&](const auto& one) { return !needed().contains(one.key()); });
  protocol::InspectResult& answer = *answers_.insert(text, result);
  const auto rank = [](const protocol::LayerEntry& layer) {
    return layer.component == "vae" ? 2 : layer.component == "text_encoder" ? 1 : 0;
  };
  std::ranges::stable_sort(answer.layers, {}, rank);   // what policies are about comes first
  if (!finder_ && answers_.contains(kBefore) && answers_.contains(kProbe)) buildLayers();
  follow();
  ask();
}

void PolicyDraft::refused(const QString& text, const QString& message) {
  asking_.clear();
  refusals_.insert(text, message);
  follow();
  ask();
}

void PolicyDraft::buildLayers() {
  const protocol::InspectResult &before = answers_[kBefore], &probe = answers_[kProbe];
  std::vector<PolicyLayer> layers;
  QStringList names;
  for (std::size_t i = 0; i < before.layers.size() && i < probe.layers.size(); ++i) {
    const protocol::LayerEntry& entry = before.layers[i];
    layers.push_back({QString::fromStdString(entry.component), QString::fromStdString(entry.name), entry.shape, entry.bytes, -1, {},
                      QString::fromStdString(entry.precision), isProbed(probe.layers[i])});
    if (layers.back().quantizable) names << layerKey(layers.back().name, layers.back().isConvolution());
  }
  finder_ = std::make_unique<RuleFinder>(names, reaching());
  layers_.setLayers(std::move(layers));
  askFit();
}

QStringList PolicyDraft::reaching() const {
  QStringList ids;
  for (const protocol::PrecisionInfo& info : precisions_)
    if (info.convolutions) ids << QString::fromStdString(info.id);
  return ids;
}

// Until the answer is there nothing is grey; a layer that is not held as asked says so all the same.
void PolicyDraft::askFit() {
  protocol::FitParams params;
  QStringList names;
  for (const PolicyLayer& layer : layers_.layers())
    if (const QString name = shapeText(layer.shape); layer.quantizable && !names.contains(name)) names << name, params.shapes.push_back(layer.shape);
  engine_->call<protocol::FitResult>(
      QStringLiteral("precisions/fit"), params, context_.get(),
      [this, names](const protocol::FitResult& result) {
        QHash<QString, QHash<QString, QString>> instead;
        for (qsizetype i = 0; i < names.size() && i < static_cast<qsizetype>(result.instead.size()); ++i)
          for (const auto& [precision, used] : result.instead[static_cast<std::size_t>(i)])
            instead[names[i]].insert(QString::fromStdString(precision), QString::fromStdString(used));
        layers_.setFit(std::move(instead));
      },
      [](const RpcError&) {});
}

// What no policy reaches rests in the compute type of the base.
FrameAnswer PolicyDraft::frameAnswer() const {
  FrameAnswer frame;
  frame.reaching = reaching();
  const auto answer = answers_.constFind(policy_.frame().text());
  for (std::size_t row = 0; row < layers_.layers().size() && row < answer->layers.size(); ++row) {
    const QString precision = QString::fromStdString(answer->layers[row].precision);
    if (layers_.layers()[row].quantizable) frame.precisions << precision;
    else if (isPlain(precision)) frame.plain = precision;
  }
  return frame;
}

// The table after the text, as far as the engine's answers go.
void PolicyDraft::follow() {
  ready_ = false;
  for (const QString& text : needed())
    if (refusals_.contains(text)) problem_ = refusals_[text];
  const QString frame = parsed_ ? policy_.frame().text() : QString();
  if (finder_ && parsed_ && answers_.contains(frame)) {
    const FrameAnswer held = frameAnswer();
    layers_.setAsked(resolve(policy_, finder_->layers(), held), held.precisions);
    ready_ = answers_.contains(text_);
    if (ready_) layers_.setHeld(answers_[text_].layers);
  }
  Q_EMIT changed();
}

QStringList PolicyDraft::unmatched() const {
  if (!finder_ || !parsed_) return {};
  QStringList patterns = policy_.skip, missing;
  for (const PolicyRule& rule : policy_.rules)
    if (!isSoftmax(rule.pattern)) patterns << rule.pattern;
  for (const QString& pattern : patterns) {
    const auto matches = [&](const QString& layer) { return matchesLayer(pattern, layer); };
    if (std::none_of(finder_->layers().begin(), finder_->layers().end(), matches)) missing << pattern;
  }
  return missing;
}

QString PolicyDraft::sentence() const {
  if (!finder_ || !parsed_) return {};
  QString said = policySentence(layers_, *finder_);
  if (!softmax().isEmpty()) said += tr("; softmax in %1").arg(layers_.label(softmax()));
  return said;
}

QStringList PolicyDraft::allLayers() const {
  QStringList names;
  for (const PolicyLayer& layer : layers_.layers()) names << layer.name;
  return names;
}

}  // namespace quantspot::ui
