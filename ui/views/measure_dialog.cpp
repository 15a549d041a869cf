#include "ui/views/measure_dialog.h"

#include "evaluation/figures.h"
#include "ui/views/beside.h"
#include "ui/views/form_parts.h"
#include "ui/views/path_dialog.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr std::size_t kGrowth = 8;       // comparisons whose latents are kept

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QString describe(const evaluation::Metric& metric) {
  const QString label = text(metric.label);
  if (!metric.ready) return QStringLiteral("%1 · its weights are not here").arg(label);
  const evaluation::FigureInfo* info = evaluation::figureInfo(metric.id);
  return metric.needs.empty() || !info ? label : QStringLiteral("%1 · stands in for %2").arg(label, text(std::string(info->label)));
}

QString tipOf(const evaluation::Metric& metric) {
  if (metric.kind == "prompt") return QStringLiteral("Each picture against its prompt");
  if (metric.kind == "pair") return QStringLiteral("Each picture against the baseline's of the same prompt and seed");
  return QStringLiteral("All pictures of a precision as one set, six or more; FID needs 2048, KID does with few");
}

}  // namespace

MeasureDialog::MeasureDialog(QWidget* parent)
    : QWidget(parent, Qt::Window), list_(new QListWidget), real_(new QLineEdit), ratings_(new QLineEdit),
      growth_(new QCheckBox(QStringLiteral("Error &growth: keep the latents after every step of the first %1 comparisons").arg(kGrowth))),
          note_(new QLabel) {
  setObjectName(QStringLiteral("policyEditor"));   // the ground of windows beside the page
  setAttribute(Qt::WA_StyledBackground);
  setWindowTitle(QStringLiteral("What is measured"));
  layOut();
  connect(list_, &QListWidget::itemChanged, this, [this] {
    names_ = ticked();
    // Nothing at all is no choice: the default comes back, once the list has ended its change.
    if (names_.isEmpty()) QMetaObject::invokeMethod(this, [this] { fillList(), Q_EMIT edited(); }, Qt::QueuedConnection);
    Q_EMIT edited();
  });
  for (QLineEdit* edit : {real_, ratings_}) connect(edit, &QLineEdit::textChanged, this, &MeasureDialog::edited);
  connect(growth_, &QCheckBox::toggled, this, &MeasureDialog::edited);
}

void MeasureDialog::layOut() {
  list_->setObjectName(QStringLiteral("ticks")), list_->setAccessibleName(QStringLiteral("Metrics"));
  real_->setPlaceholderText(QStringLiteral("compare sets with the baseline's pictures")),
      real_->setAccessibleName(QStringLiteral("Real pictures or statistics"));
  real_->setToolTip(QStringLiteral("A folder of PNG and JPEG, or a .npz file of mu and sigma: FID and KID are then distances to these"));
  ratings_->setPlaceholderText(QStringLiteral("yours, of the Compare page")), ratings_->setAccessibleName(QStringLiteral("People's ratings"));
  ratings_->setToolTip(QStringLiteral("For the threshold of human rating: the bundle of a study with rating trials, its analysis.json, or a "
                                     "folder with one. "
                                     "Empty: what was rated 1 to 5 on the Compare page"));
  growth_->setToolTip(QStringLiteral("As compare --error-growth: a chart of the error against the baseline by step. Takes disk, "
                                     "and pictures without kept latents are drawn again"));
  auto* place = chooser(QStringLiteral("Choose real pictures"));
  addChoice(place, QStringLiteral("Folder of pictures…"), real_, true, {});
  addChoice(place, QStringLiteral("Statistics file…"), real_, false, QStringLiteral("Statistics (*.npz)"));
  auto* study = chooser(QStringLiteral("Choose ratings"));
  addChoice(study, QStringLiteral("Study bundle or analysis…"), ratings_, false, QStringLiteral("Studies (*.zip *.json)"));
  addChoice(study, QStringLiteral("Folder…"), ratings_, true, {});
  auto* form = new QFormLayout;
  for (const auto& [label, edit, button] : {std::tuple{"&Real pictures or statistics", real_, place},
                                            std::tuple{"&People's ratings", ratings_, study}}) {
    auto* field = new QWidget;
    auto* row = rowOf(field);
    row->addWidget(edit, 1), row->addWidget(button);
    auto* name = new QLabel(QString::fromUtf8(label));
    name->setBuddy(edit);
    form->addRow(name, field);
  }
  note_->setProperty("role", "quiet"), note_->setWordWrap(true);
  auto* weights = new QPushButton(QStringLiteral("&Metric weights…"));
  connect(weights, &QPushButton::clicked, this, &MeasureDialog::weightsPressed);
  auto* done = new QPushButton(QStringLiteral("&Done"));
  done->setProperty("role", "main");
  connect(done, &QPushButton::clicked, this, &QWidget::close);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(weights), buttons->addStretch(1), buttons->addWidget(done);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 16), layout->setSpacing(10);
  layout->addWidget(list_, 1), layout->addWidget(note_), layout->addLayout(form), layout->addWidget(growth_), layout->addLayout(buttons);
  resize(640, 560);
}

