#include "ui/views/decide_page.h"

#include "ui/models/decision_model.h"
#include "ui/views/beside.h"
#include "ui/views/decide_limits.h"
#include "ui/views/decision_path.h"
#include "ui/views/export_dialog.h"
#include "ui/views/path_dialog.h"
#include "ui/views/precision_panel.h"
#include "ui/views/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

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

// A title in bold, and lines.
QString titled(const QString& title, const QStringList& lines) {
  return QStringLiteral("<b>%1</b><br>").arg(title.toHtmlEscaped()) + lines.join(u'\n').toHtmlEscaped().replace(u'\n', QStringLiteral("<br>"));
}

// "the history", "report.json of evaluation", a study's title.
QString shortName(const decision::EvidenceSource& source) {
  const QString name = QString::fromStdString(source.name);
  const QFileInfo file(name);
  if (source.kind == "sensitivity") return QStringLiteral("sensitivity at %1").arg(name);
  return name.contains(u'/') ? QStringLiteral("%1 of %2").arg(file.fileName(), file.dir().dirName()) : source.kind == "study"
      ? QStringLiteral("study “%1”").arg(name) : name;
}

// What bf16 is mixed with: the precision itself, unless it has 16 bits or is a mix.
QString lowOf(const QString& precision) {
  return precision.isEmpty() || precision == QLatin1String("bf16") || precision.contains(u'?') ? QStringLiteral("bnb-nf4") : precision;
}

// "Use `bnb-nf4`: …" with the name in bold.
QString rich(const QString& sentence) {
  QStringList parts = sentence.toHtmlEscaped().split(u'`');
  for (qsizetype i = 1; i < parts.size(); i += 2) parts[i] = QStringLiteral("<b>%1</b>").arg(parts[i]);
  return parts.join(QString());
}

}  // namespace

DecidePage::DecidePage(ui::DecisionModel* model, QWidget* parent)
    : QWidget(parent), model_(model), sentence_(wrapped("sentence")), about_(wrapped("quiet")), notes_(wrapped("quiet")), said_(wrapped("quiet")),
      limits_(new DecideLimits), table_(new QTableView), path_(new DecisionPath), sources_(new QVBoxLayout),
      export_(new QPushButton(QStringLiteral("Export…"))),
      search_(new QPushButton), retry_(new QPushButton(QStringLiteral("Try again"))), exporter_(new ExportDialog(model, this)) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 12), layout->setSpacing(12);
  layout->addWidget(makeTop());
  layout->addWidget(limits_);
  makeTable();
  auto* middle = new QHBoxLayout;
  middle->setSpacing(16);
  middle->addWidget(table_, 5), middle->addWidget(makeSide(), 3);
  layout->addLayout(middle, 1);
  layout->addWidget(makeEnd());
  connect(limits_, &DecideLimits::changed, this, [this] { model_->setConstraints(limits_->limits()); });
  connect(limits_, &DecideLimits::hardwareChosen, model_, &ui::DecisionModel::setHardware);
  connect(model_, &ui::DecisionModel::changed, this, &DecidePage::refresh);
  connect(model_, &ui::DecisionModel::hardwareChanged, this, [this] { limits_->listHardware(model_->hardware(), model_->hardwareIndex()); });
  connect(model_->evidence(), &ui::DecisionEvidence::changed, this, &DecidePage::listSources);
  limits_->setLimits(model_->constraints());
  limits_->listHardware(model_->hardware(), model_->hardwareIndex());
  listSources();
  refresh();
}

void DecidePage::setSettings(const QString& file) {
  settings_ = file;
  const QString folder = QFileInfo(file).path();
  model_->keepIn(folder + QStringLiteral("/decide.json"));
  exporter_->setPlace(folder);
  limits_->setLimits(model_->constraints());
}

// The evaluation's folder, as it is now, and those beside it.
QStringList DecidePage::evaluations() const {
  if (settings_.isEmpty()) return {};
  const QString folder = QFileInfo(settings_).path(),
      of = QSettings(settings_, QSettings::IniFormat).value(QStringLiteral("evaluation/folder")).toString();
  return of.isEmpty() || of.startsWith(folder + u'/') ? QStringList{folder} : QStringList{folder, QFileInfo(of).path()};
}

QWidget* DecidePage::makeTop() {
  QFont large = font();
  large.setPointSizeF(large.pointSizeF() * 1.35);
  sentence_->setFont(large);
  sentence_->setTextFormat(Qt::RichText);
  sentence_->setAccessibleName(QStringLiteral("Decision"));
  connect(retry_, &QPushButton::clicked, this, [this] { model_->setActive(true); });
  auto* top = new QWidget;
  auto* row = new QHBoxLayout(top);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(sentence_, 1), row->addWidget(retry_);
  return top;
}

// The path, what would change the answer, and what is known from where.
QWidget* DecidePage::makeSide() {
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true), scroll->setFrameShape(QFrame::NoFrame);
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 6, 0), column->setSpacing(8);
  auto* heading = new QLabel(QStringLiteral("Evidence"));
  heading->setProperty("role", "section");
  auto* add = new QPushButton(QStringLiteral("Add evidence…"));
  add->setToolTip(QStringLiteral("report.json of a comparison, analysis.json or the bundle of a study"));
  connect(add, &QPushButton::clicked, this, &DecidePage::chooseEvidence);
  sources_->setSpacing(2);
  column->addWidget(path_), column->addWidget(about_), column->addWidget(notes_), column->addWidget(heading);
  column->addLayout(sources_), column->addWidget(add, 0, Qt::AlignLeft), column->addStretch(1);
  scroll->setWidget(side);
  return scroll;
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
  table_->setAutoScroll(false);                            // a press on a wide row must not push its name out of sight
  makeCopyable(table_);
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this, &DecidePage::refreshButtons);
}

