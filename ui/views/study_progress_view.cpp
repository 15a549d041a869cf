#include "ui/views/study_progress_view.h"

#include "study/rounding.h"
#include "ui/views/analysis_page.h"
#include "ui/views/beside.h"
#include "ui/views/path_dialog.h"
#include "ui/views/unlock_panel.h"

#include <QClipboard>
#include <QDateTime>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr int kRefreshMs = 4000;

QLabel* wrapped(const char* role) {
  auto* label = new QLabel;
  label->setProperty("role", role), label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

// "2026-11-22T01:57:13.523Z" as a date and a time of this place; what is no such moment as it is.
QString momentText(const QString& utc) {
  const QDateTime moment = QDateTime::fromString(utc, Qt::ISODateWithMs);
  return moment.isValid() ? QLocale().toString(moment.toLocalTime(), QLocale::ShortFormat) : utc;
}

}  // namespace

StudyProgressView::StudyProgressView(const QString& store, const QString& hash, QWidget* parent)
    : QWidget(parent), model_(store, hash), places_(new QStackedWidget),
      unlock_(new UnlockPanel({}, {})),
      analysis_(new AnalysisPage), title_(wrapped("title")), state_(wrapped("quiet")), counts_(wrapped("")), problems_(wrapped("quiet")),
      sequential_(wrapped("")), head_(wrapped("quiet")), said_(wrapped("quiet")), question_(new QLabel), people_(new QTableView),
      close_(new QPushButton(tr("Close the study…"))), reveal_(new QPushButton(tr("Reveal and analyze"))),
      export_(new QPushButton(tr("Export bundle…"))), erase_(new QPushButton(tr("Erase participant…"))),
      hand_(new QPushButton(tr("Export participant…"))), yes_(new QPushButton), no_(new QPushButton(tr("No"))) {
  places_->addWidget(unlock_), places_->addWidget(makePanel());
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(0);
  auto* back = new QPushButton(tr("Back to participants and evidence"));
  back->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  connect(back, &QPushButton::clicked, this, [this] { places_->setCurrentIndex(Running); });
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(22, 10, 22, 0);
  bar->addWidget(back), bar->addStretch(1);
  column->addLayout(bar), column->addWidget(analysis_, 1);
  places_->addWidget(page);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(places_);
  connectModel();
  introduce();
  connect(places_, &QStackedWidget::currentChanged, this, [this](int place) { Q_EMIT analysisShown(place == Analysis); });
  startTimer(kRefreshMs);
}

// What lies behind the passphrase; while the store is out of reach, why.
void StudyProgressView::introduce() {
  unlock_->setTexts(model_.isClosed() ? tr("This study is closed") : tr("How far it is"),
      (model_.isClosed() ? tr("The experimenter's passphrase opens participants, evidence and analysis of this closed study.")
          : tr("The experimenter's passphrase shows how far the study is, without scores.")) + tr(" A wrong one costs about a second and changes nothing."));
  if (places_->currentIndex() == Locked && (!model_.isKnown() || model_.isBusy())) unlock_->setProblem(model_.warning());
}

void StudyProgressView::connectModel() {
  connect(unlock_, &UnlockPanel::entered, &model_, &ui::StudyProgressModel::unlock);
  connect(&model_, &ui::StudyProgressModel::busyChanged, this, [this](bool busy) {
    unlock_->setBusy(busy);
    for (QPushButton* button : {close_, reveal_, export_, erase_, hand_}) button->setDisabled(busy);
    if (!busy && model_.isUnlocked()) fill();
  });
  connect(&model_, &ui::StudyProgressModel::unlocked, this, [this] {
    unlock_->setProblem({});
    fill();
    places_->setCurrentIndex(Running);
  });
  connect(&model_, &ui::StudyProgressModel::changed, this, &StudyProgressView::fill);
  connect(&model_, &ui::StudyProgressModel::known, this, [this] {
    introduce();
    if (places_->currentIndex() == Locked) unlock_->setProblem({});
  });
  connect(&model_, &ui::StudyProgressModel::warned, this, &StudyProgressView::introduce);
  connect(&model_, &ui::StudyProgressModel::closed, this, [this] {
    say(tr("Closed. Publish the head hash now, before the reveal."), false);
    reveal_->setFocus();
    Q_EMIT closed();
  });
  connect(&model_, &ui::StudyProgressModel::failed, this, [this](const QString& problem) {
    if (places_->currentIndex() == Locked) unlock_->setProblem(problem);
    else say(problem, true);
  });
  connect(&model_, &ui::StudyProgressModel::written, this, [this](const QString& path) {
    say(tr("%1 holds every record that is kept of this participant.").arg(path), false);
  });
  connect(&model_, &ui::StudyProgressModel::exported, this, [this](const QString& path, const QString& head) {
    say(model_.isClosed() ? tr("%1 holds the study with its mapping, analysis and report. Head hash %2.").arg(path, head)
        : tr("%1 holds the sealed study as it stands. Head hash %2.").arg(path, head), false);
  });
}