QToolButton* MeasureDialog::chooser(const QString& name) {
  auto* button = new QToolButton;
  button->setText(QStringLiteral("…")), button->setAccessibleName(name), button->setPopupMode(QToolButton::InstantPopup);
  button->setMenu(new QMenu(button));
  return button;
}

void MeasureDialog::addChoice(QToolButton* button, const QString& text, QLineEdit* target, bool folder, const QString& filter) {
  connect(button->menu()->addAction(text), &QAction::triggered, this, [this, text, target, folder, filter] {
    askForPath(this, {text, folder ? PathKind::Folder : PathKind::File, target->text(), filter},
        [target](const QString& path) { target->setText(path); });
  });
}

void MeasureDialog::setOffers(const std::vector<evaluation::Metric>& offered, int width, int height) {
  offered_ = offered, width_ = width, height_ = height;
  fillList();
}

void MeasureDialog::fillList() {
  const QSignalBlocker quiet(list_);
  QStringList on = names_;
  if (on.isEmpty())
    for (const std::string& name : evaluation::namesOf(evaluation::chooseMetrics(offered_, {}, width_, height_))) on << text(name);
  list_->clear();
  for (const evaluation::Metric& metric : offered_) {
    auto* item = new QListWidgetItem(describe(metric), list_);
    item->setData(Qt::UserRole, text(metric.id)), item->setToolTip(tipOf(metric));
    item->setFlags(metric.ready ? item->flags() | Qt::ItemIsUserCheckable : item->flags() & ~Qt::ItemIsEnabled);
    item->setCheckState(metric.ready && on.contains(text(metric.id)) ? Qt::Checked : Qt::Unchecked);
  }
  note_->setText(lacking().isEmpty() ? QString()
                 : lacking() + QStringLiteral(" The weights come from their makers' servers, when you press Download and not before."));
}

QStringList MeasureDialog::ticked() const {
  QStringList names;
  for (int i = 0; i < list_->count(); ++i)
    if (list_->item(i)->checkState() == Qt::Checked) names << list_->item(i)->data(Qt::UserRole).toString();
  return names;
}

void MeasureDialog::setRequest(const ui::EvaluationRequest& request) {
  const QSignalBlocker quiet(this);
  names_ = request.metrics;
  real_->setText(request.real), ratings_->setText(request.ratings);
  growth_->setChecked(request.growth > 0);
  fillList();
}

void MeasureDialog::fill(ui::EvaluationRequest& request) const {
  request.metrics = names_;
  request.real = real_->text().trimmed(), request.ratings = ratings_->text().trimmed();
  request.growth = growth_->isChecked() ? kGrowth : 0;
}

QString MeasureDialog::summary() const {
  QStringList labels;
  for (const evaluation::Metric& metric : offered_)
    if (ticked().contains(text(metric.id))) labels << text(metric.label);
  constexpr int kShown = 2;            // what the button on the page has room for
  if (labels.isEmpty()) return QStringLiteral("Choose");
  const QString rest = labels.size() > kShown ? QStringLiteral(" and %1 more").arg(labels.size() - kShown) : QString();
  return labels.mid(0, kShown).join(QStringLiteral(", ")) + rest;
}

QString MeasureDialog::lacking() const {
  QStringList standIns, missing;
  for (const evaluation::Metric& metric : offered_) {
    const evaluation::FigureInfo* info = evaluation::figureInfo(metric.id);
    if (metric.needs.empty() || !info || metric.id == "clip-image") continue;
    if (metric.ready) standIns << QStringLiteral("%1 for %2").arg(text(metric.label), text(std::string(info->label)));
    else missing << text(metric.label);
  }
  QStringList lines;
  if (!standIns.isEmpty()) lines << QStringLiteral("While real weights are not here, these stand in: %1.").arg(standIns.join(QStringLiteral(", ")));
  if (!missing.isEmpty()) lines << QStringLiteral("Not measured without their weights: %1.").arg(missing.join(QStringLiteral(", ")));
  return lines.join(u' ');
}

void MeasureDialog::open() {
  showBeside(this);
  list_->setFocus();
}

void MeasureDialog::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
