#include "ui/views/scan_panel.h"

#include "ui/models/compare_session.h"
#include "ui/views/form_parts.h"
#include "ui/views/scan_chart.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QSet>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kPromptHeight = 58;
constexpr double kMegabyte = 1e6;
const QString kFirst = QStringLiteral("bnb-nf4");

QStringList linesOf(const QPlainTextEdit* edit) {
  QStringList lines;
  for (const QString& line : edit->toPlainText().split(u'\n'))
    if (!line.trimmed().isEmpty()) lines << line.trimmed();
  return lines;
}

}  // namespace

ScanPanel::ScanPanel(ui::CompareSession* session, QWidget* parent)
    : QWidget(parent), session_(session), low_(new QComboBox), prompts_(new QPlainTextEdit), blocks_(new QRadioButton(QStringLiteral("blocks"))),
      layers_(new QRadioButton(QStringLiteral("layers"))), steps_(new QSpinBox), measure_(new QPushButton(QStringLiteral("Measure"))),
      cancel_(new QPushButton(QStringLiteral("Cancel"))), underError_(new QPushButton(QStringLiteral("Smallest policy under this error"))),
      underSize_(new QPushButton(QStringLiteral("Best policy under this size"))), estimate_(quietLabel({})), status_(quietLabel({})), summary_(quietLabel({})),
      progress_(new QProgressBar), chart_(new ScanChart), error_(new QDoubleSpinBox), size_(new QDoubleSpinBox) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(6);
  layout->addWidget(makeQuestion()), layout->addWidget(run_ = makeRun()), layout->addWidget(chart_), layout->addWidget(search_ = makeSearch());
  connect(chart_, &ScanChart::chosen, this, &ScanPanel::layersChosen);
  ui::SensitivityScan* scan = session_->scan();
  connect(scan, &ui::SensitivityScan::changed, this, &ScanPanel::refresh);
  connect(scan, &ui::SensitivityScan::found, this, &ScanPanel::tellFound);
  connect(scan, &ui::SensitivityScan::failed, this, &ScanPanel::failed);
  connect(session_, &ui::CompareSession::busyChanged, this, &ScanPanel::refresh);
  connect(session_->draft(), &ui::PolicyDraft::changed, this, &ScanPanel::refreshEstimate);
  fillPrecisions();
  refresh();
}

QWidget* ScanPanel::makeQuestion() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  low_->setAccessibleName(QStringLiteral("Precision to try")), low_->setMinimumWidth(170);
  prompts_->setAccessibleName(QStringLiteral("Prompts to measure with")), prompts_->setFixedHeight(kPromptHeight);
  prompts_->setPlaceholderText(QStringLiteral("Prompts, one in each line"));
  prompts_->setTabChangesFocus(true);
  blocks_->setChecked(true), blocks_->setToolTip(QStringLiteral("Each block as a whole: fewer pictures"));
  layers_->setToolTip(QStringLiteral("Each layer on its own: a row of pictures for every one"));
  steps_->setRange(1, 200), steps_->setAccessibleName(QStringLiteral("Steps of each picture")), steps_->setFixedWidth(58);
  auto* left = new QVBoxLayout;
  auto* first = new QHBoxLayout;
  first->addWidget(quietLabel(QStringLiteral("&Try"), low_)), first->addWidget(low_), first->addWidget(quietLabel(QStringLiteral("on")));
  first->addWidget(blocks_), first->addWidget(layers_), first->addWidget(quietLabel(QStringLiteral("steps"), steps_)), first->addWidget(steps_),
  first->addStretch(1);
  auto* second = new QHBoxLayout;
  second->addWidget(measure_), second->addWidget(estimate_, 1);
  left->addLayout(first), left->addLayout(second);
  row->addLayout(left), row->addWidget(prompts_, 1);
  connect(measure_, &QPushButton::clicked, this, &ScanPanel::measure);
  for (QRadioButton* one : {blocks_, layers_}) connect(one, &QRadioButton::toggled, this, &ScanPanel::refreshEstimate);
  connect(steps_, &QSpinBox::valueChanged, this, &ScanPanel::refreshEstimate);
  connect(prompts_, &QPlainTextEdit::textChanged, this, &ScanPanel::refreshEstimate);
  return widget;
}

QWidget* ScanPanel::makeRun() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  progress_->setTextVisible(false), progress_->setRange(0, 1000);
  row->addWidget(status_), row->addWidget(progress_, 1), row->addWidget(cancel_);
  connect(cancel_, &QPushButton::clicked, session_->scan(), &ui::SensitivityScan::cancel);
  return widget;
}

QWidget* ScanPanel::makeSearch() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  error_->setRange(0.01, 100), error_->setDecimals(2), error_->setSuffix(QStringLiteral("\u2009%")),
  error_->setAccessibleName(QStringLiteral("Largest error"));
  size_->setDecimals(2), size_->setSuffix(QStringLiteral("\u2009MB")), size_->setAccessibleName(QStringLiteral("Largest size"));
  underError_->setToolTip(QStringLiteral("Layers that cost least error for what they save, as many as the limit allows; then the whole model is measured"));
  row->addWidget(error_), row->addWidget(underError_), row->addSpacing(10), row->addWidget(size_), row->addWidget(underSize_),
  row->addWidget(summary_, 1);
  connect(underError_, &QPushButton::clicked, this, [this] { session_->scan()->findUnderError(error_->value() / 100); });
  connect(underSize_, &QPushButton::clicked, this, [this] { session_->scan()->findUnderBytes(static_cast<qint64>(size_->value() * kMegabyte)); });
  return widget;
}

