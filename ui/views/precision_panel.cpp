#include "ui/views/precision_panel.h"

#include "ui/models/auto_choice.h"
#include "ui/models/precision_list_model.h"
#include "ui/models/precision_names.h"
#include "ui/views/precision_delegate.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWidgetAction>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr int kWidth = 248, kRowHeight = 28;

QLabel* wrapped(const char* role) {
  auto* label = new QLabel;
  label->setProperty("role", role);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  label->hide();
  return label;
}

void setText(QLabel* label, const QString& text) {
  label->setText(text);
  label->setVisible(!text.isEmpty());
}

}  // namespace

void setMainRole(QPushButton* button, bool main) {
  button->setProperty("role", main ? QVariant(QStringLiteral("main")) : QVariant());
  button->style()->unpolish(button);
  button->style()->polish(button);
}

PrecisionPanel::PrecisionPanel(ui::PrecisionListModel* model, QWidget* parent)
    : QFrame(parent), model_(model), list_(new QListView), openPolicy_(new QToolButton), openAuto_(new QToolButton),
      failures_(wrapped("problem")), estimate_(wrapped("quiet")), problem_(wrapped("problem")),
      generate_(new QPushButton(QStringLiteral("Generate"))) {
  setObjectName(QStringLiteral("sidePanel"));
  setProperty("side", "left");
  setFixedWidth(kWidth);
  auto* title = new QLabel(QStringLiteral("Precisions"));
  title->setProperty("role", "section");
  list_->setModel(model_);
  list_->setItemDelegate(new PrecisionDelegate(list_));
  list_->setAccessibleName(QStringLiteral("Precisions"));
  list_->setMouseTracking(true), list_->setSelectionMode(QAbstractItemView::NoSelection);
  list_->viewport()->setAutoFillBackground(false);
  list_->setStyleSheet(QStringLiteral("QListView { background: transparent; }"));   // tool tips would take it, too
  list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  setMainRole(generate_, true);
  connect(generate_, &QPushButton::clicked, this, &PrecisionPanel::generate);
  connect(model_, &QAbstractItemModel::modelReset, this, &PrecisionPanel::growList);
  connect(model_, &QAbstractItemModel::rowsInserted, this, &PrecisionPanel::growList);
  connect(model_, &QAbstractItemModel::rowsRemoved, this, &PrecisionPanel::growList);

  auto* links = new QHBoxLayout;
  links->setSpacing(14);
  links->addWidget(openPolicy_), links->addWidget(openAuto_), links->addStretch(1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 14, 18, 16), layout->setSpacing(8);
  layout->addWidget(title), layout->addWidget(list_, 100), layout->addLayout(links), layout->addWidget(failures_);
  layout->addStretch(1);
  layout->addWidget(estimate_), layout->addWidget(problem_), layout->addWidget(generate_);
  addPolicyActions();
  addAutoMenu();
  growList();
}

// A policy's row can be edited (F2) and removed (Delete); the context menu says so.
void PrecisionPanel::addPolicyActions() {
  openPolicy_->setText(QStringLiteral("+ policy…"));
  openPolicy_->setProperty("role", "link");
  openPolicy_->setToolTip(QStringLiteral("Choose a precision for each layer"));
  connect(openPolicy_, &QToolButton::clicked, this, [this] { Q_EMIT policyWanted({}); });
  list_->installEventFilter(this);
  list_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(list_, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
    const QModelIndex index = list_->indexAt(at);
    if (!index.data(ui::PrecisionListModel::IsPolicyRole).toBool()) return;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString text = index.data(ui::PrecisionListModel::IdRole).toString();
    if (!ui::parseAuto(text)) menu->addAction(QStringLiteral("Edit policy…"), this, [this, text] { Q_EMIT policyWanted(text); });
    menu->addAction(QStringLiteral("Remove policy"), this, [this, row = index.row()] { Q_EMIT policyDropped(row); });
    menu->popup(list_->viewport()->mapToGlobal(at));
  });
}

