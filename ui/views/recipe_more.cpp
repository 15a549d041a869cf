#include "ui/views/recipe_more.h"

#include "ui/views/form_parts.h"
#include "ui/views/path_dialog.h"

#include <QBuffer>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QImageReader>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr double kUsualStrength = 0.8;
constexpr int kLongestName = 22;

QDoubleSpinBox* number(double low, double high, double step, int decimals, double value) {
  auto* spin = new QDoubleSpinBox;
  spin->setRange(low, high), spin->setSingleStep(step), spin->setDecimals(decimals), spin->setValue(value), spin->setFixedWidth(64);
  return spin;
}

QString shortFile(const QString& file) {
  const QString name = QFileInfo(file).completeBaseName();
  return name.size() <= kLongestName ? name : name.left(kLongestName - 1) + u'…';
}

// As large as fits, cut at both sides alike.
QImage cutTo(const QImage& image, QSize size) {
  const QImage scaled = image.scaled(size, Qt::KeepAspectRatioByExpanding, Qt::SmoothTransformation);
  const QPoint corner((scaled.width() - size.width()) / 2, (scaled.height() - size.height()) / 2);
  return scaled.copy(QRect(corner, size)).convertToFormat(QImage::Format_RGB888);
}

}  // namespace

RecipeMore::RecipeMore(QWidget* parent)
    : QWidget(parent), negative_(new QLineEdit), trueCfg_(number(1, 30, 0.5, 1, 1)), strength_(number(0.01, 1, 0.05, 2, kUsualStrength)),
      scheduler_(new QComboBox), offload_(new QComboBox), clipSkip_(new QSpinBox), weights_(new QCheckBox(QStringLiteral("(word:1.2) weighs words"))),
      tiles_(new QCheckBox(QStringLiteral("decode in tiles"))), twice_(new QCheckBox(QStringLiteral("BF16 twice"))),
      picture_(new QToolButton), noPicture_(new QToolButton), addLora_(new QToolButton),
      loraRows_(new QHBoxLayout) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(8);
  layout->addWidget(makePrompts()), layout->addWidget(makeHow()), layout->addWidget(makeInputs());
  connectChanges();
  setTraits({});
}

QWidget* RecipeMore::makePrompts() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  negative_->setAccessibleName(QStringLiteral("Negative prompt")), negative_->setPlaceholderText(QStringLiteral("what to keep away from"));
  trueCfg_->setAccessibleName(QStringLiteral("True CFG"));
  trueCfg_->setToolTip(QStringLiteral("Above 1 with a negative prompt: a second pass, twice the time"));
  trueCfgLabel_ = quietLabel(QStringLiteral("True CFG"), trueCfg_);
  row->addWidget(quietLabel(QStringLiteral("Negative prompt"), negative_)), row->addWidget(negative_, 1), row->addSpacing(8);
  row->addWidget(trueCfgLabel_), row->addWidget(trueCfg_);
  const auto tell = [this] {                           // a negative prompt that nothing reads would be a riddle
    const bool idle = !trueCfg_->isHidden() && trueCfg_->value() <= 1 && !negative_->text().trimmed().isEmpty();
    trueCfgLabel_->setText(idle ? QStringLiteral("acts with a true CFG above 1") : QStringLiteral("True CFG"));
  };
  connect(negative_, &QLineEdit::textChanged, this, tell);
  connect(trueCfg_, &QDoubleSpinBox::valueChanged, this, tell);
  return widget;
}

QWidget* RecipeMore::makeHow() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  scheduler_->setAccessibleName(QStringLiteral("Scheduler")), scheduler_->setMinimumWidth(200);
  offload_->setAccessibleName(QStringLiteral("Offload"));
  offload_->addItem(QStringLiteral("none"), QStringLiteral("none"));
  offload_->addItem(QStringLiteral("parts take turns"), QStringLiteral("model"));
  offload_->addItem(QStringLiteral("blocks come and go"), QStringLiteral("group"));
  offload_->addItem(QStringLiteral("layers come and go"), QStringLiteral("sequential"));
  offload_->setToolTip(QStringLiteral("What of the model is in memory at once: less is slower; the pictures stay the same"));
  clipSkip_->setRange(0, 11), clipSkip_->setFixedWidth(48), clipSkip_->setAccessibleName(QStringLiteral("CLIP skip"));
  clipSkip_->setToolTip(QStringLiteral("Last layers of the text encoder that are left out"));
  clipSkipLabel_ = quietLabel(QStringLiteral("CLIP skip"), clipSkip_);
  tiles_->setToolTip(QStringLiteral("Less memory for large pictures, which become slightly other ones"));
  row->addWidget(quietLabel(QStringLiteral("Scheduler"), scheduler_)), row->addWidget(scheduler_), row->addSpacing(8);
  row->addWidget(quietLabel(QStringLiteral("Offload"), offload_)), row->addWidget(offload_), row->addSpacing(8);
  twice_->setChecked(true);
  twice_->setToolTip(QStringLiteral("Draws BF16 once more while you look: "
                                    "how far two drawings of the same thing differ is the noise floor of every other difference"));
  row->addWidget(clipSkipLabel_), row->addWidget(clipSkip_), row->addWidget(weights_), row->addWidget(tiles_);
  row->addWidget(twice_), row->addStretch(1);
  return widget;
}

