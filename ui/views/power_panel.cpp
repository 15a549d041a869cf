#include "ui/views/power_panel.h"

#include "study/statistics/power.h"
#include "ui/views/draft_form.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr double kAlpha = 0.05;
constexpr int kPoints = 60;

QDoubleSpinBox* percent(double from, double to) {
  auto* box = new QDoubleSpinBox;
  box->setRange(from, to), box->setDecimals(0), box->setSuffix(QStringLiteral(" %")), box->setSingleStep(1);
  return box;
}

// The first block with an answer that is right or, for preferences, could go either way.
const study::Block* judged(const study::Protocol& p) {
  const auto found = std::find_if(p.blocks.begin(), p.blocks.end(), [](const study::Block& block) {
    return study::hasTruth(block.kind) || block.kind == study::TrialKind::Preference;
  });
  return found == p.blocks.end() ? nullptr : &*found;
}

}  // namespace

PowerPanel::PowerPanel(ui::StudyDraft* draft, QWidget* parent)
    : QWidget(parent), draft_(draft), rate_(percent(1, 99)), power_(percent(50, 99)), sentence_(new QLabel), plot_(new QCustomPlot) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(6);
  auto* title = new QLabel(tr("Trials needed"));
  title->setProperty("role", "section");
  auto* row = new QHBoxLayout;
  row->addWidget(new QLabel(tr("If people are right in"))), row->addWidget(rate_), row->addWidget(new QLabel(tr("find it with"))), row->addWidget(power_);
  row->addStretch(1);
  rate_->setAccessibleName(tr("Share of right answers sought")), power_->setAccessibleName(tr("Power"));
  sentence_->setWordWrap(true);
  leaveWheelToPage(plot_);
  plot_->setMinimumHeight(150), plot_->setFocusPolicy(Qt::NoFocus), plot_->setAccessibleName(tr("Power by number of trials"));
  layout->addWidget(title), layout->addLayout(row), layout->addWidget(sentence_), layout->addWidget(plot_, 100);
  layout->addStretch(1);                   // the lines stay together while there is no curve
  for (QDoubleSpinBox* box : {rate_, power_})
    connect(box, &QDoubleSpinBox::valueChanged, this, [this] { draft_->setEffect({rate_->value() / 100, power_->value() / 100}); });
  connect(draft_, &ui::StudyDraft::changed, this, &PowerPanel::refresh);
  refresh();
}

QString PowerPanel::said() const { return sentence_->text(); }

void PowerPanel::refresh() {
  const QSignalBlocker quiet_rate(rate_), quiet_power(power_);
  const ui::SoughtEffect effect = draft_->effect();
  rate_->setValue(effect.rate * 100), power_->setValue(effect.power * 100);
  const study::Protocol& p = draft_->protocol();
  const study::Block* block = judged(p);
  plot_->setVisible(block);
  if (!block) return sentence_->setText(tr("Ratings and rankings have no right answers: plan 15 people or more for each."));
  const double chance = block->kind == study::TrialKind::Preference ? 0.5 : study::kindChance(block->kind, block->slots);
  const int conditions = block->kind == study::TrialKind::Preference ? static_cast<int>(p.variants.size() * (p.variants.size() - 1) / 2)
                                                                     : static_cast<int>(p.tested().size());
  const int planned = p.participants * block->trials / std::max(1, conditions);
  if (effect.rate <= chance) {
    plot_->hide();
    return sentence_->setText(tr("By guessing alone people are right in %1 %; seek a larger share.").arg(chance * 100, 0, 'f', 0));
  }
  try {
    const int needed = statistics::trialsNeeded(effect.rate, chance, effect.power, kAlpha).trials;
    const double have = planned > 0 ? statistics::binomialPower(planned, effect.rate, chance, kAlpha).power : 0;
    if (conditions == 0) {
      plot_->hide();
      return sentence_->setText(tr("Of “%1” each variant needs %2 trials.").arg(study::kindName(block->kind)).arg(needed));
    }
    sentence_->setText(tr("Of “%1” each variant needs %2 trials. Planned: %3 people × %4 trials for %5, so %6 each: found with %7 %.")
        .arg(study::kindName(block->kind)).arg(needed).arg(p.participants).arg(block->trials)
        .arg(conditions == 1 ? tr("1 variant") : tr("%1 variants or pairs").arg(conditions)).arg(planned).arg(have * 100, 0, 'f', 0));
    draw(chance, needed, planned);
  } catch (const std::exception&) {
    plot_->hide();
    sentence_->setText(tr("So small a difference needs more than 100 000 trials."));
  }
}

void PowerPanel::draw(double chance, int needed, int planned) {
  const Theme& t = theme();
  plot_->clearPlottables(), plot_->clearItems();
  plot_->setBackground(t.panel);
  const int most = std::max({2 * needed, planned + planned / 5, 10});
  QVector<double> trials, power;
  for (int i = 1; i <= kPoints; ++i) {
    const int n = std::max(1, most * i / kPoints);
    trials << n, power << 100 * statistics::binomialPower(n, draft_->effect().rate, chance, kAlpha).power;
  }
  QCPGraph* curve = plot_->addGraph();
  curve->setData(trials, power, true);
  curve->setPen(QPen(t.accent, 2));
  const auto mark = [&](double x1, double y1, double x2, double y2, Qt::PenStyle style) {
    auto* line = new QCPItemLine(plot_);
    line->start->setCoords(x1, y1), line->end->setCoords(x2, y2);
    line->setPen(QPen(t.quiet, 1, style));
  };
  mark(0, draft_->effect().power * 100, most, draft_->effect().power * 100, Qt::DashLine);
  mark(planned, 0, planned, 100, Qt::SolidLine);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
    axis->setBasePen(QPen(t.line)), axis->setTickPen(Qt::NoPen), axis->setSubTickPen(Qt::NoPen);
    axis->setTickLabelColor(t.quiet), axis->setLabelColor(t.quiet);
    axis->grid()->setVisible(false);
  }
  plot_->xAxis->setRange(0, most), plot_->yAxis->setRange(0, 100);
  plot_->xAxis->setLabel(tr("trials of a variant (line: planned)")), plot_->yAxis->setLabel(tr("found, %"));
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void PowerPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) refresh();
  QWidget::changeEvent(event);
}

}  // namespace quantspot::views