// The limit is typed into the menu itself; Enter or the entry below adds the row.
void PrecisionPanel::addAutoMenu() {
  openAuto_->setText(QStringLiteral("+ auto…"));
  openAuto_->setProperty("role", "link");
  openAuto_->setToolTip(QStringLiteral("What fits into a memory, or stays below an error: the engine chooses"));
  openAuto_->setPopupMode(QToolButton::InstantPopup);
  openAuto_->setStyleSheet(QStringLiteral("QToolButton::menu-indicator { image: none; }"));
  auto* menu = new QMenu(openAuto_);
  menu->setAccessibleName(QStringLiteral("Limits"));
  const auto addLimit = [&](const QString& title, const QString& unit, double low, double high, double first, const auto& id) {
    auto* spin = new QDoubleSpinBox;
    spin->setRange(low, high), spin->setValue(first), spin->setDecimals(unit.contains(u'%') ? 1 : 2), spin->setSuffix(unit),
    spin->setAccessibleName(title);
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(10, 4, 10, 4);
    auto* add = new QPushButton(QStringLiteral("Add"));
    layout->addWidget(new QLabel(title), 1), layout->addWidget(spin), layout->addWidget(add);
    auto* action = new QWidgetAction(menu);
    action->setDefaultWidget(row);
    menu->addAction(action);
    connect(add, &QPushButton::clicked, this, [this, menu, spin, id] {
      menu->close();
      Q_EMIT autoWanted(id(spin->value()).id());
    });
  };
  menu->addAction(QStringLiteral("Highest precision for the memory that is free"), this, [this] { Q_EMIT autoWanted(ui::AutoChoice{}.id()); });
  addLimit(QStringLiteral("Highest precision within"), QStringLiteral("\u2009GiB"), 0.05, 4096, 6,
      [](double value) { return ui::AutoChoice{value, 0}; });
  addLimit(QStringLiteral("Smallest policy with an error up to"), QStringLiteral("\u2009%"), 0.1, 100, 10,
      [](double value) { return ui::AutoChoice{0, value / 100}; });
  openAuto_->setMenu(menu);
}

bool PrecisionPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched != list_ || event->type() != QEvent::KeyPress || busy_) return QFrame::eventFilter(watched, event);
  const int key = static_cast<QKeyEvent*>(event)->key();
  const QModelIndex index = list_->currentIndex();
  if (!index.data(ui::PrecisionListModel::IsPolicyRole).toBool()) return QFrame::eventFilter(watched, event);
  const QString text = index.data(ui::PrecisionListModel::IdRole).toString();
  if (key == Qt::Key_F2 && !ui::parseAuto(text)) Q_EMIT policyWanted(text);
  else if (key == Qt::Key_Delete) Q_EMIT policyDropped(index.row());
  else return QFrame::eventFilter(watched, event);
  return true;
}

// As high as its rows, so that what follows stays near; a long list scrolls.
void PrecisionPanel::growList() {
  const int all = std::max(1, model_->rowCount()) * kRowHeight + 2;
  list_->setMaximumHeight(all), list_->setMinimumHeight(std::min(all, 4 * kRowHeight));
}

void PrecisionPanel::setProblem(const QString& problem) { problemText_ = problem, updateGenerate(); }
void PrecisionPanel::setBusy(bool busy, const QString& word) { busy_ = busy, busyWord_ = word, updateGenerate(); }
void PrecisionPanel::setMain(bool main) { setMainRole(generate_, main); }
void PrecisionPanel::setEstimate(const QString& text) { setText(estimate_, text); }

void PrecisionPanel::updateGenerate() {
  setText(problem_, busy_ ? QString() : problemText_);
  generate_->setEnabled(!busy_ && problemText_.isEmpty());
  generate_->setText(busy_ ? busyWord_ : QStringLiteral("Generate"));
  generate_->setToolTip(generate_->isEnabled() ? QStringLiteral("Enter") : busy_ ? busyWord_ : problemText_);
  list_->setEnabled(!busy_);
}

void PrecisionPanel::scrollTo(const QString& precision) {
  const QModelIndex row = model_->index(static_cast<int>(model_->ids().indexOf(precision)));
  list_->setCurrentIndex(row), list_->scrollTo(row);
}

void PrecisionPanel::clearFailures() {
  failed_.clear();
  setText(failures_, {});
}

// What several failed of is told once, with their names.
void PrecisionPanel::addFailure(const QString& precision, const QString& reason) {
  const auto same = std::ranges::find(failed_, reason, &Failure::reason);
  if (same == failed_.end()) failed_.push_back({reason, {ui::shortName(precision)}});
  else same->names << ui::shortName(precision);
  QStringList lines;
  for (const Failure& one : failed_) lines << QStringLiteral("%1 failed: %2").arg(one.names.join(QStringLiteral(", ")), one.reason);
  setText(failures_, lines.join(u'\n'));
}

}  // namespace quantspot::views
