#include "ui/views/study_page.h"

#include "study/sealed_history.h"
#include "study/study_store.h"
#include "ui/models/participant_session.h"
#include "ui/models/study_draft.h"
#include "ui/views/analysis_page.h"
#include "ui/views/beside.h"
#include "ui/views/frozen_study_view.h"
#include "ui/views/participant_window.h"
#include "ui/views/path_dialog.h"
#include "ui/views/study_designer.h"
#include "ui/views/study_progress_view.h"
#include "ui/views/theme.h"

#include <QFileInfo>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QPainter>
#include <QPushButton>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kSideWidth = 230;

// Title, and below it state and people.
class EntryDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const override { return {100, 2 * option.fontMetrics.height() + 16}; }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const bool selected = option.state & QStyle::State_Selected;
    const QRect inside = option.rect.adjusted(12, 8, -8, -8);
    painter->save();
    if (selected) painter->fillRect(option.rect, theme().accent);
    QFont bold = option.font;
    bold.setWeight(QFont::DemiBold);
    painter->setFont(bold), painter->setPen(selected ? theme().onAccent : theme().text);
    painter->drawText(inside, Qt::AlignTop | Qt::AlignLeft, QFontMetrics(bold).elidedText(index.data().toString(), Qt::ElideRight, inside.width()));
    painter->setFont(option.font), painter->setPen(selected ? theme().onAccent : theme().quiet);
    painter->drawText(inside, Qt::AlignBottom | Qt::AlignLeft,
                      option.fontMetrics.elidedText(index.data(ui::StudyListModel::DetailRole).toString(), Qt::ElideRight, inside.width()));
    painter->restore();
  }
};

QString folderOf(const study::StudyStore& store) {
  return QFileInfo(store.path().isEmpty() ? study::StudyStore::defaultPath() : store.path()).path();
}

QString studiesOf(const study::StudyStore& store) { return store.path().isEmpty() ? study::StudyStore::defaultPath() : store.path(); }

}  // namespace

StudyPage::StudyPage(study::StudyStore* store, QWidget* parent)
    : QWidget(parent), store_(store), model_(studiesOf(*store), folderOf(*store) + QStringLiteral("/drafts")), list_(new QListView),
        problem_(new QLabel),
      pages_(new QStackedWidget) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  side_ = makeSide();
  layout->addWidget(side_), layout->addWidget(pages_, 1);
  auto* empty = new QLabel(tr("A study asks other people, without names, what they can see: plan one with “New study”.\n"
                              "Its comparisons come from the history, so generate some first."));
  empty->setAlignment(Qt::AlignCenter), empty->setProperty("role", "quiet"), empty->setWordWrap(true);
  empty_ = empty;
  pages_->addWidget(empty_);
  connect(&model_, &ui::StudyListModel::failed, this, [this](const QString& message) {
    problem_->setText(notice_.isEmpty() ? message : notice_ + QStringLiteral("\n\n") + message), problem_->show();
    notice_.clear();
  });
  connect(&model_, &ui::StudyListModel::reloaded, this, [this] {
    problem_->setText(notice_), problem_->setVisible(!notice_.isEmpty());
    notice_.clear();
    settle();
  });
  connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) { open(index.row()); });
}

QWidget* StudyPage::makeSide() {
  auto* side = new QFrame;
  side->setObjectName(QStringLiteral("sidePanel")), side->setProperty("side", "left");
  side->setFixedWidth(kSideWidth);
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 12, 1, 12), column->setSpacing(10);
  auto* create = new QPushButton(tr("New study"));
  create->setProperty("role", "main"), create->setShortcut(QKeySequence::New), create->setToolTip(tr("Ctrl+N"));
  connect(create, &QPushButton::clicked, this, &StudyPage::newDraft);
  auto* padded = new QHBoxLayout;
  padded->setContentsMargins(12, 0, 12, 0);
  padded->addWidget(create);
  list_->setModel(&model_), list_->setItemDelegate(new EntryDelegate(list_)), list_->setAccessibleName(tr("Studies"));
  auto* bundle = new QPushButton(tr("Open bundle…"));
  bundle->setToolTip(tr("The analysis of a study that was exported, here or elsewhere; every byte is checked first"));
  connect(bundle, &QPushButton::clicked, this, &StudyPage::chooseBundle);
  auto* below = new QHBoxLayout;
  below->setContentsMargins(12, 0, 12, 0);
  below->addWidget(bundle);
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true), problem_->hide(), problem_->setContentsMargins(12, 0, 12, 0);
  column->addLayout(padded), column->addWidget(list_, 1), column->addWidget(problem_), column->addLayout(below);
  return side;
}

QWidget* StudyPage::shown() const { return pages_->currentWidget(); }

void StudyPage::reload() {
  problem_->hide();
  model_.reload();
  settle();
}

// The row of what is open, in a list that was read anew.
void StudyPage::settle() {
  const int row = model_.rowOf(opened_);
  if (designer_ && row < 0 && !opened_.isEmpty()) return;   // a draft that was never saved stays open
  if (row >= 0) {
    {
      const QSignalBlocker quiet(list_->selectionModel());
      list_->setCurrentIndex(model_.index(row));
    }
    if (std::exchange(opening_, false) || shown() == empty_) open(row);
  } else if (model_.rowCount() > 0 && opened_.isEmpty()) {
    list_->setCurrentIndex(model_.index(0));
  }
}

