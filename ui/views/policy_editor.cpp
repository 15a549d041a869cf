#include "ui/views/policy_editor.h"

#include "ui/models/compare_session.h"
#include "ui/models/policy_filter.h"
#include "ui/views/beside.h"
#include "ui/views/form_parts.h"
#include "ui/views/path_dialog.h"
#include "ui/views/policy_table.h"
#include "ui/views/precision_panel.h"
#include "ui/views/scan_panel.h"
#include "ui/views/step_bar.h"
#include "ui/views/theme.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QShortcut>
#include <QSignalBlocker>
#include <QStandardItemModel>
#include <QToolButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kMostShown = 26;
const QString kStart = QStringLiteral("bnb-nf4");

QToolButton* link(const QString& text, const QString& tip) {
  auto* button = new QToolButton;
  button->setText(text), button->setToolTip(tip);
  return button;
}

}  // namespace

PolicyEditor::PolicyEditor(ui::CompareSession* session, QWidget* parent)
    : QWidget(parent, Qt::Window), session_(session), filter_(new ui::PolicyFilter(this)),
      table_(new PolicyTable(session->draft()->layers(), filter_)), scan_(new ScanPanel(session)), steps_(new StepBar), start_(new QComboBox),
      base_(new QComboBox), encoders_(new QComboBox), softmax_(new QComboBox), selected_(new QComboBox),
      encodersToo_(new QCheckBox(QStringLiteral("Text encoders too"))), decoder_(new QCheckBox(QStringLiteral("Show the decoder"))),
      everything_(new QCheckBox(QStringLiteral("Show what stays as it is"))),
      pattern_(new QLineEdit), text_(new QLineEdit), name_(new QLineEdit), selection_(new QLabel), sentence_(new QLabel),
      share_(new QLabel), note_(new QLabel), copy_(link(QStringLiteral("Copy"), QStringLiteral("Copy the policy's text"))),
      undo_(link(QStringLiteral("Undo"), QStringLiteral("Ctrl+Z"))),
      forget_(link(QStringLiteral("Delete"), QStringLiteral("Delete the saved policy of this name"))),
      save_(new QPushButton(QStringLiteral("Save"))), compare_(new QPushButton(QStringLiteral("Add to comparison"))),
      measure_(new QPushButton(QStringLiteral("Measure layers…"))) {
  setObjectName(QStringLiteral("policyEditor"));
  setAttribute(Qt::WA_StyledBackground);
  setWindowTitle(QStringLiteral("Policy"));
  setMinimumSize(900, 540), resize(1040, 740);
  sentence_->setWordWrap(true), sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  share_->setProperty("role", "quiet"), share_->setAlignment(Qt::AlignRight | Qt::AlignTop);
  note_->setWordWrap(true);
  auto* summary = new QHBoxLayout;
  summary->addWidget(sentence_, 1), summary->addSpacing(16), summary->addWidget(share_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 14, 18, 16), layout->setSpacing(10);
  layout->addWidget(makeTopRow()), layout->addWidget(steps_), layout->addWidget(makeFilterRow()), layout->addWidget(table_, 1);
  layout->addWidget(scan_), layout->addLayout(summary);
  layout->addWidget(makeTextRow()), layout->addWidget(note_), layout->addWidget(makeNameRow());
  connectDraft();
  connectScan();
  addShortcuts();
  fillPrecisions();
  fillPolicies();
}

QWidget* PolicyEditor::makeTopRow() {
  auto* row = new QWidget;
  QHBoxLayout* layout = rowOf(row);
  start_->setAccessibleName(QStringLiteral("Start from")), base_->setAccessibleName(QStringLiteral("Base precision"));
  start_->setMinimumWidth(200), base_->setMinimumWidth(120), encoders_->setMinimumWidth(120);
  for (QComboBox* combo : {start_, base_, encoders_, softmax_, selected_}) {
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMaxVisibleItems(kMostShown);
  }
  encodersToo_->setToolTip(QStringLiteral("Text encoders stay in 16 bit unless this says otherwise"));
  encoders_->setAccessibleName(QStringLiteral("Precision of the text encoders"));
  layout->addWidget(quietLabel(QStringLiteral("&Start from"), start_)), layout->addWidget(start_, 2), layout->addSpacing(8);
  layout->addWidget(quietLabel(QStringLiteral("&Base"), base_)), layout->addWidget(base_, 1), layout->addSpacing(8);
  layout->addWidget(encodersToo_), layout->addWidget(encoders_, 1), layout->addSpacing(8);
  softmax_->setAccessibleName(QStringLiteral("Softmax of attention")), softmax_->setMinimumWidth(96);
  softmax_->setToolTip(QStringLiteral("The type in which attention's softmax reads and gives its numbers"));
  layout->addWidget(quietLabel(QStringLiteral("So&ftmax"), softmax_)), layout->addWidget(softmax_);
  connect(softmax_, &QComboBox::activated, this, [this] { session_->draft()->setSoftmax(softmax_->currentData().toString()); });
  connect(start_, &QComboBox::activated, this, &PolicyEditor::start);
  connect(base_, &QComboBox::activated, this, [this] { session_->draft()->setBase(base_->currentData().toString()); });
  connect(encodersToo_, &QCheckBox::toggled, this, [this](bool on) {
    session_->draft()->setEncoders(on ? encoders_->currentData().toString() : QString());
  });
  connect(encoders_, &QComboBox::activated, this, [this] { session_->draft()->setEncoders(encoders_->currentData().toString()); });
  return row;
}

