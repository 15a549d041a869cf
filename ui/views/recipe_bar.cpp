#include "ui/views/recipe_bar.h"

#include "ui/views/icons.h"
#include "ui/views/path_dialog.h"
#include "ui/views/recipe_more.h"
#include "ui/views/theme.h"

#include <QAction>
#include <QComboBox>
#include <QCompleter>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QFile>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {

constexpr auto kFirstPrompt = "a fox on a yellow background";
constexpr auto kEmbedded = "default";             // the engine's name of its own model
constexpr int kMaximumSeed = 999999, kFirstClass = 207;   // a golden retriever
const QString kDownload = QStringLiteral("download"), kOpenFolder = QStringLiteral("open folder"), kOpenFile = QStringLiteral("open file");

QStringList linesOf(const QString& resource) {
  QFile file(resource);
  return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts) : QStringList();
}

QStringList readPrompts() {
  const QStringList lines = linesOf(QStringLiteral(":/prompts.txt"));
  return lines.isEmpty() ? QStringList{QString::fromLatin1(kFirstPrompt)} : lines;
}

// A sentence for each thing that the built-in model can draw ("a fox", "grapes").
QStringList readSentences() {
  QStringList lines = linesOf(QStringLiteral(":/names.txt"));
  for (QString& line : lines) line += QStringLiteral(" on a yellow background");
  return lines;
}

QLabel* caption(const QString& text, QWidget* buddy) {
  auto* label = new QLabel(text);
  label->setProperty("role", "quiet");
  label->setBuddy(buddy);
  return label;
}

QString sizeText(int width, int height) { return QStringLiteral("%1×%2").arg(width).arg(height); }

}  // namespace

std::optional<QSize> parseSize(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("^\\s*(\\d{1,5})\\s*[x×*, ]\\s*(\\d{1,5})\\s*$"));
  const auto match = pattern.match(text);
  if (!match.hasMatch()) return {};
  return QSize(match.captured(1).toInt(), match.captured(2).toInt());
}

RecipeBar::RecipeBar(QWidget* parent)
    : QWidget(parent), model_(new QComboBox), size_(new QComboBox), prompt_(new QLineEdit(QString::fromLatin1(kFirstPrompt))),
      seed_(new QSpinBox), steps_(new QSpinBox), guidance_(new QDoubleSpinBox), newSeed_(new QToolButton), more_(new QToolButton),
      details_(new RecipeMore), prompts_(readPrompts()) {
  setObjectName(QStringLiteral("recipeBar"));
  setAttribute(Qt::WA_StyledBackground);
  model_->setMinimumWidth(190), model_->setAccessibleName(QStringLiteral("Model"));
  prompt_->setAccessibleName(QStringLiteral("Prompt")), prompt_->setPlaceholderText(QStringLiteral("what the picture shows"));
  random_ = prompt_->addAction(QIcon(), QLineEdit::TrailingPosition);
  random_->setToolTip(QStringLiteral("Another prompt by chance"));
  if (auto* dice = prompt_->findChild<QToolButton*>()) dice->setAccessibleName(QStringLiteral("Another prompt"));
  newSeed_->setToolTip(QStringLiteral("Another seed by chance")), newSeed_->setAccessibleName(QStringLiteral("Another seed"));
  seed_->setRange(0, kMaximumSeed), seed_->setValue(7), seed_->setFixedWidth(82);
  steps_->setRange(1, 200), steps_->setValue(20), steps_->setFixedWidth(58);
  size_->setEditable(true), size_->setFixedWidth(112);
  fillSizes(0);
  size_->setAccessibleName(QStringLiteral("Size"));
  guidance_->setRange(0, 30), guidance_->setSingleStep(0.5), guidance_->setDecimals(1), guidance_->setFixedWidth(64);
  guidance_->setSpecialValueText(QStringLiteral("–"));
  setEmbedsGuidance(false);
  more_->setText(QStringLiteral("more")), more_->setCheckable(true), more_->setArrowType(Qt::RightArrow);
  more_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  more_->setToolTip(QStringLiteral("Negative prompt, scheduler, start picture, LoRA, offload"));
  details_->hide();

  auto* first = new QHBoxLayout;
  first->setSpacing(8);
  first->addWidget(caption(QStringLiteral("Model"), model_)), first->addWidget(model_), first->addSpacing(8);
  first->addWidget(caption(QStringLiteral("Prompt"), prompt_)), first->addWidget(prompt_, 1);
  auto* second = new QHBoxLayout;
  second->setSpacing(8);
  second->addWidget(caption(QStringLiteral("Seed"), seed_)), second->addWidget(seed_), second->addWidget(newSeed_), second->addSpacing(8);
  second->addWidget(caption(QStringLiteral("Steps"), steps_)), second->addWidget(steps_), second->addSpacing(12);
  second->addWidget(caption(QStringLiteral("Size"), size_)), second->addWidget(size_), second->addSpacing(12);
  second->addWidget(caption(QStringLiteral("Guidance"), guidance_)), second->addWidget(guidance_), second->addSpacing(12);
  second->addWidget(more_), second->addStretch(1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 10, 18, 10), layout->setSpacing(8);
  layout->addLayout(first), layout->addLayout(second), layout->addWidget(details_);
  connectChanges();
  paintIcons();
}

