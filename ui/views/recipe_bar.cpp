#include "ui/views/recipe_bar.h"

#include "ui/views/icons.h"
#include "ui/views/theme.h"

#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QFile>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRandomGenerator>
#include <QRegularExpression>
#include <QSpinBox>
#include <QToolButton>

namespace quantspot::views {
namespace {

constexpr auto kFirstPrompt = "a fox on a yellow background";
constexpr auto kEmbedded = "default";             // the engine's name of its own model
constexpr int kSizeMultiple = 16, kMaximumSeed = 999999;

QStringList readPrompts() {
  QFile file(QStringLiteral(":/prompts.txt"));
  if (!file.open(QIODevice::ReadOnly)) return {QString::fromLatin1(kFirstPrompt)};
  return QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts);
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
      negative_(new QLineEdit), seed_(new QSpinBox), steps_(new QSpinBox), guidance_(new QDoubleSpinBox), trueCfg_(new QDoubleSpinBox),
      newSeed_(new QToolButton), more_(new QToolButton), prompts_(readPrompts()) {
  setObjectName(QStringLiteral("recipeBar"));
  setAttribute(Qt::WA_StyledBackground);
  model_->setMinimumWidth(190), model_->setAccessibleName(QStringLiteral("Model"));
  prompt_->setAccessibleName(QStringLiteral("Prompt")), prompt_->setPlaceholderText(QStringLiteral("what the picture shows"));
  random_ = prompt_->addAction(QIcon(), QLineEdit::TrailingPosition);
  random_->setToolTip(QStringLiteral("Another prompt by chance"));
  newSeed_->setToolTip(QStringLiteral("Another seed by chance")), newSeed_->setAccessibleName(QStringLiteral("Another seed"));
  seed_->setRange(0, kMaximumSeed), seed_->setValue(7), seed_->setFixedWidth(82);
  steps_->setRange(1, 200), steps_->setValue(20), steps_->setFixedWidth(58);
  size_->setEditable(true), size_->setFixedWidth(112);
  for (const QSize& s : {QSize(128, 128), QSize(192, 128), QSize(128, 192), QSize(256, 256)}) size_->addItem(sizeText(s.width(), s.height()));
  size_->setAccessibleName(QStringLiteral("Size")), size_->setToolTip(QStringLiteral("Width×height, multiples of 16"));
  guidance_->setRange(0, 30), guidance_->setSingleStep(0.5), guidance_->setDecimals(1), guidance_->setFixedWidth(64);
  guidance_->setSpecialValueText(QStringLiteral("–"));
  setEmbedsGuidance(false);
  more_->setText(QStringLiteral("more")), more_->setCheckable(true), more_->setArrowType(Qt::RightArrow);
  more_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon), more_->setToolTip(QStringLiteral("Negative prompt, true CFG"));
  moreRow_ = makeMoreRow();

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
  layout->addLayout(first), layout->addLayout(second), layout->addWidget(moreRow_);
  connectChanges();
  paintIcons();
}

QWidget* RecipeBar::makeMoreRow() {
  auto* row = new QWidget;
  negative_->setAccessibleName(QStringLiteral("Negative prompt")), negative_->setPlaceholderText(QStringLiteral("what to keep away from"));
  trueCfg_->setRange(1, 30), trueCfg_->setSingleStep(0.5), trueCfg_->setDecimals(1), trueCfg_->setValue(1), trueCfg_->setFixedWidth(64);
  trueCfg_->setToolTip(QStringLiteral("Above 1 with a negative prompt: a second pass, twice the time"));
  auto* layout = new QHBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(8);
  layout->addWidget(caption(QStringLiteral("Negative prompt"), negative_)), layout->addWidget(negative_, 1), layout->addSpacing(8);
  layout->addWidget(caption(QStringLiteral("True CFG"), trueCfg_)), layout->addWidget(trueCfg_);
  row->hide();
  return row;
}

void RecipeBar::connectChanges() {
  connect(more_, &QToolButton::toggled, this, [this](bool open) {
    more_->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    moreRow_->setVisible(open);
  });
  connect(newSeed_, &QToolButton::clicked, this, [this] { seed_->setValue(QRandomGenerator::global()->bounded(10000)); });
  connect(random_, &QAction::triggered, this, &RecipeBar::randomPrompt);
  connect(model_, &QComboBox::activated, this, [this](int index) { Q_EMIT modelChosen(model_->itemData(index).toString()); });
  for (QLineEdit* edit : {prompt_, negative_}) connect(edit, &QLineEdit::textChanged, this, &RecipeBar::changed);
  for (QSpinBox* spin : {seed_, steps_}) connect(spin, &QSpinBox::valueChanged, this, &RecipeBar::changed);
  for (QDoubleSpinBox* spin : {guidance_, trueCfg_}) connect(spin, &QDoubleSpinBox::valueChanged, this, &RecipeBar::changed);
  connect(size_, &QComboBox::editTextChanged, this, &RecipeBar::changed);
}

protocol::Recipe RecipeBar::recipe() const {
  protocol::Recipe recipe;
  recipe.prompt = prompt_->text().trimmed().toStdString();
  recipe.seed = static_cast<std::uint64_t>(seed_->value());
  recipe.steps = steps_->value();
  const QSize size = parseSize(size_->currentText()).value_or(QSize(128, 128));
  recipe.width = size.width(), recipe.height = size.height();
  if (guidance_->isEnabled() && guidance_->value() > 0) recipe.guidance = guidance_->value();
  recipe.true_cfg = trueCfg_->value();
  if (const QString negative = negative_->text().trimmed(); !negative.isEmpty()) recipe.negative_prompt = negative.toStdString();
  return recipe;
}

void RecipeBar::setRecipe(const protocol::Recipe& recipe) {
  prompt_->setText(QString::fromStdString(recipe.prompt)), prompt_->setCursorPosition(0);
  seed_->setValue(static_cast<int>(std::min<std::uint64_t>(recipe.seed, kMaximumSeed)));
  steps_->setValue(recipe.steps);
  size_->setEditText(sizeText(recipe.width, recipe.height));
  if (recipe.guidance && guidance_->isEnabled()) guidance_->setValue(*recipe.guidance);
  trueCfg_->setValue(recipe.true_cfg);
}

QString RecipeBar::problem() const {
  if (prompt_->text().trimmed().isEmpty()) return QStringLiteral("Type a prompt, or press the dice");
  const auto size = parseSize(size_->currentText());
  if (!size) return QStringLiteral("Write the size as width×height, for example 128×128");
  for (const int side : {size->width(), size->height()}) {
    const int below = side / kSizeMultiple * kSizeMultiple;
    if (side < kSizeMultiple) return QStringLiteral("Sizes start at %1").arg(kSizeMultiple);
    if (side != below) return QStringLiteral("Sizes are multiples of 16: %1 or %2 instead of %3").arg(below).arg(below + kSizeMultiple).arg(side);
  }
  return {};
}

void RecipeBar::setModels(const std::vector<protocol::ModelEntry>& models, const QString& chosen) {
  model_->clear();
  for (const auto& model : models) {
    const bool embedded = model.name == kEmbedded;
    model_->addItem(embedded ? QStringLiteral("Emoji-Flux (built in)") : QString::fromStdString(model.name),
                    QString::fromStdString(embedded ? model.name : model.path));
  }
  model_->setCurrentIndex(std::max(0, model_->findData(chosen)));
}

void RecipeBar::setEmbedsGuidance(bool embeds) {
  guidance_->setEnabled(embeds);
  if (!embeds) guidance_->setValue(0);
  guidance_->setToolTip(embeds ? QStringLiteral("–: the model's own default") : QStringLiteral("This model embeds no guidance"));
}

void RecipeBar::nextSeed() { seed_->setValue(seed_->value() >= kMaximumSeed ? 0 : seed_->value() + 1); }
void RecipeBar::focusPrompt() { prompt_->setFocus(), prompt_->end(false); }

void RecipeBar::randomPrompt() {
  const QString before = prompt_->text();
  for (int attempt = 0; attempt < 8 && prompt_->text() == before; ++attempt)
    prompt_->setText(prompts_[QRandomGenerator::global()->bounded(prompts_.size())].trimmed());
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
