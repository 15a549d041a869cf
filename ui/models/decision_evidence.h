// All that is known about the precisions of the model at hand: comparisons of the history, runs of `compare`, studies, files that were added. Each
// is a source that can be left out.
#pragma once

#include "decision/gather.h"
#include "study/ratings.h"
#include "ui/models/background.h"

#include <QJsonObject>

#include <map>

namespace quantspot::ui {

class DecisionEvidence : public QObject {
  Q_OBJECT
 public:
  struct Source {
    // File, "study:" and its hash, "history:" and what the pictures share, "ratings", "mix:" and its policy.
    QString key;
    decision::Found found;
    bool used = true;
    const decision::EvidenceSource& what() const { return found.evidence.sources.front(); }
  };

  explicit DecisionEvidence(QObject* parent = nullptr);

  // path: as the user names it; folder: where the engine has it, as reports of `compare` name it. Nothing of another model stays.
  void setModel(const QString& path, const QString& folder);
  // Pictures of comparisons, with times and scores. The same comparison comes again once it is scored.
  void learn(const std::vector<study::Comparison>& comparisons);
  // Looks for runs of `compare` about this model in these folders, in the background.
  void lookIn(const QStringList& folders);
  // A report.json or its folder, an analysis.json or a bundle. Throws std::runtime_error, one line, for anything else. Remembered for this model.
  void addFile(const QString& path);
  // The analysis of a study whose mapping was opened. It does not name its model: taken for the one at hand, and remembered for that.
  void addStudy(const QJsonObject& analysis);
  // Grades of this model's pictures; in place of those told before. None: the source goes.
  void setRatings(const std::vector<study::RatingMean>& ratings, const QString& name);
  // A policy that a search found, with its error measured on the whole model.
  void addMix(const std::string& policy, const nlohmann::json& scan, const std::string& low, double error);

  const std::vector<Source>& sources() const { return sources_; }
  void setUsed(const QString& key, bool used);
  decision::Evidence gathered(int steps, int width, int height) const;

  // What is remembered beyond this program's end.
  QJsonObject saved() const { return saved_; }
  void restore(const QJsonObject& saved);

 Q_SIGNALS:
  void changed();

 private:
  void put(Source source);                         // in place of one with its key
  void tellHistory();
  void remember(const char* list, const QJsonObject& entry);
  void takeRemembered();

  QString model_, folder_;
  std::map<qint64, nlohmann::json> history_;       // comparisons as reports have them, by the time of their making
  std::vector<Source> sources_;
  QJsonObject saved_;
  Background background_{this};
};

}  // namespace quantspot::ui
