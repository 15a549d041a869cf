#include "ui/views/evaluate_page.h"

#include "ui/models/compare_session.h"
#include "ui/models/metric_weights.h"
#include "ui/views/evaluate_charts.h"
#include "ui/views/evaluate_figures.h"
#include "ui/views/evaluate_pictures.h"
#include "ui/views/evaluate_setup.h"
#include "ui/views/matrix_delegate.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/path_dialog.h"
#include "ui/views/threshold_table.h"
#include "ui/views/weights_dialog.h"

#include <QDir>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QTabWidget>
#include <QTableView>
#include <QToolButton>
#include <QVBoxLayout>

namespace quantspot::views {

using State = ui::EvaluationRun::State;

EvaluatePage::EvaluatePage(ui::CompareSession* session, ui::EngineClient* engine, QWidget* parent)
    : QWidget(parent), run_(engine), model_(&run_), setup_(new EvaluateSetup(session)), thresholds_(new ThresholdTable), explanation_(new QLabel),
        status_(new QLabel),
      empty_(new QLabel), table_(new QTableView), session_(session), engine_(engine), charts_(new EvaluateCharts), figures_(new EvaluateFigures),
          pictures_(new EvaluatePictures(&model_, this)), tabs_(new QTabWidget), progress_(new QProgressBar) {
  layOut();
  connectRun();
  thresholds_->setThresholds(run_.thresholds());
  setup_->setFolder(QDir::homePath() + QStringLiteral("/quantspot-evaluation"));
  refresh();
}

void EvaluatePage::layOut() {
  table_->setModel(&model_), table_->setItemDelegate(new MatrixDelegate(table_));
  table_->setSelectionMode(QAbstractItemView::SingleSelection), table_->setAccessibleName(QStringLiteral("Pictures by prompt and precision"));
  table_->verticalHeader()->setDefaultSectionSize(MatrixDelegate::kHeight), table_->horizontalHeader()->setDefaultSectionSize(MatrixDelegate::kWidth);
  table_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  empty_->setProperty("role", "quiet"), empty_->setAlignment(Qt::AlignCenter), empty_->setWordWrap(true);
  empty_->setText(QStringLiteral("Every prompt × seed at every precision: choose on the left and press Start.\n"
                                 "Finished pictures are kept; pause and go on when you like."));
  auto* cells = new QWidget;
  auto* cellsLayout = new QVBoxLayout(cells);
  cellsLayout->setContentsMargins(0, 0, 0, 0);
  cellsLayout->addWidget(table_, 1), cellsLayout->addWidget(empty_, 1);
  tabs_->addTab(cells, QStringLiteral("Pictures")), tabs_->addTab(figures_, QStringLiteral("Figures")),
      tabs_->addTab(charts_, QStringLiteral("Charts"));
  tabs_->setDocumentMode(true), tabs_->setAccessibleName(QStringLiteral("What is shown"));
  auto* heading = new QLabel(QStringLiteral("Thresholds: each may be changed; a red cell says by how much it is missed"));
  heading->setProperty("role", "section");
  explanation_->setWordWrap(true), explanation_->setProperty("role", "quiet");
  explanation_->setMinimumHeight(explanation_->fontMetrics().height() + 4);
  auto* right = new QVBoxLayout;
  right->setContentsMargins(16, 12, 16, 10), right->setSpacing(6);
  right->addWidget(heading), right->addWidget(thresholds_), right->addWidget(explanation_), right->addWidget(tabs_, 1),
      right->addWidget(makeFooter());
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addWidget(setup_), layout->addLayout(right, 1);
}

QWidget* EvaluatePage::makeFooter() {
  auto* footer = new QWidget;
  auto* row = new QHBoxLayout(footer);
  row->setContentsMargins(0, 0, 0, 0);
  progress_->setTextVisible(false), progress_->setFixedWidth(180), progress_->setAccessibleName(QStringLiteral("Pictures drawn"));
  row->addWidget(progress_), row->addWidget(status_, 1);
  for (const auto& [text, kind] : {std::pair{"Save page…", "html"}, std::pair{"Save PDF…", "pdf"}, std::pair{"Save tables…", "csv"}})
    row->addWidget(exportButton(QString::fromUtf8(text), QString::fromUtf8(kind)));
  return footer;
}

QToolButton* EvaluatePage::exportButton(const QString& text, const QString& kind) {
  auto* button = new QToolButton;
  button->setText(text);
  connect(button, &QToolButton::clicked, this, [this, kind] { askExport(kind); });
  exports_.push_back(button);
  return button;
}

void EvaluatePage::connectRun() {
  connect(setup_, &EvaluateSetup::mainPressed, this, &EvaluatePage::onMain);
  connect(setup_, &EvaluateSetup::estimatePressed, this, [this] { openThen(Then::Estimate); });
  connect(setup_, &EvaluateSetup::edited, this, [this] { stale_ = true, refresh(); });
  connect(setup_, &EvaluateSetup::modelChosen, this, &EvaluatePage::askOffers);
  connect(session_, &ui::CompareSession::modelsChanged, this, &EvaluatePage::askOffers);   // the engine is there
  connect(setup_->measure(), &MeasureDialog::weightsPressed, this, &EvaluatePage::openWeights);
  connect(figures_, &EvaluateFigures::weightsPressed, this, &EvaluatePage::openWeights);
  connect(&run_, &ui::EvaluationRun::opened, this, &EvaluatePage::takeRatings);
  connect(session_->score(), &ui::ScoreSummary::changed, this, &EvaluatePage::takeRatings);
  connect(&run_, &ui::EvaluationRun::opened, this, &EvaluatePage::onOpened);
  connect(&run_, &ui::EvaluationRun::stateChanged, this, &EvaluatePage::refresh);
  connect(&run_, &ui::EvaluationRun::statusChanged, this, &EvaluatePage::refresh);
  connect(&run_, &ui::EvaluationRun::failed, setup_, &EvaluateSetup::showProblem);
  connect(&run_, &ui::EvaluationRun::reportChanged, this, [this] {
    thresholds_->setReport(run_.report());
    charts_->setReport(run_.report());
    figures_->setReport(run_.report());
  });
  connect(thresholds_, &ThresholdTable::edited, &run_, &ui::EvaluationRun::setThresholds);
  connect(thresholds_, &ThresholdTable::explained, explanation_, &QLabel::setText);
  const auto open = [this](const QModelIndex& index) { pictures_->showRow(index.row()); };
  connect(table_, &QTableView::clicked, this, open);
  connect(table_, &QTableView::activated, this, open);
  connect(charts_, &EvaluateCharts::comparisonChosen, pictures_, &EvaluatePictures::showRow);
}

void EvaluatePage::onMain() {
  if (run_.state() == State::Running) return run_.pause();
  openThen(Then::Start);
}

void EvaluatePage::openThen(Then then) {
  setup_->showProblem({});
  then_ = then;
  if (!stale_ && run_.plan()) return onOpened();
  try {
    const ui::EvaluationRequest request = setup_->request();
    run_.setFurtherEngines(setup_->engines());
    run_.open(request);
    remember();
  } catch (const std::exception& error) {
    setup_->showProblem(QString::fromStdString(error.what()));
  }
}

void EvaluatePage::onOpened() {
  stale_ = false;
  thresholds_->setThresholds(run_.thresholds());
  thresholds_->setLabels(evaluation::labelsOf(run_.metrics()));
  table_->verticalHeader()->setFixedWidth(275);
  const Then then = std::exchange(then_, Then::Nothing);
  if (then == Then::Start) run_.start();
  if (then == Then::Estimate) run_.startPilot();
  refresh();
}

void EvaluatePage::takeRatings() {
  evaluation::SetFigures ratings;
  for (const study::RatingMean& one : session_->score()->ratings(run_.request().model)) {
    evaluation::Estimate& rating = ratings[one.precision.toStdString()]["rating"];
    rating.value = one.mean.value, rating.n = static_cast<std::size_t>(one.mean.n);
    if (one.mean.ci95) rating.ci95 = evaluation::Interval{one.mean.ci95->first, one.mean.ci95->second};
  }
  run_.setOwnRatings(std::move(ratings), QStringLiteral("yours, Compare page"));
}

void EvaluatePage::refresh() {
  // A changed form begins anew: what is open is no longer what Resume would mean.
  const State state = !run_.isBusy() && stale_ && run_.state() != State::Opening ? State::Empty : run_.state();
  setup_->showState(state, state == State::Empty || run_.isBusy() ? QString() : run_.costsText());
  const auto& counts = run_.counts();
  progress_->setMaximum(std::max(1, static_cast<int>(counts.cells)));
  progress_->setValue(static_cast<int>(counts.finished + counts.failed));
  progress_->setVisible(run_.plan() != nullptr);
  status_->setText(run_.statusText());
  empty_->setVisible(!run_.plan()), table_->setVisible(run_.plan() != nullptr);
  for (QToolButton* button : exports_) {
    button->setEnabled(counts.finished > 0);
    button->setToolTip(counts.finished > 0 ? QString() : QStringLiteral("Nothing is drawn yet"));
  }
}

void EvaluatePage::askOffers() {
  engine_->call<protocol::OfferedResult>(
      QStringLiteral("metrics/offered"), protocol::OfferedParams{setup_->model().toStdString()}, this,
      [this](const protocol::OfferedResult& result) {
        setup_->setOffers(result.metrics);
        figures_->setLacking(setup_->measure()->lacking());
        if (stale_ || !run_.plan()) thresholds_->setLabels(evaluation::labelsOf(evaluation::chooseMetrics(result.metrics, {}, 0, 0)));
      },
      [this](const ui::RpcError& error) { setup_->showProblem(error.message); });
}

void EvaluatePage::openWeights() {
  if (!weights_) {
    auto* weights = new ui::MetricWeights(session_->engineCommand(), this);
    weights_ = new WeightsDialog(weights, this);
    // What came is measured from the next start on: what is open knows the metrics that it was opened with.
    connect(weights, &ui::MetricWeights::finished, this, [this] { stale_ = true, refresh(), askOffers(); });
  }
  weights_->open();
}

QString EvaluatePage::explanation() const { return explanation_->text(); }

void EvaluatePage::askExport(const QString& kind) {
  const QString folder = run_.request().folder;
  const PathQuestion tables{QStringLiteral("Folder for the tables"), PathKind::Folder, folder};
  const PathQuestion report{QStringLiteral("Save the report"), PathKind::NewFile, folder + QStringLiteral("/report.") + kind,
                            QStringLiteral("Reports (*.%1)").arg(kind)};
  askForPath(this, kind == QLatin1String("csv") ? tables : report, [this, kind](const QString& path) { exportTo(kind, path); });
}

bool EvaluatePage::exportTo(const QString& kind, const QString& path) try {
  if (kind == QLatin1String("csv")) run_.writeTables(path);
  else if (kind == QLatin1String("pdf")) run_.writePdf(path);
  else run_.writeHtml(path);
  status_->setText(QStringLiteral("Saved in %1").arg(path));
  setup_->showProblem({});
  return true;
} catch (const std::exception& error) {
  setup_->showProblem(QString::fromStdString(error.what()));
  return false;
}

void EvaluatePage::setSettings(const QString& file) {
  settings_ = file;
  QSettings settings(file, QSettings::IniFormat);
  setup_->setFolder(settings.value(QStringLiteral("evaluation/folder"), QFileInfo(file).path() + QStringLiteral("/evaluation")).toString());
  setup_->setEngineLines(settings.value(QStringLiteral("evaluation/engines")).toString());
}

void EvaluatePage::remember() {
  if (settings_.isEmpty()) return;
  QSettings settings(settings_, QSettings::IniFormat);
  settings.setValue(QStringLiteral("evaluation/folder"), setup_->folder());
  settings.setValue(QStringLiteral("evaluation/engines"), setup_->engineLines());
}

void EvaluatePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (std::exchange(remembered_, true) || run_.plan()) return;
  if (const auto last = ui::EvaluationRun::lastIn(setup_->folder())) {
    setup_->setRequest(*last);
    stale_ = false;
    run_.setFurtherEngines(setup_->engines());
    run_.open(*last);
  }
}

void EvaluatePage::takeFocus() { setup_->mainButton()->setFocus(); }

}  // namespace quantspot::views