QWidget* StudyProgressView::makePanel() {
  auto* panel = new QWidget;
  auto* column = new QVBoxLayout(panel);
  column->setContentsMargins(22, 16, 22, 18), column->setSpacing(12);
  QFont large = counts_->font();
  large.setPointSizeF(large.pointSizeF() * 1.25);
  counts_->setFont(large);
  auto* copy = new QPushButton(tr("Copy head hash"));
  copy->setToolTip(tr("Publish it when the study is closed, before the reveal: it shows that no answer was changed afterwards"));
  copy->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
  connect(copy, &QPushButton::clicked, this, [this] {
    QGuiApplication::clipboard()->setText(model_.head());
    say(tr("The head hash is in the clipboard."), false);
  });
  auto* hash = new QHBoxLayout;
  hash->addWidget(head_, 1), hash->addWidget(copy);
  people_->setModel(model_.participants()), people_->setSelectionBehavior(QAbstractItemView::SelectRows);
  people_->setSelectionMode(QAbstractItemView::SingleSelection), people_->verticalHeader()->hide();
  people_->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch), people_->setAccessibleName(tr("Participants"));
  people_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter), people_->setTabKeyNavigation(false);
  people_->setShowGrid(false);
  makeCopyable(people_);
  connect(people_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &StudyProgressView::allowForOne);
  column->addWidget(title_), column->addWidget(state_), column->addWidget(counts_), column->addWidget(sequential_), column->addWidget(problems_);
  column->addWidget(people_, 1), column->addLayout(hash), column->addWidget(makeButtons()), column->addWidget(makeQuestion());
  column->addWidget(said_);
  return panel;
}

QWidget* StudyProgressView::makeButtons() {
  auto* bar = new QWidget;
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(0, 0, 0, 0);
  reveal_->setProperty("role", "main"), close_->setProperty("role", "main");
  row->addWidget(close_), row->addWidget(reveal_), row->addWidget(export_), row->addStretch(1);
  row->addWidget(hand_), row->addWidget(erase_);
  allowForOne();
  connect(hand_, &QPushButton::clicked, this, &StudyProgressView::chooseRecords);
  connect(close_, &QPushButton::clicked, this, &StudyProgressView::askToClose);
  connect(reveal_, &QPushButton::clicked, this, &StudyProgressView::showAnalysis);
  connect(export_, &QPushButton::clicked, this, &StudyProgressView::chooseBundle);
  connect(erase_, &QPushButton::clicked, this, &StudyProgressView::askToErase);
  return bar;
}

QWidget* StudyProgressView::makeQuestion() {
  questionBar_ = new QWidget;
  auto* row = new QHBoxLayout(questionBar_);
  row->setContentsMargins(0, 0, 0, 0);
  question_->setWordWrap(true);
  row->addWidget(question_, 1), row->addWidget(yes_), row->addWidget(no_);
  const auto answered = [this] {
    people_->setFocus();                 // with the bar it would go to whatever comes next in the window
    questionBar_->hide();
  };
  connect(yes_, &QPushButton::clicked, this, [this, answered] {
    answered();
    if (action_) action_();
  });
  connect(no_, &QPushButton::clicked, this, answered);
  questionBar_->hide();
  return questionBar_;
}

QString StudyProgressView::countsText() const { return counts_->text(); }

void StudyProgressView::fill() {
  const study::Progress& p = model_.progress();
  title_->setText(model_.title());
  state_->setText(model_.isClosed() ? tr("Closed on %1. Study %2").arg(momentText(p.closed), model_.hash().left(16))
      : tr("Running; scores stay hidden until the study is closed. Study %1").arg(model_.hash().left(16)));
  const int planned = model_.protocol().participants;
  const QString people = planned >= std::max(p.joined, 1) ? tr("%1 of %2 people").arg(p.joined).arg(planned)
                                                          : study::counted(p.joined, "person", "people");   // planned or not, all of them count
  counts_->setText(tr("%1 joined, %2 finished, %3").arg(people).arg(p.finished).arg(study::counted(p.responses, "answer", "answers")));
  problems_->setText(problemsText());
  sequential_->setText(sequentialText());
  sequential_->setVisible(!sequential_->text().isEmpty());
  head_->setText(tr("Head hash %1").arg(model_.head()));
  close_->setVisible(!model_.isClosed()), reveal_->setVisible(model_.isClosed());
  export_->setText(model_.isClosed() ? tr("Export bundle…") : tr("Export sealed bundle…"));
  allowForOne();
  if (!model_.warning().isEmpty()) say(model_.warning(), true);
}