QWidget* DecidePage::makeEnd() {
  auto* end = new QWidget;
  auto* layout = new QHBoxLayout(end);
  layout->setContentsMargins(0, 0, 0, 0);
  setMainRole(export_, true);
  layout->addWidget(search_), layout->addWidget(said_, 1), layout->addWidget(export_);
  connect(search_, &QPushButton::clicked, this, &DecidePage::search);
  connect(export_, &QPushButton::clicked, this, [this] { exporter_->open(picked()); });
  for (const auto signal : {&ui::DecisionModel::searched, &ui::DecisionModel::exported})
    connect(model_, signal, this, [this](const QString& text) { refreshButtons(), said_->setText(text); });
  connect(model_, &ui::DecisionModel::searchProgress, this, [this](const QString& text) { refreshButtons(), said_->setText(text); });
  connect(model_, &ui::DecisionModel::exportProgress, said_, &QLabel::setText);
  return end;
}

void DecidePage::listSources() {
  while (QLayoutItem* item = sources_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  for (const ui::DecisionEvidence::Source& source : model_->evidence()->sources()) {
    const decision::EvidenceSource& what = source.what();
    const QString date = what.date.empty() ? QString() : QStringLiteral(", ") + QString::fromStdString(what.date);
    auto* box = new QCheckBox(QStringLiteral("%1%2: N = %3").arg(shortName(what), date).arg(what.n));
    box->setChecked(source.used);
    box->setToolTip(QStringLiteral("%1: %2").arg(QString::fromStdString(what.name), QString::fromStdString(what.text)));
    connect(box, &QCheckBox::toggled, this, [this, key = source.key](bool used) {
      // Afterwards: the list is made anew, and this box with it.
      QMetaObject::invokeMethod(model_, [model = model_, key, used] { model->evidence()->setUsed(key, used); }, Qt::QueuedConnection);
    });
    sources_->addWidget(box);
  }
  if (sources_->count() > 0) return;
  auto* none = wrapped("quiet");
  none->setText(QStringLiteral("None yet: compare precisions on the Compare page, run an evaluation, or open the analysis of a study."));
  sources_->addWidget(none);
}

QList<QCheckBox*> DecidePage::sources() const {
  QList<QCheckBox*> boxes;
  for (int i = 0; i < sources_->count(); ++i)
    if (auto* box = qobject_cast<QCheckBox*>(sources_->itemAt(i)->widget())) boxes << box;
  return boxes;
}

void DecidePage::refresh() {
  sentence_->setText(rich(model_->sentence()));
  limits_->nameClip(model_->clipLabel());
  const auto& decision = model_->decision();
  path_->setPath(decision ? decision->path : std::vector<decision::Node>(),
                 !decision ? QString() : decision->chosen ? QStringLiteral("Use %1").arg(model_->chosen())
                     : QStringLiteral("Nothing meets what is asked"));
  QStringList blocks;
  const auto block = [&](const QString& title, const QStringList& lines) { if (!lines.isEmpty()) blocks << titled(title, lines); };
  block(QStringLiteral("What would change the answer"), model_->changes());
  block(QStringLiteral("Not known"), model_->unknown());
  if (decision && !model_->problem().isEmpty()) blocks.prepend(model_->problem().toHtmlEscaped());
  notes_->setText(blocks.join(QStringLiteral("<br><br>")));
  retry_->setVisible(!decision && !model_->problem().isEmpty() && !model_->isBusy());
  refreshButtons();
  limits_->hardware()->setCurrentIndex(model_->hardwareIndex());
}

QString DecidePage::picked() const {
  const QModelIndex row = table_->currentIndex();
  return row.isValid() ? row.data(ui::DecisionModel::IdRole).toString() : model_->chosen();
}

void DecidePage::refreshButtons() {
  const QString precision = picked();
  const QStringList figures = model_->figures(precision);
  about_->setText(figures.isEmpty() ? QString() : titled(QStringLiteral("Known of %1").arg(precision), figures));
  about_->setVisible(!figures.isEmpty());
  export_->setEnabled(!precision.isEmpty());
  export_->setToolTip(!precision.isEmpty()  ? QStringLiteral("Files to deploy the selected precision with, and the Python text that uses it")
                      : model_->decision() ? QStringLiteral("Nothing meets what is asked: select a row to export it all the same")
                                           : QStringLiteral("First it is counted what each precision needs"));
  search_->setText(model_->isSearching() ? QStringLiteral("Stop the search") : QStringLiteral("Find a mix with %1…").arg(lowOf(precision)));
  search_->setEnabled(model_->decision().has_value() && !model_->isExporting());
  search_->setToolTip(search_->isEnabled() ? QStringLiteral("Between bf16 and the selected precision: which blocks need the bits, by the error that "
                                                            "each causes alone. Draws many pictures.")
                      : model_->isExporting() ? QStringLiteral("When the export is done") : export_->toolTip());
  if (!model_->isExporting() && !model_->isSearching()) said_->clear();
}

void DecidePage::search() {
  if (model_->isSearching()) model_->cancelSearch();
  else model_->searchMix(lowOf(picked()));
}

void DecidePage::chooseEvidence() {
  askForPath(this, {QStringLiteral("Add evidence"), PathKind::Files, {}, QStringLiteral("Comparisons and studies (*.json *.zip);;All files (*)")},
             [this](const QString& file) { model_->addEvidence(file); });
}

QString DecidePage::sentence() const { return model_->sentence(); }
QString DecidePage::notes() const { return notes_->text(); }

void DecidePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  model_->setFolders(evaluations());
  model_->setActive(true);
}

void DecidePage::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  model_->setActive(false);
}

}  // namespace quantspot::views