QWidget* RecipeMore::makeInputs() {
  auto* widget = new QWidget;
  QHBoxLayout* row = rowOf(widget);
  picture_->setText(QStringLiteral("picture…")),
      picture_->setToolTip(QStringLiteral("Image to image: the picture to start from, cut to the size that is drawn"));
  picture_->setAccessibleName(QStringLiteral("Start from a picture"));
  noPicture_->setText(QStringLiteral("✕")), noPicture_->setToolTip(QStringLiteral("Start from noise again"));
  strength_->setAccessibleName(QStringLiteral("Strength")), strength_->setToolTip(QStringLiteral("1 leaves nothing of the picture, 0.3 much of it"));
  strengthLabel_ = quietLabel(QStringLiteral("strength"), strength_);
  pictureLabel_ = quietLabel(QStringLiteral("Start from"), picture_);
  addLora_->setText(QStringLiteral("+ LoRA…")),
      addLora_->setToolTip(QStringLiteral("A .safetensors file beside the weights of every variant; its effect is told with the result"));
  row->addWidget(pictureLabel_), row->addWidget(picture_), row->addWidget(noPicture_), row->addWidget(strengthLabel_), row->addWidget(strength_),
  row->addSpacing(12);
  row->addWidget(addLora_), row->addLayout(loraRows_), row->addStretch(1);
  connect(picture_, &QToolButton::clicked, this, [this] {
    askForFile(QStringLiteral("Picture to start from"), QStringLiteral("Pictures (*.png *.jpg *.jpeg *.webp *.bmp)"), &RecipeMore::setPicture);
  });
  connect(noPicture_, &QToolButton::clicked, this, [this] { setPicture({}); });
  connect(addLora_, &QToolButton::clicked, this, [this] {
    askForFile(QStringLiteral("LoRA"), QStringLiteral("LoRA (*.safetensors)"), &RecipeMore::addFoundLora);
  });
  return widget;
}

void RecipeMore::connectChanges() {
  connect(negative_, &QLineEdit::textChanged, this, &RecipeMore::changed);
  for (QDoubleSpinBox* spin : {trueCfg_, strength_}) connect(spin, &QDoubleSpinBox::valueChanged, this, &RecipeMore::changed);
  for (QComboBox* combo : {scheduler_, offload_}) connect(combo, &QComboBox::currentIndexChanged, this, &RecipeMore::changed);
  connect(clipSkip_, &QSpinBox::valueChanged, this, &RecipeMore::changed);
  for (QCheckBox* box : {weights_, tiles_}) connect(box, &QCheckBox::toggled, this, &RecipeMore::changed);
}

void RecipeMore::askForFile(const QString& title, const QString& filter, void (RecipeMore::*use)(const QString&)) {
  askForPath(this, {title, PathKind::File, {}, filter}, [this, use](const QString& file) { (this->*use)(file); });
}

void RecipeMore::setTraits(const protocol::ModelTraits& traits) {
  {
    const QSignalBlocker quiet(scheduler_);
    const QString before = scheduler_->currentData().toString();
    scheduler_->clear();
    const auto own = std::find_if(traits.schedulers.begin(), traits.schedulers.end(), [&](const auto& one) { return one.id == traits.scheduler; });
    const QString name = QString::fromStdString(own == traits.schedulers.end() ? traits.scheduler : own->label);
    scheduler_->addItem(name.isEmpty() ? QStringLiteral("the model's own") : QStringLiteral("the model's own: %1").arg(name), QString());
    for (const protocol::Choice& one : traits.schedulers) scheduler_->addItem(QString::fromStdString(one.label), QString::fromStdString(one.id));
    scheduler_->setCurrentIndex(std::max(0, scheduler_->findData(before)));
  }
  classifier_ = traits.classifier, takesImages_ = traits.image_to_image;
  const bool prompts = traits.classes.empty();
  negative_->setEnabled(prompts);
  trueCfg_->setVisible(!classifier_), trueCfgLabel_->setVisible(!classifier_);
  clipSkip_->setVisible(traits.clip_skip), clipSkipLabel_->setVisible(traits.clip_skip), weights_->setVisible(traits.prompt_weights);
  picture_->setVisible(takesImages_), pictureLabel_->setVisible(takesImages_);
  const bool pictured = takesImages_ && !image_.isNull();
  noPicture_->setVisible(pictured), strength_->setVisible(pictured), strengthLabel_->setVisible(pictured);
  Q_EMIT changed();
}

