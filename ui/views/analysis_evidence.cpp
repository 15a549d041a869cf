#include "ui/views/analysis_evidence.h"

#include "study/colour_vision.h"
#include "study/methods.h"
#include "study/questionnaire.h"
#include "ui/models/precision_names.h"
#include "ui/views/analysis_rows.h"
#include "ui/views/confusion_card.h"
#include "ui/views/forest_chart.h"
#include "ui/views/psychometric_chart.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>

namespace quantspot::views {
namespace {

constexpr int kTwoColumns = 760;

template <class Kind>
Kind* cardOf(const QString& figure) {
  const study::Method& method = study::methodOf(figure);
  auto* card = new Kind(method.title);
  card->setMethod(method.line());
  card->wrapNote();
  return card;
}

// A card whose content is text.
class TextCard : public Card {
 public:
  explicit TextCard(const QString& title) : Card(title) {}
  void hold(QWidget* content) { setContent(content); }
};

QStringList distinct(const QJsonArray& list, const QString& key) {
  QStringList found;
  for (const QJsonValue& entry : list)
    if (!found.contains(entry[key].toString())) found << entry[key].toString();
  return found;
}

}  // namespace

AnalysisEvidence::AnalysisEvidence(QWidget* parent)
    : QWidget(parent), detection(forest(QStringLiteral("detection"))), dprime(forest(QStringLiteral("dprime"))),
      preference(forest(QStringLiteral("preference"))), ranking(forest(QStringLiteral("ranking"))), rating(forest(QStringLiteral("rating"))),
      people(forest(QStringLiteral("participants"))), prompts(forest(QStringLiteral("prompts"))), times(forest(QStringLiteral("response_times"))),
      visibility(forest(QStringLiteral("visibility"))), metrics(forest(QStringLiteral("metrics"))),
      bits(cardOf<PsychometricChart>(QStringLiteral("psychometric"))), confusion(cardOf<ConfusionCard>(QStringLiteral("confusion"))),
      quality(cardOf<TextCard>(QStringLiteral("quality"))), questionnaires(cardOf<TextCard>(QStringLiteral("questionnaires"))),
      colours(cardOf<TextCard>(QStringLiteral("colour_vision"))),
      people_choice_(chooser(people, tr("Kind and variant"))),
      prompts_choice_(chooser(prompts, tr("Kind and variant"))), against_(chooser(metrics, tr("Against"))),
      category_(chooser(metrics, tr("Category"))), measure_(chooser(metrics, tr("Correlation"))), quality_text_(new QLabel),
      questions_text_(new QLabel), colours_text_(new QLabel),
      visibility_tools_(new QWidget), grid_(new QGridLayout(this)) {
  grid_->setContentsMargins(0, 0, 0, 0), grid_->setHorizontalSpacing(30), grid_->setVerticalSpacing(22);
  for (QLabel* text : {quality_text_, questions_text_, colours_text_})
    text->setWordWrap(true), text->setAlignment(Qt::AlignTop | Qt::AlignLeft), text->setTextFormat(Qt::RichText);
  static_cast<TextCard*>(quality)->hold(quality_text_);
  static_cast<TextCard*>(questionnaires)->hold(questions_text_);
  static_cast<TextCard*>(colours)->hold(colours_text_);
  (new QHBoxLayout(visibility_tools_))->setContentsMargins(0, 0, 0, 0);
  visibility->addToTitle(visibility_tools_);
  measure_->addItem(tr("Spearman"), QStringLiteral("spearman")), measure_->addItem(tr("Kendall"), QStringLiteral("kendall"));
  connect(people_choice_, &QComboBox::currentIndexChanged, this, [this] { fillShares(people, people_choice_, QStringLiteral("participant")); });
  connect(prompts_choice_, &QComboBox::currentIndexChanged, this, [this] { fillShares(prompts, prompts_choice_, QStringLiteral("comparison")); });
  for (QComboBox* choice : {against_, category_, measure_}) connect(choice, &QComboBox::currentIndexChanged, this, [this] { fillMetrics(); });
}

// What arrange() never took in belongs to nobody else.
AnalysisEvidence::~AnalysisEvidence() {
  for (Card* card : std::initializer_list<Card*>{detection, dprime, preference, ranking, rating, people, prompts, times, visibility, metrics, bits,
                                                 confusion, quality, questionnaires, colours})
    if (!card->parentWidget()) delete card;
}

ForestChart* AnalysisEvidence::forest(const QString& figure) { return cardOf<ForestChart>(figure); }

QComboBox* AnalysisEvidence::chooser(Card* card, const QString& name) {
  auto* choice = new QComboBox;
  choice->setFixedHeight(28), choice->setAccessibleName(name);
  choice->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon), choice->setMinimumContentsLength(16);
  card->addToTitle(choice);
  return choice;
}