QWidget* PolicyEditor::makeFilterRow() {
  auto* row = new QWidget;
  QHBoxLayout* layout = rowOf(row);
  pattern_->setPlaceholderText(QStringLiteral("Filter layers: attn, norm, ^transformer_blocks.0 …"));
  pattern_->setAccessibleName(QStringLiteral("Filter layers")), pattern_->setClearButtonEnabled(true);
  pattern_->setToolTip(QStringLiteral("A piece of the name; ^ and $ tie it to the ends (Ctrl+F)"));
  selection_->setProperty("role", "quiet");
  selected_->setAccessibleName(QStringLiteral("Precision of the selected layers")), selected_->setMinimumWidth(160);
  decoder_->setToolTip(QStringLiteral("The autoencoder's decoder: its layers stay as they are unless they are picked here"));
  layout->addWidget(pattern_, 1), layout->addWidget(decoder_), layout->addWidget(everything_), layout->addSpacing(8);
  measure_->setCheckable(true), measure_->setToolTip(QStringLiteral("Which layers suffer most from a low precision, and policies found by that"));
  layout->addWidget(selection_), layout->addWidget(selected_), layout->addSpacing(8), layout->addWidget(measure_);
  connect(pattern_, &QLineEdit::textChanged, filter_, &ui::PolicyFilter::setPattern);
  connect(decoder_, &QCheckBox::toggled, filter_, &ui::PolicyFilter::setDecoder);
  connect(everything_, &QCheckBox::toggled, filter_, &ui::PolicyFilter::setEverything);
  connect(selected_, &QComboBox::activated, this, [this](int item) {
    if (item > 0) table_->choose(selected_->itemData(item).toString());
    selected_->setCurrentIndex(0);
  });
  connect(table_, &PolicyTable::selectionMade, this, &PolicyEditor::refreshSummary);
  connect(table_, &PolicyTable::chosen, session_->draft(), &ui::PolicyDraft::setPrecision);
  return row;
}

QWidget* PolicyEditor::makeTextRow() {
  auto* row = new QWidget;
  QHBoxLayout* layout = rowOf(row);
  text_->setAccessibleName(QStringLiteral("Policy text")), text_->setPlaceholderText(QStringLiteral("bnb-nf4?skip=proj_out"));
  text_->setToolTip(QStringLiteral("As in --precision: id?skip=pattern,…&pattern=id"));
  layout->addWidget(quietLabel(QStringLiteral("Te&xt"), text_)), layout->addWidget(text_, 1);
  layout->addWidget(copy_), layout->addWidget(undo_);
  connect(text_, &QLineEdit::textEdited, this, &PolicyEditor::takeText);
  connect(copy_, &QToolButton::clicked, this, [this] {
    QGuiApplication::clipboard()->setText(steps_->text());
    tell(QStringLiteral("Copied"), false);
  });
  connect(undo_, &QToolButton::clicked, session_->draft(), &ui::PolicyDraft::undo);
  return row;
}

