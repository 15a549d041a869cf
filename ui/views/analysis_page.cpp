#include "ui/views/analysis_page.h"

#include "study/rounding.h"
#include "ui/views/analysis_evidence.h"
#include "ui/views/card.h"
#include "ui/views/forest_chart.h"
#include "ui/views/path_dialog.h"
#include "ui/views/unlock_panel.h"
#include "ui/views/verdict_list.h"

#include <QCheckBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTimer>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

QLabel* quietLabel(const char* role = "quiet") {
  auto* label = new QLabel;
  label->setProperty("role", role), label->setWordWrap(true);
  return label;
}

}  // namespace

AnalysisPage::AnalysisPage(QWidget* parent)
    : QWidget(parent), places_(new QStackedWidget), unlock_(new UnlockPanel(tr("The figures of this study are sealed"),
      tr("The passphrase that it was frozen with opens the mapping: which picture was which. A wrong one costs about a second and changes "
         "nothing."))),
      waiting_(new QLabel), title_(new QLabel), about_(quietLabel()), excluded_(quietLabel()), problem_(quietLabel("problem")), saved_(quietLabel()),
      other_(quietLabel()),
      attested_(quietLabel()),
      exclusions_(new QCheckBox(tr("Leave flagged participants out"))), policy_(new QPushButton(tr("Save as policy…"))), verdicts_(new VerdictList),
      evidence_(new AnalysisEvidence),
      scroll_(new QScrollArea) {
  waiting_->setAlignment(Qt::AlignCenter), waiting_->setProperty("role", "quiet"), waiting_->setWordWrap(true);
  scroll_->setWidgetResizable(true), scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setWidget(makeContent());
  places_->addWidget(unlock_), places_->addWidget(waiting_), places_->addWidget(scroll_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(places_);
  wait(tr("Open a study or a bundle to see its analysis."));
  connect(&model_, &ui::AnalysisModel::loaded, this, &AnalysisPage::showStudy);
  connect(&model_, &ui::AnalysisModel::partChanged, this, &AnalysisPage::showPart);
  connect(&model_, &ui::AnalysisModel::metricsChanged, this, [this] {
    evidence_->setMetrics(model_.metrics());
    QTimer::singleShot(0, this, [this] { scroll_->ensureWidgetVisible(evidence_->metrics); });   // far below what asked for it, once it is laid out
  });
  connect(&model_, &ui::AnalysisModel::failed, this, &AnalysisPage::showProblem);
  connect(&model_, &ui::AnalysisModel::saved, this, [this](const QString& line) { saved_->setText(line), saved_->show(), problem_->hide(); });
  connect(exclusions_, &QCheckBox::toggled, &model_, &ui::AnalysisModel::setExcluding);
}

AnalysisPage::AnalysisPage(const QString& store, const QString& hash, QWidget* parent) : AnalysisPage(parent) {
  store_ = store, hash_ = hash;
  places_->setCurrentIndex(Unlock);
  connect(unlock_, &UnlockPanel::entered, this, [this](const QString& passphrase) {
    unlock_->setBusy(true);
    model_.openStore(store_, hash_, passphrase);
  });
}

QWidget* AnalysisPage::makeContent() {
  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(22, 16, 22, 22), column->setSpacing(12);
  QFont large = title_->font();
  large.setPointSizeF(large.pointSizeF() * 1.1);
  title_->setProperty("role", "section"), title_->setFont(large), title_->setWordWrap(true);
  problem_->hide(), saved_->hide();
  column->addWidget(title_), column->addWidget(verdicts_), column->addWidget(other_), column->addWidget(about_);
  column->addWidget(attested_), column->addWidget(makeTools());
  column->addWidget(excluded_), column->addWidget(problem_), column->addWidget(saved_), column->addWidget(evidence_), column->addStretch(1);
  return content;
}

QWidget* AnalysisPage::makeTools() {
  auto* tools = new QWidget;
  auto* row = new QHBoxLayout(tools);
  row->setContentsMargins(0, 0, 0, 0);
  auto* metrics = new QPushButton(tr("Which metric predicts people…"));
  metrics->setToolTip(tr("Opens a table (CSV) with the columns comparison, variant, any metrics and, if there, category"));
  connect(metrics, &QPushButton::clicked, this, &AnalysisPage::chooseMetrics);
  auto* report = new QPushButton(tr("Save report…"));
  connect(report, &QPushButton::clicked, this, &AnalysisPage::chooseReport);
  policy_->setToolTip(tr("Keeps the most visible groups of layers in the reference's precision until each of the rest is shown not to be "
                         "noticeable"));
  connect(policy_, &QPushButton::clicked, this, &AnalysisPage::choosePolicy);
  evidence_->visibilityTools()->layout()->addWidget(policy_);
  row->addWidget(exclusions_), row->addStretch(1), row->addWidget(metrics), row->addWidget(report);
  return tools;
}

void AnalysisPage::wait(const QString& text) {
  waiting_->setText(text);
  places_->setCurrentIndex(Waiting);
}

void AnalysisPage::openStore(const QString& store, const QString& hash, const study::Mapping& mapping) {
  store_ = store, hash_ = hash;
  wait(tr("Analyzing…"));
  model_.openStore(store, hash, mapping);
}

void AnalysisPage::openBundle(const QString& path) {
  bundle_ = path;
  wait(tr("Checking every byte of the bundle…"));
  model_.openBundle(path);
}

void AnalysisPage::showStudy() {
  const study::RevealedStudy& study = model_.study();
  title_->setText(study.protocol.title.isEmpty() ? tr("Study %1").arg(study.hash.left(8)) : study.protocol.title);
  problem_->hide();
  const QSignalBlocker quiet(exclusions_);
  exclusions_->setChecked(model_.isExcluding());
  exclusions_->setVisible(!study.analysis["excluded"].toArray().isEmpty());
  QStringList attested;
  for (const QJsonValue& line : study.analysis["attestation"]["lines"].toArray()) attested << line.toString();
  attested_->setText(attested.join(u' '));
  excluded_->setText(excludedText());
  excluded_->setVisible(!excluded_->text().isEmpty());
  saved_->hide();
  policy_->setVisible(model_.canMakePolicy());
  evidence_->setMetrics({});
  evidence_->setQuestionnaires(study.analysis["questionnaires"].toArray());
  evidence_->setColourVision(study.analysis["colour_vision"].toObject());
  showPart();
  unlock_->setBusy(false);
  places_->setCurrentIndex(Shown);
  Q_EMIT opened();
}

QString AnalysisPage::attested() const { return attested_->text(); }

QString AnalysisPage::excludedText() const {
  QStringList people, lines;
  for (const QJsonValue& person : model_.study().analysis["excluded"].toArray())
    people << QStringLiteral("%1 (%2)").arg(person["participant"].toString(), person["reasons"].toString());
  if (!people.isEmpty()) lines << tr("Flagged by the rules fixed beforehand: %1").arg(people.join(QStringLiteral(", ")));
  for (const QJsonValue& problem : model_.study().analysis["problems"].toArray()) lines << problem.toString();
  return lines.join(u'\n');
}

void AnalysisPage::showPart() {
  const QJsonObject part = model_.part();
  const study::RevealedStudy& study = model_.study();
  verdicts_->setPart(part, study.protocol.tested());
  const int responses = part["responses"].toInt();
  const bool flagged = !study.analysis["excluded"].toArray().isEmpty();
  about_->setText(responses == 0 && flagged ? tr("The rules fixed beforehand flag everybody who answered: nothing is left to judge by.")
      : responses == 0 ? tr("Nobody has answered: there is nothing to show yet.")
      : tr("%1, %2. Different and worse are two questions with two answers. Study %3, head %4.")
            .arg(study::counted(part["people"].toInt(), "person", "people"), study::counted(responses, "answer", "answers"))
            .arg(study.hash.left(12), QString::fromLatin1(study.head.left(12))));
  about_->setToolTip(tr("Study %1\nHead %2").arg(study.hash, QString::fromLatin1(study.head)));
  other_->setText(model_.isHeadline() ? QString()
      : tr("Not the decision that was planned: %1.").arg(model_.isExcluding() ? tr("flagged participants are left out here")
      : tr("flagged participants are counted here")));
  other_->setVisible(!model_.isHeadline());
  evidence_->setPart(part, study.protocol);
}

void AnalysisPage::showProblem(const QString& problem) {
  unlock_->setBusy(false);
  if (model_.isLoaded()) {
    problem_->setText(problem);
    problem_->show();
  } else if (!hash_.isEmpty() && places_->currentIndex() == Unlock) {
    unlock_->setProblem(problem);
  } else {
    wait(bundle_.isEmpty() ? problem : tr("%1 cannot be opened: %2").arg(QFileInfo(bundle_).fileName(), problem));
  }
}

void AnalysisPage::chooseMetrics() {
  askForPath(this, {tr("Metrics of the pictures"), PathKind::File, {}, tr("Tables (*.csv)")},
      [this](const QString& path) { model_.openMetrics(path); });
}

void AnalysisPage::chooseReport() {
  askForPath(this, {tr("Save the report"), PathKind::NewFile, QStringLiteral("report.pdf"), tr("Reports (*.pdf *.html)")},
             [this](const QString& path) { model_.saveReport(path); });
}

void AnalysisPage::choosePolicy() {
  askForPath(this, {tr("Save the policy"), PathKind::NewFile, QStringLiteral("seen-by-people.json"), tr("Policies (*.json)")},
             [this](const QString& path) { model_.savePolicy(path); });
}

}  // namespace quantspot::views