void AnalysisEvidence::setPart(const QJsonObject& part, const study::Protocol& protocol) {
  part_ = part, protocol_ = protocol;
  fillDetection();
  fillPreference();
  fillChoices();
  fillQuality();
  arrange();
}

void AnalysisEvidence::fillDetection() {
  const double margin = protocol_.analysis.margin * 100;
  const QString level = QString::number(protocol_.analysis.level * 100, 'g', 3);
  detection->setRows(detectionRows(part_), {{0, tr("guessing")}, {margin, tr("margin"), true}},
                     tr("share of differences seen, corrected for guessing, %"));
  detection->setNote(tr("0: guessing; dashed: the margin of %1 % fixed beforehand; hollow: the average participant; %2 % intervals")
                         .arg(margin).arg(level));
  dprime->setRows(dprimeRows(part_), {{0, {}}}, tr("d′ (0: no difference to the eye)"));
  dprime->setNote(tr("In standard deviations of the eye's noise; hollow: if each picture is judged by itself; %1 % intervals").arg(level));
  bits->setCurves(part_["psychometric"].toArray());
  confusion->setTables(part_["confusion"].toArray());
  times->setRows(timeRows(part_), {}, tr("seconds from the pictures to the answer"));
  times->setNote(tr("Dot: median; thick: the middle half; thin: 5 to 95 %; hollow: wrong answers"));
  visibility->setRows(visibilityRows(part_), {{0, {}}}, tr("detection over all kinds, corrected for guessing, %"));
  visibility->setNote(tr("Most visible first; of a family of policies this ranks the groups of layers"));
}

void AnalysisEvidence::fillPreference() {
  const QJsonObject pairs = part_["preference"].toObject(), ranks = part_["ranking"].toObject();
  const auto note = [&](const QJsonObject& fit) {
    if (fit.contains(QStringLiteral("reason"))) return tr("No fit: %1").arg(fit["reason"].toString());
    if (fit["separated"].toBool()) return tr("Separated: some variants never lost or never won; the bias-reduced fit is shown");
    return tr("Right of 0: preferred to %1; %2 trials").arg(protocol_.reference).arg(fit["trials"].toInt());
  };
  const QString odds = tr("ability, log odds against %1").arg(protocol_.reference);
  preference->setRows(abilityRows(pairs["abilities"].toArray()), {{0, protocol_.reference}}, odds);
  preference->setNote(note(pairs));
  ranking->setRows(abilityRows(ranks["abilities"].toArray()), {{0, protocol_.reference}}, odds);
  ranking->setNote(note(ranks));
  const QJsonObject opinions = part_["rating"].toObject();
  const QJsonValue alpha = opinions["krippendorff_ordinal"], range = opinions["krippendorff_interval"];
  const auto number = [](const QJsonValue& value) { return QString::number(value.toDouble(), 'f', 2); };
  const QString agreement = !alpha.isDouble() ? tr("undefined")
      : range.isArray() ? tr("%1 (%2 to %3)").arg(number(alpha), number(range[0]), number(range[1]))
                        : tr("%1 (no interval: %2)").arg(number(alpha), opinions["krippendorff_reason"].toString());
  QStringList rejected;
  for (const QJsonValue& id : opinions["bt500_rejected"].toArray()) rejected << id.toString();
  rating->setRows(ratingRows(part_), {}, tr("opinion, 1 to 5"));
  rating->setNote(opinions.contains(QStringLiteral("reason")) ? note(opinions)
      : tr("Hollow: without the participants' bias. Krippendorff's α: %1. BT.500 would reject: %2")
      .arg(agreement, rejected.isEmpty() ? tr("nobody") : rejected.join(QStringLiteral(", "))));
}