void RecipeMore::apply(protocol::Recipe& recipe) const {
  if (!classifier_) recipe.true_cfg = trueCfg_->value();
  const QString negative = negative_->text().trimmed();
  if (negative_->isEnabled() && !negative.isEmpty()) recipe.negative_prompt = negative.toStdString();
  recipe.scheduler = scheduler_->currentData().toString().toStdString();
  if (!clipSkip_->isHidden()) recipe.clip_skip = clipSkip_->value();
  if (!weights_->isHidden()) recipe.prompt_weights = weights_->isChecked();
  recipe.vae_tiling = tiles_->isChecked();
  if (takesImages_ && !image_.isNull()) recipe.strength = strength_->value();
}

void RecipeMore::setRecipe(const protocol::Recipe& recipe) {
  trueCfg_->setValue(recipe.true_cfg);
  negative_->setText(QString::fromStdString(recipe.negative_prompt.value_or("")));
  scheduler_->setCurrentIndex(std::max(0, scheduler_->findData(QString::fromStdString(recipe.scheduler))));
  clipSkip_->setValue(recipe.clip_skip);
  weights_->setChecked(recipe.prompt_weights), tiles_->setChecked(recipe.vae_tiling);
  if (recipe.strength) strength_->setValue(*recipe.strength);
}

ui::RunOptions RecipeMore::options(QSize size) const {
  ui::RunOptions options{.offload = offload_->currentData().toString()};
  options.repeat = twice_->isChecked();
  for (const LoraRow& lora : loras_) options.loras.push_back({lora.file.toStdString(), lora.scale->value()});
  if (!takesImages_ || image_.isNull()) return options;
  QBuffer png(&options.image);
  cutTo(image_, size).save(&png, "PNG");
  return options;
}

QString RecipeMore::problem() const { return takesImages_ ? imageProblem_ : QString(); }

void RecipeMore::setPicture(const QString& file) {
  if (file.isEmpty()) return setPicture(QImage(), {});
  QImageReader reader(file);
  reader.setAutoTransform(true);
  const QImage read = reader.read();
  setPicture(read, shortFile(file));
  if (!read.isNull()) return;
  imageProblem_ = QStringLiteral("%1 cannot be read as a picture: %2").arg(QFileInfo(file).fileName(), reader.errorString());
  noPicture_->show();
  Q_EMIT changed();
}

void RecipeMore::setPicture(const QImage& image, const QString& name) {
  imageProblem_.clear();
  image_ = image;
  picture_->setText(image_.isNull() ? QStringLiteral("picture…") : name);
  const bool pictured = !image_.isNull();
  const bool shown = pictured && takesImages_;
  noPicture_->setVisible(shown), strength_->setVisible(shown), strengthLabel_->setVisible(shown);
  Q_EMIT changed();
}

void RecipeMore::addLora(const QString& file, double scale) {
  auto* row = new QWidget;
  QHBoxLayout* layout = rowOf(row);
  layout->setSpacing(4);
  auto* name = new QLabel(shortFile(file));
  name->setToolTip(file);
  auto* value = number(-10, 10, 0.1, 2, scale);
  value->setAccessibleName(QStringLiteral("Scale of %1").arg(shortFile(file)));
  auto* remove = new QToolButton;
  remove->setText(QStringLiteral("✕")), remove->setToolTip(QStringLiteral("Without this LoRA"));
  layout->addWidget(name), layout->addWidget(new QLabel(QStringLiteral("×"))), layout->addWidget(value), layout->addWidget(remove);
  loraRows_->addWidget(row);
  loras_.push_back({file, row, value});
  connect(value, &QDoubleSpinBox::valueChanged, this, &RecipeMore::changed);
  connect(remove, &QToolButton::clicked, this, [this, row] { removeLora(row); });
  Q_EMIT changed();
}

void RecipeMore::removeLora(const QWidget* row) {
  const auto found = std::find_if(loras_.begin(), loras_.end(), [row](const LoraRow& lora) { return lora.row == row; });
  if (found == loras_.end()) return;
  found->row->deleteLater();
  loras_.erase(found);
  Q_EMIT changed();
}

}  // namespace quantspot::views
