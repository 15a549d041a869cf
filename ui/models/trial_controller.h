// One blind question about a comparison: draws the slot order, takes the choices, stores the answer, then reveals.
// Nothing here gives away a slot's precision before revealed().
#pragma once

#include "ui/models/slot_list_model.h"

#include <QElapsedTimer>

namespace quantspot::study {
class StudyStore;
}

namespace quantspot::ui {

class TrialController : public QObject {
  Q_OBJECT
 public:
  enum class State { Idle, Open, Revealed };
  Q_ENUM(State)

  explicit TrialController(study::StudyStore* store, QObject* parent = nullptr);   // store is not owned

  // The comparison must be stored (ids set). NameEach and Rate: one tile per precision with a picture, at least two. SpotOne: one
  // quantized sample, drawn by chance when there are several, among all repeats of bf16. False with failed() otherwise.
  // uncounted: why the answer is to stay out of tallies (AnsweredTrial), because the user may know the names of these pictures.
  bool start(study::Task task, const ComparisonResult& comparison, const QString& uncounted = {});
  void abandon();                                 // to Idle, nothing stored

  State state() const { return state_; }
  study::Task task() const { return task_; }
  SlotListModel* slotModel() { return &slots_; }
  int slotCount() const { return slots_.rowCount(); }
  // Precisions to choose from in NameEach, in the display order of the request; empty in the other tasks.
  QStringList options() const { return options_; }

  bool areImagesShown() const { return shown_; }
  void imagesShown();                             // the pictures are on screen: starts the response time (first call counts)

  void choose(int slot, const QString& precision);   // NameEach; takes the precision from another slot; "" clears
  void pick(int slot);                            // SpotOne
  void rate(int slot, int grade);                 // Rate: 1…5; 0 clears
  QString choice(int slot) const;                 // NameEach: "" when open
  int grade(int slot) const;                      // Rate: 0 when open
  int picked() const;                             // SpotOne: -1 when open
  void undo();                                    // the last choose(), pick() or rate() of this trial
  bool canUndo() const { return state_ == State::Open && !history_.empty(); }

  int confidence() const { return confidence_; }
  void setConfidence(int confidence);             // 1…5, clamped; 0: not given

  bool canAnswer() const;                         // open, and every slot named or rated, or one picked
  // Stores trial and response, then reveals. When the store fails the trial stays open (failed() says why).
  bool answer();

  // Null or empty until revealed.
  std::vector<SampleResult> samples() const;      // in slot order
  QImage referenceImage() const;                  // bf16, for difference views
  study::AnsweredTrial answered() const;
  QString verdict() const;                        // "3 of 4 right, in 12.3 s", "4 pictures rated, in 12.3 s"
  QString whyUncounted() const;                   // a sentence; empty when the answer is counted, or not given yet

  void setScores(qint64 sample, const study::Scores& scores);   // measurements that arrive late

 Q_SIGNALS:
  void stateChanged();
  void choicesChanged();                          // also confidence and canUndo
  void revealed();
  void failed(const QString& message);

 private:
  std::vector<SampleResult> selectSamples(const ComparisonResult& comparison) const;
  void remember();
  void publishChoices();
  study::AnsweredTrial grade() const;
  bool isCorrect(int slot) const;

  study::StudyStore* store_;
  State state_ = State::Idle;
  study::Task task_ = study::Task::NameEach;
  qint64 comparison_ = 0;
  SlotListModel slots_;
  std::vector<SampleResult> samples_;             // in slot order
  QImage reference_;
  QStringList options_;
  QStringList choices_;                           // NameEach: precisions; Rate: grades
  int picked_ = -1;                               // SpotOne
  std::vector<std::pair<QStringList, int>> history_;
  int confidence_ = 0;
  QString uncounted_;
  bool shown_ = false;
  QElapsedTimer clock_;
  study::AnsweredTrial answered_;
};

}  // namespace quantspot::ui
