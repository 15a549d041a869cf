#include "ui/views/blocks_section.h"

#include "ui/views/draft_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

using study::TrialKind;

constexpr TrialKind kKinds[] = {TrialKind::Spot, TrialKind::Abx, TrialKind::Preference, TrialKind::Triangle, TrialKind::SameDifferent,
                                TrialKind::Rating, TrialKind::Ranking};

}  // namespace

BlocksSection::BlocksSection(ui::StudyDraft* draft, QWidget* parent) : QWidget(parent), draft_(draft), column_(new QVBoxLayout(this)) {
  column_->setContentsMargins(0, 0, 0, 0), column_->setSpacing(8);
  auto* add = new QPushButton(tr("Add a part"));
  connect(add, &QPushButton::clicked, this, &BlocksSection::addBlock);
  column_->addWidget(add, 0, Qt::AlignLeft);
  connect(draft_, &ui::StudyDraft::changed, this, [this] {
    if (toJson(draft_->protocol())[QStringLiteral("blocks")] != built_) rebuild();
  });
  rebuild();
}

void BlocksSection::addBlock() {
  draft_->edit([](study::Protocol& p) {
    study::Block block;
    block.kind = TrialKind::Preference, block.trials = 20, block.ties = true;
    p.blocks.push_back(block);
  });
  Q_EMIT touched(static_cast<int>(draft_->protocol().blocks.size()) - 1);
}

void BlocksSection::edit(int block, const std::function<void(study::Block&)>& change) {
  if (static_cast<std::size_t>(block) >= draft_->protocol().blocks.size()) return;   // told by a row that is going
  draft_->edit([&](study::Protocol& p) {
    change(p.blocks[static_cast<std::size_t>(block)]);
    built_ = toJson(p)[QStringLiteral("blocks")];   // who types in a row keeps it
  });
  Q_EMIT touched(block);
}

QWidget* BlocksSection::number(int block, const QString& name, int least, int most, int value, std::function<void(study::Block&, int)> set) {
  auto* box = new QSpinBox;
  box->setRange(least, most), box->setValue(value), box->setFixedWidth(58), box->setKeyboardTracking(false);
  box->setAccessibleName(tr("%1 of part %2").arg(name).arg(block + 1));
  connect(box, &QSpinBox::valueChanged, this, [this, block, set](int now) { edit(block, [&](study::Block& b) { set(b, now); }); });
  return box;
}

void BlocksSection::addRow(QGridLayout* grid, int row) {
  const study::Block& b = draft_->protocol().blocks[static_cast<std::size_t>(row)];
  auto* kind = new QComboBox;
  for (TrialKind one : kKinds) kind->addItem(study::kindName(one));
  kind->setCurrentText(study::kindName(b.kind)), kind->setAccessibleName(tr("Kind of part %1").arg(row + 1));
  connect(kind, &QComboBox::activated, this, [this, row](int index) {
    edit(row, [&](study::Block& block) {
      block.kind = kKinds[index];
      block.ties = block.ties && block.kind == TrialKind::Preference;
      if (block.kind == TrialKind::Ranking) block.gold = 0;
      if (!hasTruth(block.kind) && block.kind != TrialKind::Preference) block.null = 0;
    });
    rebuild();
  });
  int column = 0;
  const auto put = [&](QWidget* widget) {
    leaveWheelToPage(widget);
    grid->addWidget(widget, row + 1, column++);
  };
  put(kind);
  put(number(row, tr("Trials"), 1, 1000, b.trials, [](study::Block& block, int v) { block.trials = v; }));
  QWidget* slots = number(row, tr("Pictures"), 2, 9, b.slots, [](study::Block& block, int v) { block.slots = v; });
  slots->setEnabled(b.kind == TrialKind::Spot);
  put(slots);
  auto* ties = new QCheckBox;
  ties->setChecked(b.ties), ties->setEnabled(b.kind == TrialKind::Preference);
  ties->setAccessibleName(tr("“No difference” in part %1").arg(row + 1));
  connect(ties, &QCheckBox::clicked, this, [this, row](bool on) { edit(row, [&](study::Block& block) { block.ties = on; }); });
  put(ties);
  auto* flicker = new QDoubleSpinBox;
  flicker->setRange(0, 10), flicker->setDecimals(1), flicker->setSuffix(tr(" Hz"));
  flicker->setSpecialValueText(tr("beside")), flicker->setValue(b.flicker_hz);
  flicker->setFixedWidth(76), flicker->setKeyboardTracking(false), flicker->setEnabled(b.kind != TrialKind::Rating);
  flicker->setAccessibleName(tr("Flicker of part %1").arg(row + 1));
  connect(flicker, &QDoubleSpinBox::valueChanged, this, [this, row](double v) { edit(row, [&](study::Block& block) { block.flicker_hz = v; }); });
  put(flicker);
  QWidget* gold = number(row, tr("Gold"), 0, 100, b.gold, [](study::Block& block, int v) { block.gold = v; });
  gold->setEnabled(b.kind != TrialKind::Ranking);
  put(gold);
  QWidget* null = number(row, tr("Null"), 0, 100, b.null, [](study::Block& block, int v) { block.null = v; });
  null->setEnabled(hasTruth(b.kind) || b.kind == TrialKind::Preference);
  put(null);
  put(number(row, tr("Repeats"), 0, 100, b.repeats, [](study::Block& block, int v) { block.repeats = v; }));
  auto* remove = new QToolButton;
  remove->setText(QStringLiteral("×")), remove->setToolTip(tr("Remove this part")), remove->setAccessibleName(tr("Remove part %1").arg(row + 1));
  remove->setEnabled(draft_->protocol().blocks.size() > 1);
  connect(remove, &QToolButton::clicked, this, [this, row] {
    for (QAbstractSpinBox* box : rows_->findChildren<QAbstractSpinBox*>()) box->interpretText();   // half typed: of its own row, not of the next one
    draft_->edit([&](study::Protocol& p) { p.blocks.erase(p.blocks.begin() + row); });
  });
  put(remove);
}

void BlocksSection::rebuild() {
  if (rows_) rows_->hide(), rows_->deleteLater();
  rows_ = new QWidget;
  auto* grid = new QGridLayout(rows_);
  grid->setContentsMargins(0, 0, 0, 0), grid->setHorizontalSpacing(6), grid->setVerticalSpacing(4);
  const std::pair<QString, QString> headers[] = {{tr("Question"), {}}, {tr("Trials"), tr("Per person")},
      {tr("Pictures"), tr("In each trial; the other kinds fix it")},
      {tr("Ties"), tr("“No difference” may be answered")}, {tr("Shown"), tr("Beside each other, or in turn in one place at this rate")},
      {tr("Gold"), tr("Obviously broken ones, added: does the person look?")},
      {tr("Null"), tr("The same picture throughout, added: shows position bias")},
      {tr("Again"), tr("Repeats of earlier trials, added: is the person consistent?")}};
  int column = 0;
  for (const auto& [text, tip] : headers) {
    auto* label = new QLabel(text);
    label->setProperty("role", "quiet"), label->setToolTip(tip);
    grid->addWidget(label, 0, column++);
  }
  built_ = toJson(draft_->protocol())[QStringLiteral("blocks")];
  for (std::size_t row = 0; row < draft_->protocol().blocks.size(); ++row) addRow(grid, static_cast<int>(row));
  grid->setColumnStretch(9, 1);
  column_->insertWidget(0, rows_);
}

}  // namespace quantspot::views