void AnalysisEvidence::fillChoices() {
  const QJsonArray figures = part_["detection"].toArray();
  for (QComboBox* choice : {people_choice_, prompts_choice_}) {
    const QSignalBlocker quiet(choice);
    const int before = choice->currentIndex();
    choice->clear();
    for (const QJsonValue& f : figures) choice->addItem(QStringLiteral("%1 · %2").arg(ui::shortName(f["variant"].toString()), f["kind"].toString()));
    choice->setCurrentIndex(before >= 0 && before < choice->count() ? before : 0);
  }
  fillShares(people, people_choice_, QStringLiteral("participant"));
  fillShares(prompts, prompts_choice_, QStringLiteral("comparison"));
}

void AnalysisEvidence::fillShares(ForestChart* chart, QComboBox* choice, const QString& by) {
  const QJsonObject figure = part_["detection"].toArray().at(choice->currentIndex()).toObject();
  QMap<QString, QString> names;
  for (const study::StudyComparison& comparison : protocol_.comparisons)
    names[comparison.id] = comparison.prompt.isEmpty() ? comparison.id : comparison.prompt;
  chart->setRows(shareRows(figure, by, names), {{figure["chance"].toDouble() * 100, tr("chance"), true}}, tr("right answers, %"));
  chart->setNote(tr("Dashed: chance; exact intervals of single rows are wide, they are not tests"));
}

void AnalysisEvidence::fillQuality() {
  const QJsonObject all = part_["quality"].toObject();
  QStringList lines;
  const auto of = [&](const char* name, const char* good) {
    const QJsonValue counts = all[QLatin1String(name)];
    return std::pair(counts[QLatin1String(good)].toInt(), counts[QStringLiteral("trials")].toInt());
  };
  if (const auto [right, trials] = of("gold", "correct"); trials > 0) lines << tr("Obvious corruption found: %1 of %2").arg(right).arg(trials);
  if (const auto [same, trials] = of("repeats", "same"); trials > 0) lines << tr("Repeats answered as before: %1 of %2").arg(same).arg(trials);
  QStringList answers;
  const QJsonObject null = all["null"]["answers"].toObject();
  for (const QString& answer : null.keys()) answers << QStringLiteral("%1: %2").arg(answer.toHtmlEscaped()).arg(null[answer].toInt());
  if (!answers.isEmpty()) {
    const QJsonValue p = all["null"]["p_even"];
    lines << tr("Equal pictures: %1%2").arg(answers.join(QStringLiteral(", ")),
                                               p.isDouble() ? tr(" (p of no bias for a place: %1)").arg(p.toDouble(), 0, 'g', 2) : QString());
  }
  int losses = 0;
  for (const QJsonValue& person : part_["participants"].toArray()) losses += person["focus_losses"].toInt();
  if (losses > 0) lines << tr("The window lost the focus %1 times").arg(losses);
  const QJsonArray median = all["response_ms"]["quartiles"].toArray();
  if (median.size() == 2) lines << tr("Median answer after %1 s").arg(all["response_ms"]["median"].toDouble() / 1000, 0, 'f', 1);
  quality_text_->setText(lines.join(QStringLiteral("<br>")));
}

