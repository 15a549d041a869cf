#include "ui/views/evaluate_setup.h"

#include "ui/models/compare_session.h"
#include "ui/models/precision_names.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/path_dialog.h"
#include "ui/views/theme.h"

#include <QComboBox>
#include <QFile>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <stdexcept>

namespace quantspot::views {
namespace {

constexpr int kBundled = 0, kFile = 1;

QSpinBox* spin(int low, int high, int value, int step, const QString& name) {
  auto* box = new QSpinBox;
  box->setRange(low, high), box->setValue(value), box->setSingleStep(step);
  box->setAccessibleName(name);
  return box;
}

// "0..9", "7", "1,2,5..8"
std::vector<std::uint64_t> seedsOf(const QString& text) {
  std::vector<std::uint64_t> seeds;
  for (const QString& part : text.split(u',', Qt::SkipEmptyParts)) {
    const QStringList ends = part.trimmed().split(QStringLiteral(".."));
    bool low = false, high = false;
    const qulonglong first = ends[0].toULongLong(&low), last = ends.last().toULongLong(&high);
    if (!low || !high || ends.size() > 2 || last < first || last - first > 9999)
      throw std::runtime_error("Seeds: \"" + part.toStdString() + "\" is no seed and no range such as 0..9.");
    for (qulonglong seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  if (seeds.empty()) throw std::runtime_error("Seeds: name at least one, such as 0 or 0..3.");
  return seeds;
}

QString textOf(const std::vector<std::uint64_t>& seeds) {
  if (seeds.size() > 1 && seeds.back() - seeds.front() == seeds.size() - 1) return QStringLiteral("%1..%2").arg(seeds.front()).arg(seeds.back());
  QStringList parts;
  for (const std::uint64_t seed : seeds) parts << QString::number(seed);
  return parts.join(u',');
}

}  // namespace

EvaluateSetup::EvaluateSetup(ui::CompareSession* session, QWidget* parent)
    : QFrame(parent), session_(session), model_(new QComboBox), set_(new QComboBox), promptsText_(new QLabel), estimateText_(new QLabel),
      problem_(new QLabel),
      seeds_(new QLineEdit(QStringLiteral("0"))), folder_(new QLineEdit), steps_(spin(1, 1000, 20, 1, QStringLiteral("Steps"))),
      width_(spin(8, 4096, 128, 16, QStringLiteral("Width"))), height_(spin(8, 4096, 128, 16, QStringLiteral("Height"))),
      precisions_(new QListWidget),
      engines_(new QPlainTextEdit), measure_(new MeasureDialog(this)),
      measured_(new QPushButton), main_(new QPushButton(QStringLiteral("Start"))), estimate_(new QPushButton(QStringLiteral("Estimate"))) {
  setObjectName(QStringLiteral("sidePanel"));
  setProperty("side", "left");
  setFixedWidth(300);
  layOut();
  fillModels(), fillPrecisions();
  set_->addItems({QStringLiteral("64 built-in prompts"), QStringLiteral("From a file…")});
  choosePrompts(kBundled);
  connect(set_, &QComboBox::activated, this, &EvaluateSetup::choosePrompts);
  connect(session_, &ui::CompareSession::modelsChanged, this, [this] { fillModels(), fillPrecisions(); });
  connect(main_, &QPushButton::clicked, this, &EvaluateSetup::mainPressed);
  connect(estimate_, &QPushButton::clicked, this, &EvaluateSetup::estimatePressed);
  for (QLineEdit* edit : {seeds_, folder_}) connect(edit, &QLineEdit::textEdited, this, &EvaluateSetup::edited);
  for (QSpinBox* box : {steps_, width_, height_}) connect(box, &QSpinBox::valueChanged, this, &EvaluateSetup::edited);
  connect(precisions_, &QListWidget::itemChanged, this, &EvaluateSetup::edited);
  connect(model_, &QComboBox::activated, this, &EvaluateSetup::edited);
  connect(model_, &QComboBox::activated, this, &EvaluateSetup::modelChosen);
  for (QSpinBox* box : {width_, height_})
    connect(box, &QSpinBox::valueChanged, this, [this] { measure_->setOffers(offered_, width_->value(), height_->value()), describeMeasures(); });
  connect(measured_, &QPushButton::clicked, measure_, &MeasureDialog::open);
  connect(measure_, &MeasureDialog::edited, this, &EvaluateSetup::describeMeasures);
  connect(measure_, &MeasureDialog::edited, this, &EvaluateSetup::edited);
  describeMeasures();
}

void EvaluateSetup::layOut() {
  auto* form = new QFormLayout;
  form->setContentsMargins(0, 0, 0, 0), form->setVerticalSpacing(6);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  auto* size = new QHBoxLayout;
  size->addWidget(width_, 1), size->addWidget(new QLabel(QStringLiteral("×"))), size->addWidget(height_, 1);
  auto* place = new QHBoxLayout;
  auto* browse = new QToolButton;
  folder_->setAccessibleName(QStringLiteral("Folder"));
  browse->setText(QStringLiteral("…")), browse->setAccessibleName(QStringLiteral("Choose a folder"));
  connect(browse, &QToolButton::clicked, this, &EvaluateSetup::chooseFolder);
  place->addWidget(folder_, 1), place->addWidget(browse);
  seeds_->setToolTip(QStringLiteral("Each prompt is drawn with each of them: 7, 0..9 or 1,2,5"));
  folder_->setToolTip(QStringLiteral("Finished pictures are kept here: an evaluation goes on where it was, also tomorrow, and "
                                     "quantspot-cli compare --out may share it"));
  engines_->setPlaceholderText(QStringLiteral("none but this computer's"));
  engines_->setToolTip(QStringLiteral("More engines, a command per line, for example: ssh host quantspot-engine"));
  engines_->setFixedHeight(48), engines_->setAccessibleName(QStringLiteral("More engines"));
  engines_->setTabChangesFocus(true);
  measured_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed), measured_->setAccessibleName(QStringLiteral("What is measured"));
  measured_->setToolTip(QStringLiteral("Metrics and their weights, real pictures, people's ratings, error growth"));
  model_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon),
      set_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  form->addRow(QStringLiteral("Model"), model_), form->addRow(QStringLiteral("Prompts"), set_), form->addRow(QString(), promptsText_);
  form->addRow(QStringLiteral("Seeds"), seeds_), form->addRow(QStringLiteral("Steps"), steps_), form->addRow(QStringLiteral("Size"), size);
  form->addRow(QStringLiteral("Measure"), measured_);
  form->addRow(QStringLiteral("Folder"), place), form->addRow(QStringLiteral("Engines"), engines_);
  for (QLabel* label : {promptsText_, estimateText_}) label->setProperty("role", "quiet"), label->setWordWrap(true);
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true), problem_->hide();
  auto* heading = new QLabel(QStringLiteral("Precisions, the first is the baseline"));
  heading->setProperty("role", "section");
  precisions_->setAccessibleName(QStringLiteral("Precisions")), precisions_->setObjectName(QStringLiteral("ticks"));
  main_->setProperty("role", "main");
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(estimate_), buttons->addWidget(main_, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(17, 14, 17, 16), layout->setSpacing(8);
  layout->addLayout(form), layout->addWidget(heading), layout->addWidget(precisions_, 1), layout->addWidget(estimateText_),
      layout->addWidget(problem_);
  layout->addLayout(buttons);
}

void EvaluateSetup::fillModels() {
  const QString chosen = model_->currentData().toString();
  model_->clear();
  model_->addItem(QStringLiteral("Emoji-Flux (built in)"), QStringLiteral("default"));
  for (const protocol::ModelEntry& entry : session_->models())
    if (entry.missing.empty() && entry.path != "default" && entry.name != "default")
      model_->addItem(QString::fromStdString(entry.name), QString::fromStdString(entry.path));
  model_->setCurrentIndex(std::max(0, model_->findData(chosen)));
}

void EvaluateSetup::fillPrecisions() {
  QStringList checked = ui::PrecisionListModel::defaultChecked();
  if (precisions_->count() > 0) {
    checked.clear();
    for (int i = 0; i < precisions_->count(); ++i)
      if (precisions_->item(i)->checkState() == Qt::Checked) checked << precisions_->item(i)->data(Qt::UserRole).toString();
  }
  const QSignalBlocker quiet(precisions_);
  precisions_->clear();
  ui::PrecisionListModel* const model = session_->precisions();
  for (int i = 0; i < model->rowCount(); ++i) {
    const QString id = model->index(i).data(ui::PrecisionListModel::IdRole).toString();
    auto* item = new QListWidgetItem(ui::shortName(id), precisions_);   // as on the Compare page and in the tables beside
    item->setData(Qt::UserRole, id), item->setToolTip(model->index(i).data(Qt::ToolTipRole).toString());
    item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
    item->setCheckState(checked.contains(id) ? Qt::Checked : Qt::Unchecked);
  }
}

void EvaluateSetup::choosePrompts(int index) {
  if (index == kFile) {
    askForPath(this, {QStringLiteral("Prompts"), PathKind::File, {}, QStringLiteral("Prompts (*.txt *.tsv *.csv);;All files (*)")},
               [this](const QString& path) { if (loadPrompts(path)) Q_EMIT edited(); });
    return;
  }
  QFile bundled(QStringLiteral(":/prompts/emoji-64.tsv"));
  if (bundled.open(QIODevice::ReadOnly)) prompts_ = evaluation::parsePromptSet(bundled.readAll().toStdString(), "emoji-64");
  describePrompts();
  Q_EMIT edited();
}

bool EvaluateSetup::loadPrompts(const QString& path) try {
  prompts_ = evaluation::readPromptSet(path.toStdString());
  set_->setItemText(kFile, QFileInfo(path).fileName() + QStringLiteral(" (another file…)"));
  set_->setCurrentIndex(kFile);
  describePrompts();
  showProblem({});
  return true;
} catch (const std::runtime_error& error) {
  showProblem(QString::fromStdString(error.what()));
  return false;
}

void EvaluateSetup::describePrompts() {
  const auto categories = prompts_.categories().size();
  promptsText_->setText(categories == 0 ? QStringLiteral("%1 prompts").arg(prompts_.prompts.size())
                                        : QStringLiteral("%1 prompts in %2 categories").arg(prompts_.prompts.size()).arg(categories));
}

void EvaluateSetup::describeMeasures() { measured_->setText(measure_->summary() + QStringLiteral("…")); }
QString EvaluateSetup::model() const { return model_->currentData().toString(); }

void EvaluateSetup::setOffers(const std::vector<evaluation::Metric>& offered) {
  offered_ = offered;
  measure_->setOffers(offered, width_->value(), height_->value());
  describeMeasures();
}

void EvaluateSetup::chooseFolder() {
  askForPath(this, {QStringLiteral("Folder of the evaluation"), PathKind::Folder, folder_->text()}, [this](const QString& chosen) {
    folder_->setText(chosen);
    Q_EMIT edited();
  });
}

ui::EvaluationRequest EvaluateSetup::request() const {
  ui::EvaluationRequest request{model_->currentData().toString(), {}, prompts_, seedsOf(seeds_->text()), {}, folder_->text().trimmed()};
  request.recipe.steps = steps_->value(), request.recipe.width = width_->value(), request.recipe.height = height_->value();
  for (int i = 0; i < precisions_->count(); ++i)
    if (precisions_->item(i)->checkState() == Qt::Checked) request.precisions << precisions_->item(i)->data(Qt::UserRole).toString();
  measure_->fill(request);
  // bf16 is what the others are compared with wherever it is among them.
  if (const auto base = request.precisions.indexOf(QStringLiteral("bf16")); base > 0) request.precisions.move(base, 0);
  if (request.precisions.size() < 2) throw std::runtime_error("Tick two precisions or more: the first is what the others are compared with.");
  if (request.folder.isEmpty()) throw std::runtime_error("Name a folder for the pictures.");
  return request;
}

void EvaluateSetup::setRequest(const ui::EvaluationRequest& request) {
  const QSignalBlocker quiet(this);
  model_->setCurrentIndex(std::max(0, model_->findData(request.model)));
  prompts_ = request.prompts;
  const bool bundled = prompts_.name == "emoji-64";
  if (!bundled) set_->setItemText(kFile, QString::fromStdString(prompts_.name) + QStringLiteral(" (another file…)"));
  set_->setCurrentIndex(bundled ? kBundled : kFile);
  describePrompts();
  seeds_->setText(textOf(request.seeds));
  steps_->setValue(request.recipe.steps), width_->setValue(request.recipe.width), height_->setValue(request.recipe.height);
  for (int i = 0; i < precisions_->count(); ++i) {
    QListWidgetItem* item = precisions_->item(i);
    item->setCheckState(request.precisions.contains(item->data(Qt::UserRole).toString()) ? Qt::Checked : Qt::Unchecked);
  }
  folder_->setText(request.folder);
  measure_->setRequest(request);
  describeMeasures();
}

void EvaluateSetup::setFolder(const QString& folder) { folder_->setText(folder); }
QString EvaluateSetup::folder() const { return folder_->text().trimmed(); }
QString EvaluateSetup::engineLines() const { return engines_->toPlainText(); }
void EvaluateSetup::setEngineLines(const QString& lines) { engines_->setPlainText(lines); }

std::vector<ui::EngineCommand> EvaluateSetup::engines() const {
  std::vector<ui::EngineCommand> all;
  for (const QString& line : engines_->toPlainText().split(u'\n')) {
    QStringList words = QProcess::splitCommand(line);
    if (words.isEmpty()) continue;
    const QString program = words.takeFirst();
    all.push_back({program, words});
  }
  return all;
}

void EvaluateSetup::showState(ui::EvaluationRun::State state, const QString& estimate) {
  using State = ui::EvaluationRun::State;
  const bool busy = state == State::Running || state == State::Pausing;
  main_->setText(state == State::Running   ? QStringLiteral("Pause")
                 : state == State::Pausing ? QStringLiteral("Pausing…")
                 : state == State::Opening ? QStringLiteral("Opening…")
                 : state == State::Paused  ? QStringLiteral("Resume")
                                           : QStringLiteral("Start"));
  estimate_->setToolTip(busy ? QStringLiteral("Pause first: the estimate is of what the form says")
                             : QStringLiteral("What it will take, before it is started"));
  main_->setEnabled(state != State::Opening && state != State::Pausing);
  estimate_->setEnabled(!busy && state != State::Opening);
  for (QWidget* field : std::initializer_list<QWidget*>{model_, set_, seeds_, steps_, width_, height_, measured_, measure_, folder_, precisions_,
                                                        engines_})
    field->setEnabled(!busy);
  estimateText_->setText(estimate), estimateText_->setVisible(!estimate.isEmpty());
}

void EvaluateSetup::showProblem(const QString& text) { problem_->setText(text), problem_->setVisible(!text.isEmpty()); }

}  // namespace quantspot::views