void RecipeBar::connectChanges() {
  connect(more_, &QToolButton::toggled, this, [this](bool open) {
    more_->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    details_->setVisible(open);
  });
  connect(newSeed_, &QToolButton::clicked, this, [this] { seed_->setValue(QRandomGenerator::global()->bounded(10000)); });
  connect(random_, &QAction::triggered, this, &RecipeBar::randomPrompt);
  connect(model_, &QComboBox::activated, this, &RecipeBar::chooseModel);
  connect(prompt_, &QLineEdit::textChanged, this, &RecipeBar::changed);
  connect(details_, &RecipeMore::changed, this, &RecipeBar::changed);
  for (QSpinBox* spin : {seed_, steps_}) connect(spin, &QSpinBox::valueChanged, this, &RecipeBar::changed);
  connect(guidance_, &QDoubleSpinBox::valueChanged, this, &RecipeBar::changed);
  connect(size_, &QComboBox::editTextChanged, this, &RecipeBar::changed);
}

protocol::Recipe RecipeBar::recipe() const {
  protocol::Recipe recipe;
  const QString prompt = prompt_->text().trimmed();
  recipe.prompt = (classes_.contains(prompt) ? prompt.section(u' ', 0, 0) : prompt).toStdString();   // of a class its number
  recipe.seed = static_cast<std::uint64_t>(seed_->value());
  recipe.steps = steps_->value();
  const QSize size = parseSize(size_->currentText()).value_or(QSize(128, 128));
  recipe.width = size.width(), recipe.height = size.height();
  if (guidance_->isEnabled() && guidance_->value() > 0) recipe.guidance = guidance_->value();
  details_->apply(recipe);
  return recipe;
}

void RecipeBar::setRecipe(const protocol::Recipe& recipe) {
  prompt_->setText(QString::fromStdString(recipe.prompt)), prompt_->setCursorPosition(0);
  seed_->setValue(static_cast<int>(std::min<std::uint64_t>(recipe.seed, kMaximumSeed)));
  if (recipe.steps > 0) steps_->setValue(recipe.steps);   // nobody told those of a picture made elsewhere
  size_->setEditText(sizeText(recipe.width, recipe.height));
  if (recipe.guidance && guidance_->isEnabled()) guidance_->setValue(*recipe.guidance);
  details_->setRecipe(recipe);
}

void RecipeBar::setStartPicture(const QImage& image) { details_->setPicture(image, QStringLiteral("as it was then")); }

