#include "ui/views/decide_page.h"

#include "decision/figures.h"
#include "ui/models/decision_model.h"
#include "ui/views/decision_path.h"
#include "ui/views/limit_slider.h"
#include "ui/views/theme.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr double kGiB = 1 << 30;

LimitSlider* memorySlider() {
  const std::vector<double> stops = {0.25, 0.375, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80};
  QStringList texts;
  for (const double stop : stops) texts << QStringLiteral("%1\u2009GiB").arg(stop);
  return new LimitSlider(QStringLiteral("Memory"), stops, texts << QStringLiteral("what it has"));
}

LimitSlider* timeSlider() {
  const std::vector<double> stops = {0.5, 1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600};
  QStringList texts;
  for (const double stop : stops) texts << QString::fromStdString(decision::seconds(stop));
  return new LimitSlider(QStringLiteral("Time per picture"), stops, texts << QStringLiteral("any"));
}

LimitSlider* visibilitySlider() {
  const std::vector<double> stops = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5};
  QStringList texts;
  for (const double stop : stops) texts << QStringLiteral("%1\u2009% of people").arg(100 * stop);
  return new LimitSlider(QStringLiteral("May be noticed by"), stops, texts << QStringLiteral("any"));
}

// The answer in bold beside its colour, what is out in grey.
class RankDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    if (!index.data(ui::DecisionModel::PossibleRole).toBool()) option->palette.setColor(QPalette::Text, theme().quiet);
    if (index.data(ui::DecisionModel::ChosenRole).toBool()) option->font.setBold(true);
    if (index.column() != ui::DecisionModel::Precision) return;
    QPixmap chip(10, 10);
    chip.fill(precisionColor(index.data(ui::DecisionModel::IdRole).toString()));
    option->icon = QIcon(chip);
    option->features |= QStyleOptionViewItem::HasDecoration;
    option->decorationSize = QSize(10, 10);
  }
};

QLabel* wrapped(const char* role) {
  auto* label = new QLabel;
  label->setProperty("role", role);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

// "Use `bnb-nf4`: …" with the name in bold.
QString rich(const QString& sentence) {
  QStringList parts = sentence.toHtmlEscaped().split(u'`');
  for (qsizetype i = 1; i < parts.size(); i += 2) parts[i] = QStringLiteral("<b>%1</b>").arg(parts[i]);
  return parts.join(QString());
}

}  // namespace

DecidePage::DecidePage(ui::DecisionModel* model, QWidget* parent)
    : QWidget(parent), model_(model), sentence_(wrapped("sentence")), notes_(wrapped("quiet")), said_(new QLabel), hardware_(new QComboBox), memory_(memorySlider()),
      time_(timeSlider()), visibility_(visibilitySlider()), offload_(new QCheckBox(QStringLiteral("Weights may travel in every step"))), table_(new QTableView),
      path_(new DecisionPath), python_(new QPushButton(QStringLiteral("Copy Python"))), diffusers_(new QPushButton(QStringLiteral("Export for diffusers…"))),
      gguf_(new QPushButton(QStringLiteral("Export GGUF…"))) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 12), layout->setSpacing(12);
  layout->addWidget(makeTop());
  layout->addWidget(makeAsked());
  makeTable();
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true), scroll->setFrameShape(QFrame::NoFrame);
  auto* side = new QWidget;
  auto* right = new QVBoxLayout(side);
  right->setContentsMargins(0, 0, 6, 0);
  right->addWidget(path_), right->addSpacing(8), right->addWidget(notes_), right->addStretch(1);
  scroll->setWidget(side);
  auto* middle = new QHBoxLayout;
  middle->setSpacing(16);
  middle->addWidget(table_, 5), middle->addWidget(scroll, 3);
  layout->addLayout(middle, 1);
  layout->addWidget(makeEnd());
  connect(model_, &ui::DecisionModel::changed, this, &DecidePage::refresh);
  connect(model_, &ui::DecisionModel::hardwareChanged, this, &DecidePage::listHardware);
  listHardware();
  refresh();
}

