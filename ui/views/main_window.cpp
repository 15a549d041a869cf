#include "ui/views/main_window.h"

#include "ui/models/compare_session.h"
#include "ui/views/beside.h"
#include "ui/views/compare_page.h"
#include "ui/views/decide_page.h"
#include "ui/views/dropped.h"
#include "ui/views/evaluate_page.h"
#include "ui/views/evaluate_pictures.h"
#include "ui/views/history_page.h"
#include "ui/views/icons.h"
#include "ui/views/pair_window.h"
#include "ui/views/path_dialog.h"
#include "ui/views/program_menu.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/recipe_more.h"
#include "ui/views/study_page.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QButtonGroup>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMimeData>
#include <QScrollArea>
#include <QShortcut>
#include <QStackedWidget>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr QSize kLeast(640, 320);        // points, of a laptop's screen at 300 %

// A scroll area gives a page with wrapped lines the height that it would like; this one is squeezed to what it needs before it scrolls.
class Squeezed : public QVBoxLayout {
 public:
  using QVBoxLayout::QVBoxLayout;
  bool hasHeightForWidth() const override { return false; }
};

// A page that is larger than the window scrolls: on small screens, and where everything is drawn large.
QWidget* scrolled(QWidget* page) {
  auto* area = new QScrollArea;
  auto* holder = new QWidget;
  auto* layout = new Squeezed(holder);
  layout->setContentsMargins(0, 0, 0, 0), layout->addWidget(page);
  area->setWidget(holder), area->setWidgetResizable(true), area->setFrameShape(QFrame::NoFrame);
  area->setFocusPolicy(Qt::NoFocus);
  return area;
}

}  // namespace

MainWindow::MainWindow(ui::CompareSession* session, QWidget* parent)
    : QMainWindow(parent), session_(session), compare_(new ComparePage(session)),
      evaluate_(new EvaluatePage(session, session->engine())), study_(new StudyPage(session->store())),
      decide_(new DecidePage(session->decision())), history_(new HistoryPage(session->history())),
      menu_(new ProgramMenu(session, this)), pages_(new QStackedWidget), tabs_(new QButtonGroup(this)), theme_(new QToolButton),
      more_(new QToolButton) {
  setWindowTitle(QStringLiteral("QuantSpot"));
  setMinimumSize(kLeast);
  for (QWidget* page : std::initializer_list<QWidget*>{compare_, evaluate_, study_, decide_, history_}) pages_->addWidget(scrolled(page));
  auto* central = new QWidget;
  auto* layout = new QVBoxLayout(central);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addWidget(makeHeader()), layout->addWidget(pages_, 1);
  setCentralWidget(central);
  addShortcuts();
  setAcceptDrops(true);
  connect(history_, &HistoryPage::opened, this, &MainWindow::openPast);
  connect(history_, &HistoryPage::nextSeedWanted, this, [this](qint64 comparison) { if (openPast(comparison)) compare_->runNextSeed(); });
  connect(history_, &HistoryPage::changeWanted, this, [this](qint64 comparison) { if (openPast(comparison)) compare_->readyForChange(); });
  connect(history_, &HistoryPage::compareWanted, this, &MainWindow::compareTwo);
  connect(history_, &HistoryPage::importWanted, this, &MainWindow::importPictures);
  connect(history_, &HistoryPage::exportWanted, this, &MainWindow::exportAnswers);
  connect(study_, &StudyPage::analysed, session_->decision()->evidence(), &ui::DecisionEvidence::addStudy);
  connect(session_, &ui::CompareSession::trialOpened, this, &MainWindow::onTrialOpened);
  showPage(Compare);
}