QString RecipeBar::problem() const {
  if (chosen_ < static_cast<int>(models_.size()) && !models_[chosen_].missing.empty())
    return QStringLiteral("This model is not complete: %1").arg(QString::fromStdString(models_[chosen_].missing.front()));
  if (prompt_->text().trimmed().isEmpty())
    return classes_.isEmpty() ? QStringLiteral("Type a prompt, or press the dice") : QStringLiteral("Type a class, or press the dice");
  const auto size = parseSize(size_->currentText());
  if (!size) return QStringLiteral("Write the size as width×height, for example 128×128");
  for (const int side : {size->width(), size->height()}) {
    const int below = side / multiple_ * multiple_;
    if (side < multiple_) return QStringLiteral("Sizes start at %1").arg(multiple_);
    if (side != below)
      return QStringLiteral("Sizes are multiples of %1: %2 or %3 instead of %4").arg(multiple_).arg(below).arg(below + multiple_).arg(side);
  }
  return details_->problem();
}

void RecipeBar::setModels(const std::vector<protocol::ModelEntry>& models, const QString& chosen) {
  models_ = models;
  model_->clear();
  for (const auto& model : models) {
    const bool embedded = model.name == kEmbedded, whole = model.missing.empty();
    const QString name = embedded ? QStringLiteral("Emoji-Flux (built in)") : QString::fromStdString(model.name);
    model_->addItem(whole ? name : name + QStringLiteral(" (not complete)"), QString::fromStdString(embedded ? model.name : model.path));
    QStringList lines{QStringLiteral("%1, family %2").arg(QString::fromStdString(model.path), QString::fromStdString(model.family))};
    for (const std::string& missing : model.missing) lines << QString::fromStdString(missing);
    model_->setItemData(model_->count() - 1, lines.join(u'\n'), Qt::ToolTipRole);
  }
  model_->insertSeparator(model_->count());
  model_->addItem(QStringLiteral("Open folder…"), kOpenFolder);
  model_->setItemData(model_->count() - 1, QStringLiteral("A pipeline as diffusers stores it, with its model_index.json"), Qt::ToolTipRole);
  model_->addItem(QStringLiteral("Open file…"), kOpenFile);
  model_->setItemData(model_->count() - 1, QStringLiteral("A checkpoint in one .safetensors or .gguf file"), Qt::ToolTipRole);
  model_->addItem(QStringLiteral("Download model…"), kDownload);
  chosen_ = std::max(0, model_->findData(chosen));
  model_->setCurrentIndex(chosen_);
}

void RecipeBar::chooseModel(int row) {
  const QString chosen = model_->itemData(row).toString();
  if (chosen == kDownload || chosen == kOpenFolder || chosen == kOpenFile) {
    model_->setCurrentIndex(chosen_);
    if (chosen == kDownload) return Q_EMIT downloadWanted();
    const bool folder = chosen == kOpenFolder;
    const PathQuestion ofFolder{QStringLiteral("Folder of a model"), PathKind::Folder},
        ofFile{QStringLiteral("File of a model"), PathKind::File, {}, QStringLiteral("Models (*.safetensors *.gguf)")};
    askForPath(this, folder ? ofFolder : ofFile,
               [this](const QString& path) { Q_EMIT openWanted(path); });
    return;
  }
  chosen_ = row;
  Q_EMIT modelChosen(model_->itemData(row).toString());
  Q_EMIT changed();
}

// The model's own size and two others of its area; where it says none, small ones that any computer draws soon.
void RecipeBar::fillSizes(int own, bool square) {
  const QSignalBlocker quiet(size_);
  const QString before = size_->currentText();
  size_->clear();
  const auto snapped = [this](double side) { return std::max(1, qRound(side / multiple_)) * multiple_; };
  if (own > 0)
    for (const double ratio : square ? std::vector{1.0} : std::vector{1.0, 1.5, 1 / 1.5})
      size_->addItem(sizeText(snapped(own * std::sqrt(ratio)), snapped(own / std::sqrt(ratio))));
  else
    for (const QSize& s : {QSize(128, 128), QSize(192, 128), QSize(128, 192), QSize(256, 256)})
      size_->addItem(sizeText(snapped(s.width()), snapped(s.height())));
  if (own == 0 && !before.isEmpty()) size_->setEditText(before);
  size_->setToolTip(QStringLiteral("Width×height, multiples of %1").arg(multiple_));
}