QWidget* DecidePage::makeTop() {
  QFont large = font();
  large.setPointSizeF(large.pointSizeF() * 1.35);
  sentence_->setFont(large);
  sentence_->setTextFormat(Qt::RichText);
  sentence_->setAccessibleName(QStringLiteral("Decision"));
  return sentence_;
}

QWidget* DecidePage::makeAsked() {
  auto* asked = new QWidget;
  auto* layout = new QHBoxLayout(asked);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(24);
  auto* where = new QVBoxLayout;
  auto* heading = new QLabel(QStringLiteral("Runs on"));
  heading->setProperty("role", "section");
  hardware_->setAccessibleName(QStringLiteral("Runs on"));
  where->addStretch(1), where->addWidget(heading), where->addWidget(hardware_);
  layout->addLayout(where, 3);
  for (LimitSlider* slider : {memory_, time_, visibility_}) layout->addWidget(slider, 2);
  offload_->setChecked(true);
  offload_->setToolTip(QStringLiteral("Offload: blocks or layers come from RAM or disk when they are used. Less memory, more time."));
  layout->addWidget(offload_, 0, Qt::AlignBottom);
  connect(hardware_, &QComboBox::activated, model_, &ui::DecisionModel::setHardware);
  connect(memory_, &LimitSlider::changed, this, [this] { model_->setMaxMemory(static_cast<qint64>(memory_->value().value_or(0) * kGiB)); });
  connect(time_, &LimitSlider::changed, this, [this] { model_->setMaxSeconds(time_->value().value_or(0)); });
  connect(visibility_, &LimitSlider::changed, this, [this] { model_->setMaxVisible(visibility_->value()); });
  connect(offload_, &QCheckBox::toggled, model_, &ui::DecisionModel::setOffload);
  return asked;
}

void DecidePage::makeTable() {
  table_->setModel(model_);
  table_->setItemDelegate(new RankDelegate(table_));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows), table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setShowGrid(false), table_->setWordWrap(false), table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(28);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setStretchLastSection(true);
  table_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  table_->setAccessibleName(QStringLiteral("Precisions, best first"));
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this, &DecidePage::refreshButtons);
}

QWidget* DecidePage::makeEnd() {
  auto* end = new QWidget;
  auto* layout = new QHBoxLayout(end);
  layout->setContentsMargins(0, 0, 0, 0);
  auto* evidence = new QPushButton(QStringLiteral("Add evidence…"));
  evidence->setToolTip(QStringLiteral("report.json of a comparison, analysis.json or the bundle of a study"));
  said_->setProperty("role", "quiet");
  python_->setToolTip(QStringLiteral("A program that draws with this precision through diffusers"));
  said_->setWordWrap(true);
  diffusers_->setToolTip(QStringLiteral("A folder that diffusers loads at this precision, with run.py, requirements and a manifest"));
  gguf_->setToolTip(QStringLiteral("A file for ComfyUI-GGUF and stable-diffusion.cpp, with run.py, requirements and a manifest"));
  layout->addWidget(evidence), layout->addWidget(said_, 1);
  for (QPushButton* button : {diffusers_, gguf_, python_}) layout->addWidget(button);
  for (QPushButton* button : {diffusers_, gguf_}) connect(button, &QPushButton::clicked, this, &DecidePage::exportPicked);
  connect(model_, &ui::DecisionModel::exportProgress, said_, &QLabel::setText);
  connect(model_, &ui::DecisionModel::exported, this, [this](const QString& text) { refreshButtons(), said_->setText(text); });
  connect(evidence, &QPushButton::clicked, this, &DecidePage::chooseEvidence);
  connect(python_, &QPushButton::clicked, this, &DecidePage::copyPython);
  return end;
}

