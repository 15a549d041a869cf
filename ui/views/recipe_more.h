// What is seldom changed of a recipe, and what all variants share beside it: as much of it as the model's family takes.
#pragma once

#include "ui/models/comparison_runner.h"

#include <QImage>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QSpinBox;
class QToolButton;

namespace quantspot::views {

class RecipeMore : public QWidget {
  Q_OBJECT
 public:
  explicit RecipeMore(QWidget* parent = nullptr);

  void setTraits(const protocol::ModelTraits& traits);
  void apply(protocol::Recipe& recipe) const;     // adds what is set here
  void setRecipe(const protocol::Recipe& recipe);
  // The start picture is cut to this size from its middle.
  ui::RunOptions options(QSize size) const;
  QString problem() const;                        // one line; empty: all is well

  // Both keep a line for problem() when the file cannot be read.
  void setPicture(const QString& file);           // empty: none
  void setPicture(const QImage& image, const QString& name);   // of a past comparison; null: none
  void addLora(const QString& file, double scale = 1);
  bool takesPictures() const { return takesImages_; }   // the model has an image-to-image pass
  int loraCount() const { return static_cast<int>(loras_.size()); }

 Q_SIGNALS:
  void changed();

 private:
  struct LoraRow {
    QString file;
    QWidget* row;
    QDoubleSpinBox* scale;
  };
  QWidget* makePrompts();
  QWidget* makeHow();
  QWidget* makeInputs();
  void connectChanges();
  void removeLora(const QWidget* row);
  void askForFile(const QString& title, const QString& filter, void (RecipeMore::*use)(const QString&));
  void addFoundLora(const QString& file) { addLora(file); }

  QLineEdit* negative_;
  QDoubleSpinBox *trueCfg_, *strength_;
  QComboBox *scheduler_, *offload_;
  QSpinBox* clipSkip_;
  QCheckBox *weights_, *tiles_, *twice_;
  QToolButton *picture_, *noPicture_, *addLora_;
  QLabel *trueCfgLabel_, *clipSkipLabel_, *pictureLabel_, *strengthLabel_;
  QHBoxLayout* loraRows_;
  std::vector<LoraRow> loras_;
  QImage image_;
  QString imageProblem_;
  bool classifier_ = false, takesImages_ = false;
};

}  // namespace quantspot::views
