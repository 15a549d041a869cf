// The evidence behind the decisions: a card per figure, those without data left out.
#pragma once

#include "study/protocol.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QWidget>

class QComboBox;
class QGridLayout;
class QLabel;

namespace quantspot::views {

class Card;
class ConfusionCard;
class ForestChart;
class PsychometricChart;

class AnalysisEvidence : public QWidget {
  Q_OBJECT
 public:
  explicit AnalysisEvidence(QWidget* parent = nullptr);
  ~AnalysisEvidence() override;

  void setPart(const QJsonObject& part, const study::Protocol& protocol);
  void setQuestionnaires(const QJsonArray& figures);   // "questionnaires" of an analysis; empty: no card
  void setColourVision(const QJsonObject& figures);    // "colour_vision" of an analysis; empty: no card
  void setMetrics(const QJsonArray& metrics);       // of study/metric_correlation; empty: no card
  std::vector<Card*> shown() const { return shown_; }

  ForestChart *detection, *dprime, *preference, *ranking, *rating, *people, *prompts, *times, *visibility, *metrics;
  PsychometricChart* bits;
  ConfusionCard* confusion;
  Card *quality, *questionnaires, *colours;
  QWidget* visibilityTools() { return visibility_tools_; }   // room for a button beside the ranking

 protected:
  void resizeEvent(QResizeEvent*) override;

 private:
  ForestChart* forest(const QString& figure);
  QComboBox* chooser(Card* card, const QString& name);
  void fillDetection();
  void fillPreference();
  void fillShares(ForestChart* chart, QComboBox* choice, const QString& by);
  void fillChoices();
  void fillQuality();
  void fillMetrics();
  void fillMetricChoices();
  void arrange();

  QJsonObject part_;
  QJsonArray metric_figures_, question_figures_;
  study::Protocol protocol_;
  QComboBox *people_choice_, *prompts_choice_, *against_, *category_, *measure_;
  QLabel *quality_text_, *questions_text_, *colours_text_;
  bool checked_colours_ = false;
  QWidget* visibility_tools_;
  QGridLayout* grid_;
  std::vector<Card*> shown_;
  int columns_ = 2;
};

}  // namespace quantspot::views