void AnalysisEvidence::setQuestionnaires(const QJsonArray& figures) {
  question_figures_ = figures;
  QStringList parts;
  for (const QJsonValue& figure : figures) {
    parts << QStringLiteral("<b>%1</b> (%2)<br>%3").arg(figure["text"].toString().toHtmlEscaped(),
        figure["when"].toString() == QLatin1String("before") ? tr("before") : tr("after"), study::questionnaireLine(figure).toHtmlEscaped());
    for (const QJsonValue& said : figure["texts"].toArray())
      parts << QStringLiteral("“%1” · %2").arg(said["answer"].toString().toHtmlEscaped(), said["participant"].toString().left(8));
  }
  questions_text_->setText(parts.join(QStringLiteral("<br>")));
  arrange();
}

void AnalysisEvidence::setColourVision(const QJsonObject& figures) {
  checked_colours_ = !figures.isEmpty();
  QStringList lines = study::plateLines(figures);
  for (QString& line : lines) line = line.toHtmlEscaped();
  colours_text_->setText(lines.join(QStringLiteral("<br>")));
  arrange();
}

void AnalysisEvidence::setMetrics(const QJsonArray& figures) {
  metric_figures_ = figures;
  fillMetricChoices();
  fillMetrics();
  arrange();
}

void AnalysisEvidence::fillMetricChoices() {
  const QSignalBlocker one(against_), two(category_);
  against_->clear(), category_->clear();
  for (const QString& side : distinct(metric_figures_, QStringLiteral("against")))
    against_->addItem(side == QLatin1String("detection") ? tr("what is seen") : tr("what is preferred"), side);
  for (const QString& category : distinct(metric_figures_, QStringLiteral("category")))
    category_->addItem(category == QLatin1String("all") ? tr("all categories") : category, category);
  const int all = category_->findData(QStringLiteral("all"));
  category_->setCurrentIndex(std::max(0, all));
}

void AnalysisEvidence::fillMetrics() {
  metrics->setRows(metricRows(metric_figures_, against_->currentData().toString(), category_->currentData().toString(),
                               measure_->currentData().toString()),
      {{0, {}}}, tr("rank correlation"));
  metrics->setNote(tr("Strongest first; an interval that holds 0 predicts nothing yet"));
}

void AnalysisEvidence::resizeEvent(QResizeEvent*) {
  const int columns = width() < kTwoColumns ? 1 : 2;
  if (columns == columns_) return;
  columns_ = columns;
  arrange();
}

// Two columns of what there is to show, one where there is little room; the metrics have the most to choose from and take a whole row.
void AnalysisEvidence::arrange() {
  const bool answers = part_["responses"].toInt() > 0, several = part_["visibility"].toArray().size() > 1;
  const bool seen = !part_["detection"].toArray().isEmpty();
  const std::pair<Card*, bool> order[] = {{detection, seen}, {dprime, seen}, {preference, !part_["preference"].isNull()},
      {bits, !part_["psychometric"].isNull()}, {rating, !part_["rating"].isNull()}, {ranking, !part_["ranking"].isNull()},
      {confusion, seen}, {times, answers}, {people, seen}, {prompts, seen}, {visibility, several}, {quality, answers},
      {questionnaires, !question_figures_.isEmpty()}, {colours, checked_colours_}, {metrics, !metric_figures_.isEmpty()}};
  shown_.clear();
  for (const auto& [card, has] : order) {
    grid_->removeWidget(card);
    card->setParent(this);
    card->setVisible(has);
    if (!has) continue;
    const int place = static_cast<int>(shown_.size());
    if (card == metrics) grid_->addWidget(card, (place + columns_ - 1) / columns_, 0, 1, columns_, Qt::AlignTop);
    else grid_->addWidget(card, place / columns_, place % columns_, Qt::AlignTop);
    shown_.push_back(card);
  }
  for (int column = 0; column < 2; ++column) grid_->setColumnStretch(column, column < columns_ ? 1 : 0);
}

}  // namespace quantspot::views
