#include "ui/views/study_preview.h"

#include "ui/models/trial_choices.h"
#include "ui/views/image_grid.h"
#include "ui/views/message_card.h"
#include "ui/views/question_form.h"

#include <QComboBox>
#include <QLabel>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace quantspot::views {

using study::TrialKind;

StudyPreview::StudyPreview(ui::StudyDraft* draft, QWidget* parent)
    : QWidget(parent), draft_(draft), pages_(new QComboBox), stack_(new QStackedWidget), card_(new MessageCard), questions_(new QuestionForm),
      grid_(new ImageGrid), question_(new QLabel), answers_(new QLabel) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(6);
  auto* title = new QLabel(tr("What the participant sees"));
  title->setProperty("role", "section");
  pages_->setAccessibleName(tr("Page of the preview"));
  for (QWidget* page : {static_cast<QWidget*>(card_), static_cast<QWidget*>(questions_), makeTrial()}) stack_->addWidget(page);
  layout->addWidget(title), layout->addWidget(pages_), layout->addWidget(stack_, 1);
  connect(pages_, &QComboBox::currentIndexChanged, this, &StudyPreview::showPage);
  connect(draft_, &ui::StudyDraft::changed, this, &StudyPreview::refresh);
  for (QWidget* page : {static_cast<QWidget*>(card_), static_cast<QWidget*>(questions_)}) page->setEnabled(false);
  refresh();
}

QWidget* StudyPreview::makeTrial() {
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0);
  question_->setWordWrap(true), answers_->setWordWrap(true), answers_->setProperty("role", "quiet");
  grid_->setMinimumSize(200, 160), grid_->setFocusPolicy(Qt::NoFocus);
  column->addWidget(question_), column->addWidget(grid_, 1), column->addWidget(answers_);
  return page;
}

void StudyPreview::showBlock(int block) {
  const int row = pages_->findData(Trial + block);
  if (row >= 0) pages_->setCurrentIndex(row);
}

void StudyPreview::refresh() {
  const study::Protocol& p = draft_->protocol();
  const QVariant before = pages_->currentData();
  {
    const QSignalBlocker quiet(pages_);
    pages_->clear();
    for (std::size_t b = 0; b < p.blocks.size(); ++b)
      pages_->addItem(tr("Trials %1: %2%3").arg(b + 1).arg(study::kindName(p.blocks[b].kind), p.blocks[b].flicker_hz > 0 ? tr(", in turn") : QString()),
                      Trial + static_cast<int>(b));
    pages_->addItem(tr("Consent"), Consent);
    if (!p.before.empty()) pages_->addItem(tr("Questions before"), Before);
    if (!p.after.empty()) pages_->addItem(tr("Questions after"), After);
    pages_->setCurrentIndex(std::max(0, pages_->findData(before)));
  }
  showPage();
}

void StudyPreview::showPage() {
  const study::Protocol& p = draft_->protocol();
  const int what = pages_->currentData().toInt();
  if (what == Consent) card_->show(tr("Do you agree?"), p.consent_text, {{tr("I agree"), {}, [] {}}, {tr("I do not"), {}, [] {}}});
  if (what == Before || what == After) questions_->setQuestions(what == Before ? p.before : p.after);
  if (what >= Trial && what - Trial < static_cast<int>(p.blocks.size())) showTrial(p.blocks[static_cast<std::size_t>(what - Trial)]);
  stack_->setCurrentIndex(what == Consent ? 0 : what >= Trial ? 2 : 1);
}

// The first comparison, its reference and one variant laid out as a trial might be; which is which is not drawn.
void StudyPreview::showTrial(const study::Block& block) {
  const study::Protocol& p = draft_->protocol();
  const QString id = p.comparisons.empty() ? QString() : p.comparisons.front().id;
  if (id != shown_ || images_.isEmpty()) {
    shown_ = id, images_.clear();
    const auto pictures = id.isEmpty() ? QMap<QString, QByteArray>() : draft_->pictures(id);
    for (auto one = pictures.begin(); one != pictures.end(); ++one) images_[one.key()] = QImage::fromData(*one, "PNG");
  }
  const QImage reference = images_.value(p.reference), tested = p.tested().isEmpty() ? QImage() : images_.value(p.tested().front());
  ui::TrialScreen trial;
  trial.kind = block.kind, trial.ties = block.ties, trial.flicker_hz = block.flicker_hz;
  const int count = block.kind == TrialKind::Spot ? block.slots : block.kind == TrialKind::Rating ? 1
      : block.kind == TrialKind::Ranking ? static_cast<int>(p.variants.size()) : block.kind == TrialKind::Abx || block.kind == TrialKind::Triangle ? 3 : 2;
  for (int slot = 0; slot < count; ++slot) trial.pictures.push_back(slot == 1 && !tested.isNull() ? tested : reference);
  question_->setText(ui::questionOf(trial.kind, count));
  QStringList answers;
  for (const ui::TrialChoice& choice : ui::choicesOf(trial)) answers << choice.label;
  answers_->setText(trial.kind == TrialKind::Ranking ? tr("letters in order, by drags or keys") : answers.join(QStringLiteral("   ·   ")));
  grid_->setTools({p.viewer.zoom, p.viewer.swap, p.viewer.slider, p.viewer.flicker, false});
  grid_->setLetters(ui::lettersOf(trial.kind));
  grid_->setHint(tr("Pick comparisons to see their pictures here."));
  grid_->setImages(reference.isNull() ? std::vector<QImage>() : trial.pictures);
  if (trial.flicker_hz > 0 && grid_->count() > 1) grid_->setFlickerRate(trial.flicker_hz), grid_->setMode(ImageGrid::Mode::Cycle);
}

}  // namespace quantspot::views