QWidget* PolicyEditor::makeNameRow() {
  auto* row = new QWidget;
  QHBoxLayout* layout = rowOf(row);
  name_->setAccessibleName(QStringLiteral("Name")), name_->setPlaceholderText(QStringLiteral("Name it to keep it"));
  name_->setMaximumWidth(280), name_->setMaxLength(80);
  auto* open = link(QStringLiteral("Import…"), QStringLiteral("Read a policy from a JSON file"));
  auto* give = link(QStringLiteral("Export…"), QStringLiteral("Write this policy as a JSON file"));
  setMainRole(compare_, true);
  layout->addWidget(quietLabel(QStringLiteral("&Name"), name_)), layout->addWidget(name_, 1), layout->addWidget(save_), layout->addWidget(forget_);
  layout->addWidget(open), layout->addWidget(give), layout->addStretch(1), layout->addWidget(compare_);
  connect(name_, &QLineEdit::textChanged, this, &PolicyEditor::refresh);
  connect(name_, &QLineEdit::returnPressed, this, &PolicyEditor::save);
  connect(save_, &QPushButton::clicked, this, &PolicyEditor::save);
  connect(forget_, &QToolButton::clicked, this, [this] {
    if (!session_->policies()->remove(name_->text().trimmed())) tell(session_->policies()->lastError(), true);
  });
  connect(open, &QToolButton::clicked, this, [this] { askForFile(false); });
  connect(give, &QToolButton::clicked, this, [this] { askForFile(true); });
  connect(compare_, &QPushButton::clicked, this, &PolicyEditor::compare);
  return row;
}

void PolicyEditor::connectDraft() {
  connect(session_->draft(), &ui::PolicyDraft::changed, this, &PolicyEditor::refresh);
  connect(session_, &ui::CompareSession::busyChanged, this, &PolicyEditor::refreshSummary);
  connect(session_, &ui::CompareSession::modelsChanged, this, [this] { fillPrecisions(), fillPolicies(); });
  connect(session_, &ui::CompareSession::modelInspected, this, &PolicyEditor::fillPolicies);
  connect(session_->policies(), &ui::PolicyLibrary::changed, this, &PolicyEditor::fillPolicies);
}

void PolicyEditor::connectScan() {
  scan_->hide();
  connect(measure_, &QPushButton::toggled, scan_, &QWidget::setVisible);
  const ui::SensitivityScan* scan = session_->scan();
  connect(scan, &ui::SensitivityScan::changed, this, [this, scan] { table_->setColumnHidden(ui::PolicyLayersModel::Error, !scan->hasResult()); });
  connect(scan_, &ScanPanel::layersChosen, table_, &PolicyTable::selectLayers);
  connect(scan_, &ScanPanel::failed, this, [this](const QString& message) { tell(message, true); });
  connect(scan_, &ScanPanel::found, this, [this](const QString& policy, const QString& about) {
    session_->draft()->setText(policy);
    tell(about, false);
  });
  connect(steps_, &StepBar::chosen, session_->draft(), &ui::PolicyDraft::setText);
  connect(steps_, &StepBar::changed, this, &PolicyEditor::refresh);
}

void PolicyEditor::setRecipe(const protocol::Recipe& recipe) {
  scan_->setRecipe(recipe);
  steps_->setSteps(recipe.steps);
}

void PolicyEditor::takeText(const QString& text) {
  const auto spans = ui::parseSteps(text.trimmed());
  if (!spans || spans->size() < 2) return session_->draft()->setText(text);
  steps_->setSpans(*spans);
  session_->draft()->setText(spans->front().policy);
}

void PolicyEditor::addShortcuts() {
  const auto on = [this](const QKeySequence& key, auto slot) { connect(new QShortcut(key, this), &QShortcut::activated, this, slot); };
  on(QKeySequence(Qt::CTRL | Qt::Key_F), [this] { pattern_->setFocus(), pattern_->selectAll(); });
  on(QKeySequence::Undo, [this] { session_->draft()->undo(); });
  on(QKeySequence::Save, [this] { save(); });
  on(QKeySequence(Qt::CTRL | Qt::Key_Return), [this] { compare(); });
}

// The engine's list, in its order.
void PolicyEditor::fillPrecisions() {
  PrecisionChoices choices{{QString(), QStringLiteral("as the base has it")}};
  base_->clear(), encoders_->clear(), selected_->clear(), softmax_->clear();
  softmax_->addItem(QStringLiteral("as it is"), QString());
  selected_->addItem(QStringLiteral("set to…")), selected_->addItem(choices[0].second, QString());
  for (const protocol::PrecisionInfo& info : session_->draft()->precisions()) {
    const QString id = QString::fromStdString(info.id), label = QString::fromStdString(info.label);
    choices.emplaceBack(id, label);
    if (ui::isPlain(id)) softmax_->addItem(label, id);
    for (QComboBox* combo : {base_, encoders_, selected_}) {
      combo->addItem(label, id);
      combo->setItemData(combo->count() - 1, id, Qt::ToolTipRole);
    }
  }
  encoders_->setCurrentIndex(std::max(0, encoders_->findData(kStart)));
  table_->setChoices(std::move(choices));
  scan_->fillPrecisions();
  refresh();
}

