// The recipe on top of the Compare page: model, prompt, seed, steps, size, guidance, and what is seldom changed.
#pragma once

#include "ui/models/comparison_runner.h"

#include <QWidget>

#include <optional>

class QAction;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QSpinBox;
class QToolButton;

namespace quantspot::views {

class RecipeMore;

// "192×128", "192x128", "192 128"; nothing when it is not two numbers.
std::optional<QSize> parseSize(const QString& text);

class RecipeBar : public QWidget {
  Q_OBJECT
 public:
  explicit RecipeBar(QWidget* parent = nullptr);

  protocol::Recipe recipe() const;
  void setRecipe(const protocol::Recipe& recipe);
  void setStartPicture(const QImage& image);   // of a past comparison; null: it had none
  // One line on what cannot run as it stands, empty when all is well: "Size must be … a multiple of 16: 112 or 128, not 120".
  QString problem() const;

  void setModels(const std::vector<protocol::ModelEntry>& models, const QString& chosen);
  void setEmbedsGuidance(bool embeds);     // a model that embeds none has nothing to set
  void setTraits(const protocol::ModelTraits& traits);   // of the chosen model: schedulers, sizes, classes …
  ui::RunOptions options() const;          // offload, LoRA and start picture
  RecipeMore* more() { return details_; }
  void showMore();                         // unfolds it
  void nextSeed();
  void focusPrompt();

 Q_SIGNALS:
  void modelChosen(const QString& path);
  void openWanted(const QString& path);    // a model's folder or file, at the end of the list of models
  void downloadWanted();                   // the last entry of it
  void changed();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void connectChanges();
  void randomPrompt();
  void chooseModel(int row);
  void offerCompletions();
  void fillSizes(int own, bool square = false);
  void paintIcons();

  QComboBox *model_, *size_;
  QLineEdit* prompt_;
  QSpinBox *seed_, *steps_;
  QDoubleSpinBox* guidance_;
  QToolButton *newSeed_, *more_;
  RecipeMore* details_;
  QAction* random_;
  QStringList prompts_, classes_;          // classes: "207 golden retriever"; empty: the model reads prompts
  std::vector<protocol::ModelEntry> models_;
  int multiple_ = 16, chosen_ = 0;         // of sides in pixels; row of the model
  QString family_, traitsOf_;              // traitsOf_: the model whose traits are set
  double usualGuidance_ = 0;
};

}  // namespace quantspot::views
