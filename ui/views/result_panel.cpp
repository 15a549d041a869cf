#include "ui/views/result_panel.h"

#include "ui/views/precision_panel.h"
#include "ui/views/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>

#include <cmath>

namespace quantspot::views {
namespace {

QString headline(QChar letter, const ResultEntry& entry) {
  const Theme& t = theme();
  const QString name = entry.figures.label.toHtmlEscaped();
  const auto mark = [](const QColor& color, QChar sign) { return QStringLiteral("<span style='color:%1'>%2</span>").arg(color.name()).arg(sign); };
  QString text = QStringLiteral("<b>%1</b>&nbsp;&nbsp;").arg(letter);
  if (entry.truth.verdict == TileTruth::Right) text += mark(t.right, u'✓') + u' ';
  if (entry.truth.verdict == TileTruth::Wrong) text += mark(t.wrong, u'✗') + u' ';
  text += QStringLiteral("<b>%1</b>").arg(name);
  if (entry.truth.verdict == TileTruth::Wrong)
    text += QStringLiteral("&nbsp; <s style='color:%1'>%2</s>").arg(t.quiet.name(), entry.said.toHtmlEscaped());
  if (entry.truth.verdict == TileTruth::Told && !entry.said.isEmpty()) text += QStringLiteral("&nbsp; %1").arg(entry.said.toHtmlEscaped());
  return text;
}

QString qualityLine(const study::Scores& scores, bool reference) {
  QStringList parts;
  const QString clip = scores.clip_label.isEmpty() ? QStringLiteral("CLIP") : scores.clip_label;
  if (scores.clip) parts << QStringLiteral("%1 %2").arg(clip).arg(*scores.clip, 0, 'f', std::abs(*scores.clip) < 2 ? 3 : 1);
  if (reference) parts << QStringLiteral("the reference");
  if (!reference && scores.psnr) parts << QStringLiteral("%1\u2009dB").arg(*scores.psnr, 0, 'f', 1);
  if (!reference && scores.ssim) parts << QStringLiteral("SSIM %1").arg(*scores.ssim, 0, 'f', 3);
  return parts.join(QStringLiteral(" · "));
}

QLabel* line(const QString& text, const char* role) {
  auto* label = new QLabel(text);
  label->setProperty("role", role);
  label->setWordWrap(true);
  return label;
}

}  // namespace

ResultRow::ResultRow(QChar letter, const ResultEntry& entry, QWidget* parent) : QWidget(parent) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 3, 0, 3), layout->setSpacing(1);
  layout->addWidget(line(headline(letter, entry), ""));
  const QString quality = qualityLine(entry.figures.scores, entry.figures.precision == QLatin1String(study::kReference));
  if (!quality.isEmpty()) layout->addWidget(line(quality, "quiet"));
  QStringList costs;
  if (entry.figures.timed) costs << secondsText(entry.figures.total);
  if (entry.figures.peaked) costs << QStringLiteral("peak %1").arg(peakText(entry.figures.highestPeak()));
  if (!costs.isEmpty()) layout->addWidget(line(costs.join(QStringLiteral(" · ")), "quiet"));
  for (const QString& note : entry.figures.notes) layout->addWidget(line(note, "quiet"));
}

ResultPanel::ResultPanel(QWidget* parent)
    : QFrame(parent), verdict_(new QLabel), note_(line({}, "quiet")),
      scoring_(line(QStringLiteral("Measuring CLIP, PSNR and SSIM…"), "quiet")), rows_(new QVBoxLayout),
      compare_(new QWidget), view_(new QComboBox),
      next_(new QPushButton(QStringLiteral("Next seed"))), again_(new QPushButton(QStringLiteral("Ask again"))) {
  QFont large = verdict_->font();
  large.setPointSizeF(large.pointSizeF() * 1.25), large.setWeight(QFont::DemiBold);
  verdict_->setFont(large), verdict_->setWordWrap(true);
  view_->addItems({QStringLiteral("Pictures"), QStringLiteral("Difference from bf16, ×8"), QStringLiteral("Heat map of the difference"),
                   QStringLiteral("Edges, beside those of bf16")});
  view_->setToolTip(QStringLiteral("Pointing at a row shows that of one tile."));
  view_->setAccessibleName(QStringLiteral("View of the pictures"));
  view_->setFocusPolicy(Qt::NoFocus);
  auto* compare = new QHBoxLayout(compare_);
  compare->setContentsMargins(0, 0, 0, 0);
  auto* key = line(QStringLiteral("key X"), "quiet");
  key->setWordWrap(false);
  compare->addWidget(view_, 1), compare->addWidget(key);
  setMainRole(next_, true);
  next_->setToolTip(QStringLiteral("Enter: the same recipe with the next seed"));
  again_->setToolTip(QStringLiteral("The same pictures in a new order; not counted, since their names have been seen"));
  connect(view_, &QComboBox::currentIndexChanged, this, &ResultPanel::viewChosen);
  connect(next_, &QPushButton::clicked, this, &ResultPanel::next);
  connect(again_, &QPushButton::clicked, this, &ResultPanel::askAgain);

  auto* holder = new QWidget;
  rows_->setContentsMargins(0, 0, 0, 0);
  holder->setLayout(rows_);
  auto* area = new QScrollArea;
  area->setWidget(holder), area->setWidgetResizable(true), area->setFrameShape(QFrame::NoFrame);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(again_), buttons->addWidget(next_, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(6);
  layout->addWidget(verdict_), layout->addWidget(note_), layout->addWidget(area, 1);
  layout->addWidget(scoring_), layout->addWidget(compare_), layout->addLayout(buttons);
}

bool ResultPanel::wantsDifference() const { return view() > 0 && !compare_->isHidden(); }

int ResultPanel::view() const { return view_->currentIndex(); }

void ResultPanel::nextView() {
  if (!compare_->isHidden()) view_->setCurrentIndex((view() + 1) % view_->count());
}

void ResultPanel::clear() {
  verdict_->clear();
  delete content_;
  content_ = nullptr;
}

void ResultPanel::show(const QString& verdict, const QString& note, const std::vector<ResultEntry>& entries, bool scoring) {
  verdict_->setText(verdict), verdict_->setVisible(!verdict.isEmpty());
  note_->setText(note), note_->setVisible(!note.isEmpty());
  delete content_;
  content_ = new QWidget;
  auto* column = new QVBoxLayout(content_);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(2);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto* row = new ResultRow(QChar(u'A' + static_cast<int>(i)), entries[i]);
    connect(row, &ResultRow::pointed, this, [this, i](bool on) { Q_EMIT pointed(on ? static_cast<int>(i) : -1); });
    column->addWidget(row);
  }
  column->addStretch(1);
  rows_->addWidget(content_);
  const bool comparable = referenceTile(entries) >= 0;
  scoring_->setVisible(scoring);
  compare_->setVisible(comparable);
  QFrame::show();
}

}  // namespace quantspot::views