void RecipeBar::setTraits(const protocol::ModelTraits& traits) {
  const bool read = classes_.isEmpty();
  multiple_ = std::max(1, traits.multiple);
  family_ = QString::fromStdString(traits.label);
  usualGuidance_ = traits.guidance;
  // An engine that was started again tells the same: what the user has set stays.
  const QString model = model_->currentData().toString(), size = size_->currentText();
  const bool known = model == traitsOf_;
  traitsOf_ = model;
  fillSizes(traits.width, !traits.classes.empty());   // DiT draws squares
  if (known) size_->setEditText(size);
  classes_.clear();
  for (const protocol::Choice& one : traits.classes) classes_ << QString::fromStdString(one.label.empty() ? one.id : one.id + ' ' + one.label);
  offerCompletions();
  prompt_->setPlaceholderText(classes_.isEmpty() ? QStringLiteral("what the picture shows")
                                                 : QStringLiteral("a class: its number or a piece of its name"));
  if (read != classes_.isEmpty())
    prompt_->setText(read ? classes_[std::min<qsizetype>(kFirstClass, classes_.size() - 1)] : QString::fromLatin1(kFirstPrompt));
  details_->setTraits(traits);
  setEmbedsGuidance(guidance_->isEnabled());
  Q_EMIT changed();
}

// Classes, where the model has them; of the built-in model what it knows.
void RecipeBar::offerCompletions() {
  static const QStringList sentences = readSentences();
  const bool embedded = traitsOf_ == QLatin1String(kEmbedded) && !sentences.isEmpty();
  auto* completer = !classes_.isEmpty() ? new QCompleter(classes_, prompt_) : embedded ? new QCompleter(sentences, prompt_) : nullptr;
  if (completer) completer->setFilterMode(Qt::MatchContains), completer->setCaseSensitivity(Qt::CaseInsensitive), completer->setMaxVisibleItems(12);
  prompt_->setCompleter(completer);
  prompt_->setToolTip(embedded ? QStringLiteral("The built-in model knows %1 emoji by name: type a piece of one").arg(QLocale(QLocale::English).toString(sentences.size())) : QString());
}

ui::RunOptions RecipeBar::options() const { return details_->options(parseSize(size_->currentText()).value_or(QSize(128, 128))); }

void RecipeBar::setEmbedsGuidance(bool embeds) {
  guidance_->setEnabled(embeds);
  if (!embeds) guidance_->setValue(0);
  const QString usual = usualGuidance_ > 0 ? QStringLiteral("–: %1, as usual for %2").arg(usualGuidance_).arg(family_)
                                           : QStringLiteral("–: the model's own default");
  guidance_->setToolTip(embeds ? usual : QStringLiteral("This model embeds no guidance"));
}

void RecipeBar::showMore() { more_->setChecked(true); }
void RecipeBar::nextSeed() { seed_->setValue(seed_->value() >= kMaximumSeed ? 0 : seed_->value() + 1); }
void RecipeBar::focusPrompt() { prompt_->setFocus(), prompt_->end(false); }

void RecipeBar::randomPrompt() {
  const QString before = prompt_->text();
  const QStringList& all = classes_.isEmpty() ? prompts_ : classes_;
  for (int attempt = 0; attempt < 8 && prompt_->text() == before; ++attempt)
    prompt_->setText(all[QRandomGenerator::global()->bounded(all.size())].trimmed());
}

void RecipeBar::paintIcons() {
  random_->setIcon(icon(Glyph::Dice, theme().quiet));
  newSeed_->setIcon(icon(Glyph::Reload, theme().quiet));
}

void RecipeBar::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) paintIcons();
  QWidget::changeEvent(event);
}

}  // namespace quantspot::views