QWidget* MainWindow::makeHeader() {
  auto* header = new QWidget;
  header->setObjectName(QStringLiteral("header"));
  header->setAttribute(Qt::WA_StyledBackground);
  auto* layout = new QHBoxLayout(header);
  layout->setContentsMargins(18, 6, 12, 6), layout->setSpacing(4);
  auto* title = new QLabel(QStringLiteral("QuantSpot"));
  title->setProperty("role", "title");
  layout->addWidget(title), layout->addSpacing(14);
  addTab(QStringLiteral("Compare"), Compare, QKeySequence(Qt::CTRL | Qt::Key_1), header);
  addTab(QStringLiteral("Evaluate"), Evaluate, QKeySequence(Qt::CTRL | Qt::Key_3), header);
  addTab(QStringLiteral("Study"), Study, QKeySequence(Qt::CTRL | Qt::Key_4), header);
  addTab(QStringLiteral("Decide"), Decide, QKeySequence(Qt::CTRL | Qt::Key_5), header);
  addTab(QStringLiteral("History"), History, QKeySequence(Qt::CTRL | Qt::Key_H), header);
  layout->addStretch(1);
  theme_->setToolTip(QStringLiteral("Light or dark (Ctrl+T)")), theme_->setAccessibleName(QStringLiteral("Light or dark"));
  theme_->setIcon(icon(Glyph::Theme, theme().quiet));
  connect(theme_, &QToolButton::clicked, this, &MainWindow::toggleTheme);
  layout->addWidget(theme_);
  more_->setIcon(icon(Glyph::Cog, theme().quiet)), more_->setPopupMode(QToolButton::InstantPopup), more_->setMenu(menu_);
  more_->setToolTip(QStringLiteral("Keys (F1), data folder, version")), more_->setAccessibleName(QStringLiteral("Keys, data folder, version"));
  more_->setStyleSheet(QStringLiteral("QToolButton::menu-indicator { image: none; }"));
  layout->addWidget(more_);
  return header;
}

void MainWindow::addTab(const QString& text, Page page, const QKeySequence& key, QWidget* header) {
  auto* tab = new QToolButton;
  tab->setText(text), tab->setCheckable(true), tab->setProperty("role", "tab");
  tab->setFocusPolicy(Qt::TabFocus);
  tab->setToolTip(key.toString(QKeySequence::NativeText));
  tabs_->addButton(tab, page);
  header->layout()->addWidget(tab);
  connect(tab, &QToolButton::clicked, this, [this, page] { showPage(page); });
}

void MainWindow::addShortcuts() {
  const auto on = [this](const QKeySequence& key, auto slot) { connect(new QShortcut(key, this), &QShortcut::activated, this, slot); };
  on(QKeySequence(Qt::CTRL | Qt::Key_1), [this] { showPage(Compare), compare_->setChartsOnly(false); });
  on(QKeySequence(Qt::CTRL | Qt::Key_2), [this] { showPage(Compare), compare_->setChartsOnly(!compare_->chartsOnly()); });
  on(QKeySequence(Qt::CTRL | Qt::Key_3), [this] { showPage(Evaluate); });
  on(QKeySequence(Qt::CTRL | Qt::Key_4), [this] { showPage(Study); });
  on(QKeySequence(Qt::CTRL | Qt::Key_5), [this] { showPage(Decide); });
  on(QKeySequence(Qt::CTRL | Qt::Key_H), [this] { showPage(History); });
  on(QKeySequence(Qt::CTRL | Qt::Key_T), [this] { toggleTheme(); });
  on(QKeySequence(Qt::Key_F1), [this] { menu_->showKeys(); });
  on(QKeySequence(Qt::Key_F11), [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
  on(QKeySequence::Quit, [this] { close(); });
}

// Whoever plans a study or moves a limit meanwhile is not torn away from it.
void MainWindow::onTrialOpened() {
  if (pair_) pair_->hide();                              // no names beside a blind screen
  evaluate_->pictures()->hide();
  if (pages_->currentIndex() == Compare) showPage(Compare);
  else tellWaiting(true);
}

void MainWindow::tellWaiting(bool waiting) {
  QAbstractButton* tab = tabs_->button(Compare);
  const QString key = QKeySequence(Qt::CTRL | Qt::Key_1).toString(QKeySequence::NativeText);
  tab->setText(waiting ? QStringLiteral("Compare •") : QStringLiteral("Compare"));
  tab->setToolTip(waiting ? QStringLiteral("Pictures wait to be judged (%1)").arg(key) : key);
  tab->setAccessibleName(waiting ? QStringLiteral("Compare: pictures wait to be judged") : QStringLiteral("Compare"));
}

void MainWindow::showPage(Page page) {
  if (page == Compare) tellWaiting(false);
  if (page == Decide) session_->decision()->setRecipe(compare_->recipeBar()->recipe());
  pages_->setCurrentIndex(page);
  tabs_->button(page)->setChecked(true);
  if (page == Study) study_->reload();
  if (page != Compare) noticeOthers();
  if (page == History) history_->focusSearch();
  else if (page == Evaluate) evaluate_->takeFocus();
  else if (page == Compare) compare_->takeFocus();
}

void MainWindow::noticeOthers() {
  const auto all = session_->store()->isOpen() ? session_->store()->comparisons() : std::vector<study::ComparisonHead>();
  const qint64 newest = all.empty() ? 0 : all.front().id;
  if (newest != seen_ && session_->history()->rowOf(newest) < 0 && !session_->isBusy()) session_->store()->readAnew();
  seen_ = newest;
}

void MainWindow::toggleTheme() {
  const bool dark = !theme().dark;
  applyTheme(*qApp, dark);
  theme_->setIcon(icon(Glyph::Theme, theme().quiet)), more_->setIcon(icon(Glyph::Cog, theme().quiet));
  Q_EMIT themeChosen(dark);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.size() == 1 && whatIs(urls.first().toLocalFile()) != Dropped::Nothing) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.size() != 1) return;
  event->acceptProposedAction();
  // Afterwards: who dragged it waits for this to return.
  QMetaObject::invokeMethod(this, [this, path = urls.first().toLocalFile()] { take(path); }, Qt::QueuedConnection);
}