void DecidePage::listHardware() {
  const QSignalBlocker quiet(hardware_);
  hardware_->clear();
  for (const decision::Hardware& one : model_->hardware()) {
    const QString memory = one.memory > 0 ? QString::fromStdString(decision::gib(one.memory)) : QStringLiteral("memory unknown");
    const QString name = QString::fromStdString(one.name).remove(QStringLiteral("(R)")).remove(QStringLiteral("(TM)"));
    hardware_->addItem(one.found ? QStringLiteral("%1, %2 %3").arg(name, memory, one.gpu ? QString() : QStringLiteral("free")).trimmed() : QStringLiteral("%1, %2").arg(name, memory));
    hardware_->setItemData(hardware_->count() - 1, QString::fromStdString(one.source), Qt::ToolTipRole);
  }
  hardware_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  hardware_->setCurrentIndex(model_->hardwareIndex());
}

void DecidePage::refresh() {
  sentence_->setText(rich(model_->sentence()));
  const auto& decision = model_->decision();
  path_->setPath(decision ? decision->path : std::vector<decision::Node>(),
                 !decision ? QString() : decision->chosen ? QStringLiteral("Use %1").arg(model_->chosen()) : QStringLiteral("Nothing meets what is asked"));
  QStringList blocks;
  const auto block = [&](const QString& title, const QStringList& lines) {
    if (!lines.isEmpty()) blocks << QStringLiteral("<b>%1</b><br>").arg(title) + lines.join(QStringLiteral("\n")).toHtmlEscaped().replace(u'\n', QStringLiteral("<br>"));
  };
  block(QStringLiteral("What would change the answer"), model_->changes());
  block(QStringLiteral("Not known"), model_->unknown());
  block(QStringLiteral("Evidence"), model_->sources());
  if (decision && !model_->problem().isEmpty()) blocks.prepend(model_->problem().toHtmlEscaped());
  notes_->setText(blocks.join(QStringLiteral("<br><br>")));
  refreshButtons();
  hardware_->setCurrentIndex(model_->hardwareIndex());
}

QString DecidePage::picked() const {
  const QModelIndex row = table_->currentIndex();
  return row.isValid() ? row.data(ui::DecisionModel::IdRole).toString() : model_->chosen();
}

void DecidePage::refreshButtons() {
  const QString precision = picked();
  const bool gguf = precision.startsWith(u"gguf-"), idle = !precision.isEmpty() && !model_->isExporting();
  QString why;
  python_->setEnabled(!precision.isEmpty() && !model_->pythonText(precision, &why).isEmpty());
  diffusers_->setEnabled(idle && !gguf), gguf_->setEnabled(idle && gguf);
  if (!model_->isExporting()) said_->setText(why);
}

void DecidePage::copyPython() {
  QString why;
  const QString precision = picked(), text = model_->pythonText(precision, &why);
  if (text.isEmpty()) return;
  QGuiApplication::clipboard()->setText(text);
  said_->setText(QStringLiteral("The Python text for %1 is on the clipboard.").arg(precision));
}

void DecidePage::exportPicked() {
  const QString precision = picked();
  const QString out = QFileDialog::getSaveFileName(this, QStringLiteral("Export %1: a folder that is not there yet").arg(precision), QString(precision).replace(u'?', u'+'));
  if (out.isEmpty()) return;
  model_->exportTo(precision, out);
  refreshButtons();
  said_->setText(QStringLiteral("Exporting %1…").arg(precision));
}

void DecidePage::chooseEvidence() {
  const QStringList files = QFileDialog::getOpenFileNames(this, QStringLiteral("Add evidence"), {}, QStringLiteral("Comparisons and studies (*.json *.zip);;All files (*)"));
  for (const QString& file : files)
    if (!model_->addEvidence(file)) return;
}

QString DecidePage::sentence() const { return model_->sentence(); }
QString DecidePage::notes() const { return notes_->text(); }

void DecidePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  model_->setActive(true);
}

void DecidePage::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  model_->setActive(false);
}

}  // namespace quantspot::views