void ScanPanel::setRecipe(const protocol::Recipe& recipe) {
  recipe_ = recipe;
  if (prompts_->toPlainText().trimmed().isEmpty()) prompts_->setPlainText(QString::fromStdString(recipe.prompt));
  if (!session_->scan()->hasResult()) steps_->setValue(recipe.steps);
  refreshEstimate();
}

// What bf16 itself and other plain types hold is nothing to try.
void ScanPanel::fillPrecisions() {
  const QString before = low_->currentData().toString();
  low_->clear();
  for (const protocol::PrecisionInfo& info : session_->draft()->precisions())
    if (const QString id = QString::fromStdString(info.id); !ui::isPlain(id)) low_->addItem(QString::fromStdString(info.label), id);
  low_->setCurrentIndex(std::max(0, low_->findData(before.isEmpty() ? kFirst : before)));
}

protocol::ScanParams ScanPanel::params() const {
  protocol::ScanParams params;
  params.model = session_->model().toStdString(), params.precision = low_->currentData().toString().toStdString(), params.recipe = recipe_;
  params.recipe.steps = steps_->value();
  params.recipe.strength.reset();      // a scan starts from noise
  for (const QString& line : linesOf(prompts_)) params.prompts.push_back(line.toStdString());
  params.blocks = blocks_->isChecked();
  return params;
}

void ScanPanel::measure() {
  if (measure_->isEnabled()) session_->scan()->start(params());
}

qint64 ScanPanel::groups() const {
  QSet<QString> names;
  for (const ui::PolicyLayer& layer : session_->draft()->layers()->layers())
    if (layer.quantizable && layer.part != QLatin1String("text_encoder") && layer.part != QLatin1String("vae"))
      names << (blocks_->isChecked() ? ui::blockOfLayer(layer.name) : layer.name);
  return names.size();
}

void ScanPanel::refreshEstimate() {
  const qint64 count = groups(), prompts = linesOf(prompts_).size();
  protocol::Recipe recipe = recipe_;
  recipe.steps = steps_->value();
  const QString time = session_->scanEstimate(count, prompts, recipe);
  const bool running = session_->scan()->isRunning();
  QString text = QStringLiteral("%L1 pictures").arg(ui::picturesOfScan(count, prompts));
  text += time.isEmpty() ? QStringLiteral("; the time left is told after the first ones") : QStringLiteral(", about %1").arg(time);
  if (prompts == 0) text = QStringLiteral("Write a prompt to measure with");
  else if (count == 0) text = QStringLiteral("Reading the model's layers…");
  else if (session_->isBusy()) text = QStringLiteral("A comparison is being generated; measure when it is done");
  estimate_->setText(text);
  measure_->setEnabled(!running && prompts > 0 && count > 0 && !session_->isBusy() && low_->count() > 0);
  measure_->setToolTip(measure_->isEnabled() ? QString() : running ? QStringLiteral("It is being measured") : estimate_->text());
}

void ScanPanel::refresh() {
  const ui::SensitivityScan* scan = session_->scan();
  const bool running = scan->isRunning();
  run_->setVisible(running);
  status_->setText(scan->statusText());
  progress_->setValue(static_cast<int>(1000 * scan->fraction()));
  search_->setVisible(scan->hasResult()), chart_->setVisible(scan->hasResult());
  for (QWidget* one : std::initializer_list<QWidget*>{low_, prompts_, blocks_, layers_, steps_, underError_, underSize_}) one->setEnabled(!running);
  showResult();
  refreshEstimate();
}

void ScanPanel::showResult() {
  const ui::SensitivityScan* scan = session_->scan();
  session_->draft()->layers()->setErrors(scan->layerErrors());
  if (!scan->hasResult()) return chart_->setGroups({});
  const protocol::ScanResult& result = scan->result();
  chart_->setGroups(result.groups);
  const double low = static_cast<double>(result.bytes_after) / kMegabyte, high = static_cast<double>(result.bytes_before) / kMegabyte;
  if (size_->minimum() != low || size_->maximum() != high) {   // of another scan
    size_->setRange(low, high), size_->setValue((low + high) / 2);
    error_->setValue(100 * result.all / 2);
  }
  summary_->setText(QStringLiteral("all at once: error %1, %2 instead of %3")
                        .arg(ui::errorText(result.all), ui::policySizeText(result.bytes_after), ui::policySizeText(result.bytes_before)));
}

void ScanPanel::tellFound(const protocol::FoundPolicy& policy) {
  const protocol::ScanResult& result = session_->scan()->result();
  const QString what = session_->scan()->params().blocks ? QStringLiteral("blocks") : QStringLiteral("layers");
  Q_EMIT found(QString::fromStdString(policy.policy),
               QStringLiteral("Found: %1 in %2 of %3 %4; measured error %5 (%6 by adding up), %7 of %8")
                   .arg(session_->draft()->layers()->label(QString::fromStdString(session_->scan()->params().precision)))
                   .arg(policy.low.size()).arg(result.groups.size()).arg(what, ui::errorText(policy.measured), ui::errorText(policy.predicted),
                        ui::policySizeText(policy.bytes), ui::policySizeText(result.bytes_before)));
}

}  // namespace quantspot::views