// What is done with one person waits until one is chosen.
void StudyProgressView::allowForOne() {
  const bool chosen = people_->currentIndex().isValid();
  const QString first = tr("Choose a person in the list first");
  for (QPushButton* button : {erase_, hand_}) button->setEnabled(chosen);
  erase_->setToolTip(chosen ? QString() : first);
  hand_->setToolTip(chosen ? tr("Every record that is kept under this random id, for the person who asks for it") : first);
}

QString StudyProgressView::problemsText() const {
  const study::Progress& p = model_.progress();
  QStringList lines;
  if (p.focus_losses > 0) lines << tr("the window lost the focus %1").arg(study::counted(p.focus_losses, "time", "times"));
  if (p.clock_set_back > 0) lines << tr("a clock ran behind at %1").arg(study::counted(p.clock_set_back, "record", "records"));
  if (p.undone > 0) lines << tr("%1 taken back").arg(study::counted(p.undone, "answer", "answers"));
  if (p.erased_records > 0) lines << tr("%1 erased").arg(study::counted(p.erased_records, "record", "records"));
  return lines.isEmpty() ? tr("No technical problems.") : tr("Technical: %1.").arg(lines.join(QStringLiteral(", ")));
}

QString StudyProgressView::sequentialText() const {
  if (!model_.isSequential() || model_.isClosed()) return {};
  QStringList lines;
  const QJsonObject verdicts = model_.progress().sequential;
  bool all = !verdicts.isEmpty();
  for (const QString& name : verdicts.keys()) {
    const bool stop = verdicts[name].toString() == QLatin1String("stop");
    all = all && stop;
    lines << tr("%1: %2").arg(name, stop ? tr("may stop") : tr("continue"));
  }
  return tr("The stopping rule says %1. %2").arg(all ? tr("stop") : tr("continue"), lines.join(QStringLiteral("; ")));
}

void StudyProgressView::say(const QString& line, bool problem) {
  said_->setProperty("role", problem ? "problem" : "quiet");
  said_->setStyleSheet(QStringLiteral(" "));   // the role is part of the style: look it up again
  said_->setStyleSheet({});
  said_->setText(line);
}

void StudyProgressView::ask(const QString& question, const QString& yes, std::function<void()> action) {
  question_->setText(question);
  yes_->setText(yes);
  action_ = std::move(action);
  questionBar_->show();
  no_->setFocus();
}

void StudyProgressView::askToClose() {
  ask(tr("Close the study? Nobody can join or answer afterwards; this cannot be taken back."), tr("Close it"), [this] { model_.close(); });
}

void StudyProgressView::askToErase() {
  const QString id = model_.participants()->participant(people_->currentIndex().row());
  ask(tr("Erase every record of %1? The chain stays valid and shows that something was erased; the records cannot be brought back.").arg(id),
      tr("Erase"),
      [this, id] { model_.erase(id); });
}

void StudyProgressView::chooseBundle() {
  askForPath(this, {tr("Export the study"), PathKind::NewFile, QStringLiteral("study-%1.zip").arg(model_.hash().left(8)), tr("Bundles (*.zip)")},
             [this](const QString& path) { model_.exportBundle(path); });
}

void StudyProgressView::chooseRecords() {
  const QString id = model_.participants()->participant(people_->currentIndex().row());
  askForPath(this, {tr("Export what is kept of %1").arg(id), PathKind::NewFile, id + QStringLiteral(".json"), tr("Records (*.json)")},
             [this, id](const QString& path) { model_.exportParticipant(id, path); });
}

void StudyProgressView::showAnalysis() {
  if (!model_.isUnlocked() || !model_.isClosed()) return;
  analysis_->openStore(model_.store(), model_.hash(), model_.mapping());
  places_->setCurrentIndex(Analysis);
}

bool StudyProgressView::showsAnalysis() const { return places_->currentIndex() == Analysis; }

void StudyProgressView::showEvent(QShowEvent*) {
  if (places_->currentIndex() == Locked) unlock_->takeFocus();
  model_.refresh();
}

void StudyProgressView::timerEvent(QTimerEvent*) {
  if (isVisible() && !model_.isKnown()) model_.read();
  else if (isVisible() && places_->currentIndex() == Running && !model_.isBusy()) model_.refresh();
}

}  // namespace quantspot::views