void StudyPage::useStudies(const QString& store) {
  model_.setStore(store);
  opened_.clear();
  if (isVisible()) reload();
}

void StudyPage::select(const QString& hash_or_file) {
  opened_ = hash_or_file, opening_ = true;
  reload();
}

void StudyPage::newDraft() {
  const QString file = model_.newDraftFile();
  ui::StudyDraft draft(file, store_);
  draft.edit([](study::Protocol&) {});                   // on disk, so that it is in the list
  if (draft.saveProblem().isEmpty()) return select(file);
  notice_ = tr("No study can be begun, for its draft cannot be saved: %1. Give yourself the right to write that folder, or choose another "
               "with --data.")
      .arg(draft.saveProblem());                         // the list is read anew, and this stays
  reload();
}

void StudyPage::put(QWidget* page) {
  QWidget* before = pages_->currentWidget();
  if (page != empty_) pages_->addWidget(page);
  QList<AnalysisPage*> analyses = page->findChildren<AnalysisPage*>();
  if (auto* own = qobject_cast<AnalysisPage*>(page)) analyses << own;
  for (AnalysisPage* one : analyses)
    connect(one->model(), &ui::AnalysisModel::loaded, this, [this, model = one->model()] {
      Q_EMIT analysed(model->study().analysis);
      giveBack(model->study().hash, model->study().mapping);
    });
  pages_->setCurrentWidget(page);
  if (before != empty_ && before != page) before->deleteLater();
}

// The study is revealed: what was sealed of the history for its sake comes back.
void StudyPage::giveBack(const QString& hash, const study::Mapping& mapping) {
  if (!store_->isOpen()) return;
  background_.run<int>([file = store_->path(), hash, mapping] { return study::unsealHistory(file, hash, mapping); }, [this](int back) {
    if (back > 0) store_->readAnew();
  }, [this](const QString& problem) { problem_->setText(problem), problem_->show(); });
}

void StudyPage::open(int row) {
  if (row < 0 || row >= model_.rowCount()) return;
  const ui::StudyEntry entry = model_.at(row);
  opened_ = entry.hash.isEmpty() ? entry.file : entry.hash;
  designer_ = nullptr;
  if (entry.state == ui::StudyState::Draft) {
    designer_ = new StudyDesigner(std::make_unique<ui::StudyDraft>(entry.file, store_), store_, model_.store());
    connect(designer_, &StudyDesigner::freezing, side_, &QWidget::setDisabled);
    connect(designer_, &StudyDesigner::frozen, this, [this](const QString& hash, const QString& notice) {
      notice_ = notice;
      store_->readAnew();                  // pictures of the history were sealed
      select(hash);
    });
    connect(designer_, &StudyDesigner::discarded, this, [this] {
      designer_ = nullptr, opened_.clear();
      put(empty_);
      reload();
    }, Qt::QueuedConnection);
    return put(designer_);
  }
  auto* holder = new QWidget;
  auto* column = new QVBoxLayout(holder);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(0);
  auto* view = new FrozenStudyView(model_.store(), entry.hash);
  connect(view, &FrozenStudyView::participantWanted, this, &StudyPage::participate);
  auto* progress = new StudyProgressView(model_.store(), entry.hash);
  connect(progress->model(), &ui::StudyProgressModel::changed, this, [this, view, model = progress->model()] {   // here or by others
    view->refresh();
    const int row = model_.rowOf(model->hash());
    if (row < 0) return;
    const ui::StudyEntry& listed = model_.at(row);
    if (listed.people != model->progress().joined || (listed.state >= ui::StudyState::Closed) != model->isClosed()) reload();
  });
  connect(progress, &StudyProgressView::analysisShown, view, &QWidget::setHidden);   // which says all of it itself
  connect(progress->analysis(), &AnalysisPage::opened, this, [this, hash = entry.hash] {
    model_.markAnalysed(hash);
    reload();
  });
  column->addWidget(view), column->addWidget(progress, 1);
  put(holder);
}

void StudyPage::chooseBundle() {
  askForPath(this, {tr("Open a bundle"), PathKind::File, {}, tr("Bundles (*.zip)")}, [this](const QString& path) { openBundle(path); });
}

void StudyPage::openBundle(const QString& path) {
  designer_ = nullptr;
  opened_ = path;                         // in no list: stays open when the page is shown again
  list_->setCurrentIndex({});
  auto* page = new AnalysisPage;
  put(page);
  page->openBundle(path);
}

// Over the whole screen; the experimenter's window, which knows names, is away until the participant's is closed.
void StudyPage::participate(const QString& hash) {
  ui::ParticipantSession::Place place{model_.store(), hash, folderOf(*store_) + QStringLiteral("/stations"), QStringLiteral("here")};
  if (store_->isOpen()) place.history = store_->path();
  auto* session = new ui::ParticipantSession(place);
  auto* window = new ParticipantWindow(session);
  session->setParent(window);
  window->setAttribute(Qt::WA_DeleteOnClose);
  QWidget* own = this->window();
  connect(window, &ParticipantWindow::closing, this, [this, own] {
    own->show();
    store_->readAnew();                                  // pictures of the history may have been sealed
    if (!opened_.isEmpty()) select(opened_);             // its people are counted anew
  });
  window->takeScreen();
  own->hide();
  hideOthers(window);                                    // pictures with names, an export's window: nothing of it stays beside a participant
}

}  // namespace quantspot::views