void PolicyEditor::fillPolicies() {
  start_->clear();
  start_->addItem(QStringLiteral("a named policy…"));
  bool own = false;
  for (const ui::NamedPolicy& policy : session_->policies()->policies(session_->family())) {
    if (!policy.shipped && !std::exchange(own, true)) start_->insertSeparator(start_->count());
    start_->addItem(policy.name, QVariant::fromValue(QString::fromUtf8(ui::toJson(policy))));
    start_->setItemData(start_->count() - 1, policy.about, Qt::ToolTipRole);
  }
  refresh();
}

void PolicyEditor::start(int row) {
  const auto policy = ui::policyFromJson(start_->itemData(row).toString().toUtf8(), {}, nullptr);
  if (!policy) return;
  session_->draft()->setText(loaded_ = ui::policyFor(*policy, session_->draft()->allLayers()));
  const QSignalBlocker quiet(start_);
  start_->setCurrentIndex(row);
  name_->setText(session_->policies()->owns(policy->name) ? policy->name : QString());
  tell(policy->about, false);
}

void PolicyEditor::open(const QString& text) {
  ui::PolicyDraft* draft = session_->draft();
  if (const auto spans = ui::parseSteps(text); !text.isEmpty() && spans) steps_->setSpans(*spans), draft->setText(spans->front().policy);
  else if (!text.isEmpty()) draft->setText(text);
  else if (draft->text().isEmpty()) draft->setText(kStart);
  if (!text.isEmpty()) name_->setText(session_->precisions()->label(text) == text ? QString() : session_->precisions()->label(text));
  tell(session_->policies()->unreadable().value(0), true);
  refresh();
  showBeside(this);
  table_->setFocus();
}

void PolicyEditor::refresh() {
  const ui::PolicyDraft* draft = session_->draft();
  if (text_->text().trimmed() != draft->text()) text_->setText(draft->text());
  steps_->setPolicy(draft->text());
  const bool changes = steps_->spans().size() > 1;
  const QString encoders = draft->encoders();
  const QSignalBlocker quiet1(base_), quiet2(encoders_), quiet3(encodersToo_), quiet4(start_), quiet5(softmax_);
  base_->setCurrentIndex(base_->findData(ui::baseId(draft->base())));
  softmax_->setCurrentIndex(softmax_->findData(draft->softmax()));
  encodersToo_->setChecked(!encoders.isEmpty());
  encoders_->setEnabled(!encoders.isEmpty());
  if (!encoders.isEmpty()) encoders_->setCurrentIndex(encoders_->findData(ui::baseId(encoders)));
  const QString whole = draft->text();
  filter_->setEncoders(whole.contains(QLatin1String("text_encoder")));
  if (whole.contains(QLatin1String("vae"))) decoder_->setChecked(true);
  if (draft->text() != loaded_) start_->setCurrentIndex(0);
  const bool own = session_->policies()->owns(name_->text().trimmed());
  undo_->setEnabled(draft->canUndo());
  forget_->setVisible(own);
  save_->setText(own ? QStringLiteral("Replace") : QStringLiteral("Save"));
  const QString wrong = draft->base().isEmpty() ? QStringLiteral("Choose a precision first") : draft->problem();
  const QString unnamed = name_->text().trimmed().isEmpty() ? QStringLiteral("Write a name first") : QString();
  save_->setEnabled(!changes && unnamed.isEmpty() && wrong.isEmpty());
  save_->setToolTip(changes            ? QStringLiteral("A name is for one policy, not for several over the steps")
                    : !wrong.isEmpty() ? wrong
                    : unnamed.isEmpty() ? QStringLiteral("Ctrl+S") : unnamed);
  compare_->setEnabled(wrong.isEmpty());
  compare_->setToolTip(wrong.isEmpty() ? QStringLiteral("Ctrl+Enter") : wrong);
  refreshSummary();
}

