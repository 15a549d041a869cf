// A policy that is being edited: its text and its table of layers follow each other, and the engine says what every layer then holds.
#pragma once

#include "ui/client/engine_client.h"
#include "ui/models/policy_summary.h"

#include <QTimer>

#include <memory>

namespace quantspot::ui {

class PolicyDraft : public QObject {
  Q_OBJECT
 public:
  explicit PolicyDraft(EngineClient* engine, QObject* parent = nullptr);   // engine is not owned

  void setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions);
  const std::vector<protocol::PrecisionInfo>& precisions() const { return precisions_; }
  // The model whose layers are shown; asks the engine for them. The text stays.
  void setModel(const QString& path);
  QString model() const { return model_; }

  PolicyLayersModel* layers() { return &layers_; }
  QString text() const { return text_; }
  QString base() const;                               // with its options; empty while the text is no policy
  QString encoders() const;                           // precision of the text encoders, when a rule names all of them; else empty
  const std::vector<PolicyRule>& rules() const { return policy_.rules; }
  const QStringList& skip() const { return policy_.skip; }

  void setText(const QString& text);                  // typed or loaded; the table follows
  void setBase(const QString& precision);             // rules stay
  void setEncoders(const QString& precision);         // empty: they stay in 16 bit
  QString softmax() const;                            // the type that attention's softmax is asked to have; empty: none
  void setSoftmax(const QString& precision);
  void setPrecision(const QList<int>& rows, const QString& precision);   // rows of layers(); empty: as the base has it. The text follows
  void undo();
  bool canUndo() const { return !undo_.isEmpty(); }

  bool isReady() const { return ready_; }             // the engine has answered for this text
  QString problem() const { return problem_; }        // one line on why the text cannot be used; empty: it can
  QStringList unmatched() const;                      // patterns that no layer of this model has
  QString sentence() const;
  PolicySummary summary() const { return summarize(layers_.layers()); }
  QStringList allLayers() const;                      // names, also of layers that cannot be quantized; empty before the first answer

 Q_SIGNALS:
  void changed();                                     // anything of the above

 private:
  void take(const QString& text);
  void parse();
  QStringList needed() const;
  void ask();
  void answered(const QString& text, const protocol::InspectResult& result);
  void refused(const QString& text, const QString& message);
  void buildLayers();
  void askFit();
  QStringList reaching() const;                       // precisions whose rules reach convolutions
  FrameAnswer frameAnswer() const;                    // needs the engine's answer about policy_.frame()
  void follow();

  EngineClient* engine_;
  std::vector<protocol::PrecisionInfo> precisions_;
  QStringList ids_;
  QString model_, text_, problem_;
  PolicyText policy_;                                 // of text_, when parsed_
  bool parsed_ = false, ready_ = false;
  QStringList undo_;
  PolicyLayersModel layers_;
  std::unique_ptr<RuleFinder> finder_;                // of the quantizable layers of model_
  QHash<QString, protocol::InspectResult> answers_;   // by policy text, of model_
  QHash<QString, QString> refusals_;
  QString asking_;                                    // the text of the call under way; empty: none
  std::unique_ptr<QObject> context_;                  // of the calls for model_
  QTimer debounce_;
};

}  // namespace quantspot::ui
