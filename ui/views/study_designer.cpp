#include "ui/views/study_designer.h"

#include "study/study_store.h"
#include "ui/views/blocks_section.h"
#include "ui/views/comparisons_section.h"
#include "ui/views/draft_form.h"
#include "ui/views/freeze_bar.h"
#include "ui/views/power_panel.h"
#include "ui/views/questions_section.h"
#include "ui/views/study_preview.h"
#include "ui/views/theme.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr int kSideWidth = 380, kLeastSide = 300, kSideHeight = 260, kAfterTrials = 3;   // its place among the sections
constexpr int kDoubtMs = 4000;           // a press on Discard is waited for a second one

}  // namespace

using ui::DraftSection;

StudyDesigner::StudyDesigner(std::unique_ptr<ui::StudyDraft> draft, study::StudyStore* store, QString studies, QWidget* parent)
    : QWidget(parent), draft_(std::move(draft)), store_(store), studies_(std::move(studies)), title_(new QLineEdit),
      comparisons_(new ComparisonsSection(draft_.get(), store)), blocks_(new BlocksSection(draft_.get())), power_(new PowerPanel(draft_.get())),
      preview_(new StudyPreview(draft_.get())), freeze_(new FreezeBar), middle_(new QHBoxLayout) {
  middle_->setSpacing(0);
  sections_ = makeSections(), side_ = makeSide();
  middle_->addWidget(sections_, 1), middle_->addWidget(side_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addLayout(middle_, 1), layout->addWidget(freeze_);
  connect(blocks_, &BlocksSection::touched, preview_, &StudyPreview::showBlock);
  connect(freeze_, &FreezeBar::freeze, this, &StudyDesigner::freeze);
  connect(freeze_, &FreezeBar::cancelled, &freezer_, &ui::StudyFreezer::cancel);
  connect(&freezer_, &ui::StudyFreezer::progress, freeze_, &FreezeBar::setProgress);
  connect(&freezer_, &ui::StudyFreezer::sealing, freeze_, &FreezeBar::setSealing);
  connect(&freezer_, &ui::StudyFreezer::cancelled, this, [this] { endFreezing({}); });
  connect(&freezer_, &ui::StudyFreezer::failed, this, &StudyDesigner::endFreezing);
  connect(&freezer_, &ui::StudyFreezer::frozen, this, [this](const QString& hash, const QString& notice) {
    draft_->discard();
    Q_EMIT freezing(false);
    // Whoever hears it may delete this page.
    QTimer::singleShot(0, this, [this, hash, notice] { Q_EMIT frozen(hash, notice); });
  });
  connect(draft_.get(), &ui::StudyDraft::changed, this, &StudyDesigner::refresh);
  connect(draft_.get(), &ui::StudyDraft::failed, freeze_, &FreezeBar::say);
  refresh();
  if (!draft_->problemOfFile().isEmpty()) freeze_->setProblem(draft_->problemOfFile());
}

QScrollArea* StudyDesigner::makeSections() {
  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column_ = column;
  column->setContentsMargins(22, 16, 22, 16), column->setSpacing(22);
  auto* top = new QHBoxLayout;
  QFont large = title_->font();
  large.setPointSizeF(large.pointSizeF() * 1.3);
  title_->setFont(large), title_->setText(draft_->protocol().title), title_->setAccessibleName(tr("Title of the study"));
  title_->setPlaceholderText(tr("Title, seen by participants: name no precision"));
  connect(title_, &QLineEdit::textEdited, this, [this](const QString& text) { draft_->edit([&](study::Protocol& p) { p.title = text; }); });
  auto* discard = new QPushButton(tr("Discard draft"));
  discard->setObjectName(QStringLiteral("discard"));
  auto* doubt = new QTimer(discard);                     // nothing brings a draft back: it goes with the second press
  doubt->setSingleShot(true), doubt->setInterval(kDoubtMs);
  connect(doubt, &QTimer::timeout, discard, [discard] { discard->setText(tr("Discard draft")); });
  connect(discard, &QPushButton::clicked, this, [this, discard, doubt] {
    if (doubt->isActive()) return draft_->discard(), Q_EMIT discarded();
    discard->setText(tr("Discard for good")), doubt->start();
  });
  top->addWidget(title_, 1), top->addWidget(discard);
  column->addLayout(top);
  addSection(column, DraftSection::Comparisons, tr("Comparisons"), {comparisons_});
  addSection(column, DraftSection::Trials, tr("Parts and trials"), {blocks_});
  addSection(column, DraftSection::Rules, tr("People, order, time, viewer"), {makeRulesForm(draft_.get())});
  addSection(column, DraftSection::Participant, tr("Consent and questions"),
             {makeConsentForm(draft_.get()), new QuestionsSection(tr("Before the trials"), &study::Protocol::before, draft_.get()),
              new QuestionsSection(tr("After the trials"), &study::Protocol::after, draft_.get())});
  addSection(column, DraftSection::Stopping, tr("When it stops"), {makeStoppingForm(draft_.get())});
  addSection(column, DraftSection::Analysis, tr("Exclusions and analysis"), {makeAnalysisForm(draft_.get())});
  column->addStretch(1);
  auto* scroll = new QScrollArea;
  scroll->setWidget(content), scroll->setWidgetResizable(true), scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  return scroll;
}

QWidget* StudyDesigner::makeSide() {
  auto* side = new QFrame;
  side->setObjectName(QStringLiteral("sidePanel")), side->setProperty("side", "right");
  auto* column = new QVBoxLayout(side);
  sideColumn_ = column;
  column->setContentsMargins(17, 14, 17, 14), column->setSpacing(16);
  column->addWidget(preview_, 3), column->addWidget(power_, 2);
  return side;
}

// Beside the form where both have room; in a narrow window below the parts that it shows, among the sections.
void StudyDesigner::placeSide() {
  const bool inside = column_->indexOf(side_) >= 0;
  if (!inside) form_ = sections_->widget()->minimumSizeHint().width() + sections_->verticalScrollBar()->sizeHint().width();
  const bool beside = width() >= form_ + kLeastSide;
  const int wide = std::min(kSideWidth, width() - form_);
  side_->setMinimumSize(beside ? QSize(wide, 0) : QSize(0, kSideHeight));
  side_->setMaximumWidth(beside ? wide : QWIDGETSIZE_MAX);
  if (beside != inside) return;
  sideColumn_->setDirection(beside ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
  if (beside) middle_->addWidget(side_);
  else column_->insertWidget(kAfterTrials, side_);
}

void StudyDesigner::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  placeSide();
}

void StudyDesigner::addSection(QVBoxLayout* column, DraftSection section, const QString& title, const QList<QWidget*>& content) {
  auto* head = new QHBoxLayout;
  auto* name = new QLabel(QStringLiteral("%1  %2").arg(static_cast<int>(section) + 1).arg(title));
  QFont bold = name->font();
  bold.setBold(true), bold.setPointSizeF(bold.pointSizeF() * 1.1);
  name->setFont(bold);
  auto* state = new QLabel;
  state->setWordWrap(true);
  states_.push_back(state);
  head->addWidget(name), head->addSpacing(10), head->addWidget(state, 1);
  auto* box = new QVBoxLayout;
  box->setSpacing(10);
  box->addLayout(head);
  for (QWidget* widget : content) box->addWidget(widget);
  column->addLayout(box);
}

QString StudyDesigner::state(DraftSection section) const { return states_[static_cast<std::size_t>(section)]->text(); }

void StudyDesigner::refresh() {
  const auto problem = draft_->problem();
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const bool wrong = problem && static_cast<std::size_t>(problem->first) == i;
    states_[i]->setText(wrong ? problem->second : QStringLiteral("✓"));
    setRole(states_[i], wrong ? "problem" : "quiet");
  }
  if (draft_->problemOfFile().isEmpty()) freeze_->setProblem(problem ? tr("Before it can be frozen: %1").arg(problem->second) : QString());
}

void StudyDesigner::freeze(const QString& passphrase) {
  for (QWidget* part : std::initializer_list<QWidget*>{sections_, side_}) part->setEnabled(false);
  freeze_->setFreezing(true);
  Q_EMIT freezing(true);
  freezer_.start(*draft_, store_->isOpen() ? store_->path() : QString(), studies_, passphrase);
}

void StudyDesigner::endFreezing(const QString& problem) {
  for (QWidget* part : std::initializer_list<QWidget*>{sections_, side_}) part->setEnabled(true);
  freeze_->setFreezing(false);
  refresh();
  freeze_->say(problem);
  Q_EMIT freezing(false);
}

}  // namespace quantspot::views