void PolicyEditor::refreshSummary() {
  const ui::PolicyDraft* draft = session_->draft();
  const auto selected = table_->selectedLayers().size();
  const QString some = selected == 1 ? QStringLiteral("1 layer selected") : QStringLiteral("%1 layers selected").arg(selected);
  selection_->setText(selected == 0 ? QStringLiteral("Select layers to change them") : some);
  selected_->setEnabled(selected > 0);
  greyPrecisions();
  const QStringList unmatched = draft->unmatched();
  const bool problem = !draft->problem().isEmpty();
  QString line = problem ? draft->problem() : draft->sentence();
  const bool waits = session_->isBusy() && !draft->isReady();
  if (line.isEmpty()) line = waits ? QStringLiteral("The layers come when the comparison is done") : QStringLiteral("Reading the model's layers…");
  else if (!problem && waits) line += QStringLiteral(" (bytes when the comparison is done)");
  if (!problem && !unmatched.isEmpty()) line += QStringLiteral("\nNo layer of this model is called ") + unmatched.join(QStringLiteral(", "));
  sentence_->setText(line);
  sentence_->setProperty("role", problem ? QVariant(QStringLiteral("problem")) : QVariant());
  sentence_->style()->unpolish(sentence_), sentence_->style()->polish(sentence_);
  share_->setText(draft->isReady() && !problem ? ui::quantizedText(draft->summary()) : QString());
}

void PolicyEditor::greyPrecisions() {
  auto* items = qobject_cast<QStandardItemModel*>(selected_->model());
  const QList<int> rows = table_->selectedLayers();
  const ui::PolicyLayersModel* layers = session_->draft()->layers();
  for (int item = 2; items && item < items->rowCount(); ++item) {   // behind "set to…" and the base's own
    const QString id = selected_->itemData(item).toString();
    const bool none = !rows.isEmpty() && std::all_of(rows.begin(), rows.end(), [&](int row) { return !layers->instead(row, id).isEmpty(); });
    items->item(item)->setEnabled(!none);
    items->item(item)->setToolTip(none ? cannotHold(*layers, rows.first(), id) : id);
  }
}

QString PolicyEditor::said() const { return sentence_->text(); }

void PolicyEditor::tell(const QString& line, bool problem) {
  note_->setText(line);
  note_->setProperty("role", problem ? "problem" : "quiet");
  note_->style()->unpolish(note_), note_->style()->polish(note_);
}

ui::NamedPolicy PolicyEditor::namedPolicy() const {
  const ui::PolicyDraft* draft = session_->draft();
  return {name_->text().trimmed(), session_->family(), {}, {draft->base(), draft->skip(), draft->rules()}, false, {}};
}

void PolicyEditor::save() {
  if (!save_->isEnabled()) return tell(QStringLiteral("Give the policy a name first"), true), name_->setFocus();
  const QString name = name_->text().trimmed();
  if (!session_->policies()->save(namedPolicy())) return tell(session_->policies()->lastError(), true);
  tell(QStringLiteral("Saved; “%1” is now in the list of precisions").arg(name), false);
}

void PolicyEditor::compare() {
  if (!compare_->isEnabled()) return;
  const QString text = steps_->text();
  session_->precisions()->addPolicy(text);
  session_->precisions()->setChecked(text, true);
  Q_EMIT added(text);
  close();
}

void PolicyEditor::importFrom(const QString& file) {
  QStringList known;
  for (const protocol::PrecisionInfo& info : session_->draft()->precisions()) known << QString::fromStdString(info.id);
  const auto policy = session_->policies()->import(file, known);
  if (!policy) return tell(session_->policies()->lastError(), true);
  session_->draft()->setText(ui::policyFor(*policy, session_->draft()->allLayers()));
  name_->setText(policy->name);
  const bool other = !policy->family.isEmpty() && !session_->family().isEmpty() && policy->family != session_->family();
  tell(other ? QStringLiteral("Imported; it was made for models of the family %1, this one is %2").arg(policy->family, session_->family())
             : QStringLiteral("Imported “%1”").arg(policy->name), other);
}

void PolicyEditor::exportTo(const QString& file) {
  ui::NamedPolicy policy = namedPolicy();
  if (policy.name.isEmpty()) policy.name = QFileInfo(file).completeBaseName();
  if (session_->policies()->exportTo(file, policy)) tell(QStringLiteral("Written to %1").arg(file), false);
  else tell(session_->policies()->lastError(), true);
}

void PolicyEditor::askForFile(bool saving) {
  const QString title = saving ? QStringLiteral("Export policy") : QStringLiteral("Import policy");
  const QString name = name_->text().trimmed().replace(u'/', u'-');
  const QString proposed = saving ? (name.isEmpty() ? QStringLiteral("policy") : name) + QStringLiteral(".json") : QString();
  askForPath(this, {title, saving ? PathKind::NewFile : PathKind::File, proposed, QStringLiteral("Policies (*.json)")},
             [this, saving](const QString& file) { saving ? exportTo(file) : importFrom(file); });
}

void PolicyEditor::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

void PolicyEditor::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

}  // namespace quantspot::views