void MainWindow::takePicture(const QString& path) {
  showPage(Compare);
  RecipeMore* more = compare_->recipeBar()->more();
  if (!more->takesPictures())
    return showTrouble(this, QStringLiteral("No start picture"),
                       QStringLiteral("This model draws from noise alone; choose one that starts from pictures."));
  compare_->recipeBar()->showMore(), more->setPicture(path);
}

void MainWindow::take(const QString& path) {
  switch (whatIs(path)) {
    case Dropped::Model: showPage(Compare), session_->openModel(path); break;
    case Dropped::Lora: showPage(Compare), compare_->recipeBar()->showMore(), compare_->recipeBar()->more()->addLora(path); break;
    case Dropped::Picture: takePicture(path); break;
    case Dropped::Pictures: showPage(History), importPictures(path); break;
    case Dropped::Bundle: showPage(Study), study_->openBundle(path); break;
    case Dropped::Policy: showPage(Compare), compare_->importPolicy(path); break;
    case Dropped::Nothing: break;
  }
}

void MainWindow::importPictures(const QString& path) {
  QString reason;
  const auto heard = connect(session_, &ui::CompareSession::failed, this, [&](const QString& message) { reason = message; });
  const int made = session_->importPictures(path);
  disconnect(heard);
  if (made == 0) showTrouble(this, QStringLiteral("Nothing was imported"), reason);
}

void MainWindow::exportAnswers(const QString& path) {
  QString reason;
  const auto heard = connect(session_, &ui::CompareSession::failed, this, [&](const QString& message) { reason = message; });
  const bool done = session_->exportAnswers(path);
  disconnect(heard);
  if (!done) showTrouble(this, QStringLiteral("Nothing was saved"), reason);
}

bool MainWindow::openPast(qint64 comparison) {
  if (comparison <= 0 || !session_->openPast(comparison)) return false;
  showPage(Compare);
  return true;
}

void MainWindow::compareTwo(qint64 comparison) {
  if (session_->trial()->state() == ui::TrialController::State::Open)
    return showTrouble(this, QStringLiteral("Answer first"),
                       QStringLiteral("Pictures wait to be judged blind on the Compare page: none are shown with their names meanwhile."));
  auto pictures = session_->sharing(comparison);
  if (pictures.size() < 2) return;
  if (!pair_) pair_ = new PairWindow(this);
  const auto of = session_->store()->comparison(comparison);
  pair_->setPictures(std::move(pictures), of ? of->recipe[QStringLiteral("prompt")].toString() : QString());
  showBeside(pair_);
}

}  // namespace quantspot::views
