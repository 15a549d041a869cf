#include "ui/views/decide_limits.h"

#include "decision/figures.h"
#include "evaluation/figures.h"
#include "ui/views/limit_slider.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr double kGiB = 1 << 30;

LimitSlider* slider(const QString& title, const std::vector<double>& stops, const std::function<QString(double)>& text,
                    const QString& any, const QString& tip) {
  QStringList texts;
  for (const double stop : stops) texts << text(stop);
  auto* made = new LimitSlider(title, stops, texts << any);
  made->setToolTip(tip);
  return made;
}

LimitSlider* memorySlider() {
  return slider(QStringLiteral("Memory at most"), {0.25, 0.375, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80},
                [](double stop) { return QStringLiteral("%1\u2009GiB").arg(stop); }, QStringLiteral("what it has"),
                QStringLiteral("Of the process (on a CPU) or of the GPU, at the peak of a picture"));
}

LimitSlider* timeSlider() {
  return slider(QStringLiteral("Time per picture at most"), {0.5, 1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600},
                [](double stop) { return QString::fromStdString(decision::seconds(stop)); }, QStringLiteral("any"),
                QStringLiteral("As it was measured on this machine at this size"));
}

LimitSlider* clipSlider() {
  const QString title = DecideLimits::tr("%1 may fall by").arg(QString::fromStdString(evaluation::scoreLabel("clip", "")));
  return slider(title, {-0.005, -0.01, -0.02, -0.03, -0.05, -0.1, -0.2},
                [](double stop) { return QStringLiteral("%1\u2009%").arg(-100 * stop); }, QStringLiteral("any"),
                QStringLiteral("The mean over the same prompts and seeds, against the reference: does the picture still show the prompt?"));
}

LimitSlider* psnrSlider() {
  return slider(QStringLiteral("PSNR at least"), {45, 40, 35, 30, 27, 24, 21, 18}, [](double stop) { return QStringLiteral("%1\u2009dB").arg(stop); },
                QStringLiteral("any"), QStringLiteral("Against the reference's picture of the same seed; above 40 dB it is nearly the same"));
}

LimitSlider* lpipsSlider() {
  return slider(QStringLiteral("LPIPS at most"), {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5}, [](double stop) { return QString::number(stop); },
                QStringLiteral("any"),
                QStringLiteral("Perceptual distance to the reference's picture of the same seed, of evaluations that measured it"));
}

LimitSlider* visibilitySlider() {
  return slider(QStringLiteral("May be noticed by"), {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5},
                [](double stop) { return QStringLiteral("%1\u2009% of people").arg(100 * stop); }, QStringLiteral("any"),
                QStringLiteral("As blind studies found: the upper end of the interval decides, so that few answers prove nothing"));
}

LimitSlider* ratingSlider() {
  return slider(QStringLiteral("Rated at least"), {4.5, 4, 3.5, 3, 2.5, 2},
                [](double stop) { return QStringLiteral("%1 of 5").arg(stop, 0, 'f', 1); },
                QStringLiteral("any"),
                QStringLiteral("People's mean grade: of “Rate 1–5” on the Compare page, or of a study with rating trials. The lower end of its "
                               "interval must reach the limit; where the interval holds it, the precision stays open"));
}

}  // namespace

DecideLimits::DecideLimits(QWidget* parent)
    : QWidget(parent), hardware_(new QComboBox), memory_(memorySlider()), time_(timeSlider()), clip_(clipSlider()), psnr_(psnrSlider()),
      lpips_(lpipsSlider()), visibility_(visibilitySlider()), rating_(ratingSlider()),
      offload_(new QCheckBox(QStringLiteral("Weights may travel in every step"))) {
  auto* heading = new QLabel(QStringLiteral("Runs on"));
  heading->setProperty("role", "section");
  hardware_->setAccessibleName(QStringLiteral("Runs on"));
  hardware_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon), hardware_->setMinimumContentsLength(21);
  auto* where = new QVBoxLayout;
  where->addStretch(1), where->addWidget(heading), where->addWidget(hardware_);
  offload_->setChecked(true);
  offload_->setToolTip(QStringLiteral("Offload: blocks or layers come from RAM or disk when they are used. Less memory, more time."));
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(0, 0, 0, 0), grid->setHorizontalSpacing(18), grid->setVerticalSpacing(10);
  grid->addLayout(where, 0, 0), grid->addWidget(memory_, 0, 1), grid->addWidget(time_, 0, 2), grid->addWidget(offload_, 0, 3, 1, 2, Qt::AlignBottom);
  grid->addWidget(clip_, 1, 0), grid->addWidget(psnr_, 1, 1), grid->addWidget(lpips_, 1, 2), grid->addWidget(visibility_, 1, 3),
      grid->addWidget(rating_, 1, 4);
  for (int column = 0; column < 5; ++column) grid->setColumnStretch(column, 1);
  for (LimitSlider* one : {memory_, time_, clip_, psnr_, lpips_, visibility_, rating_})
    connect(one, &LimitSlider::changed, this, &DecideLimits::changed);
  connect(offload_, &QCheckBox::toggled, this, &DecideLimits::changed);
  connect(hardware_, &QComboBox::activated, this, &DecideLimits::hardwareChosen);
}

decision::Constraints DecideLimits::limits() const {
  decision::Constraints limits{.maxMemory = static_cast<std::int64_t>(memory_->value().value_or(0) * kGiB), .maxSeconds = time_->value().value_or(0)};
  limits.minClipChange = clip_->value(), limits.minPsnr = psnr_->value(), limits.maxLpips = lpips_->value(), limits.maxVisible = visibility_->value();
  limits.minRating = rating_->value();
  limits.offload = offload_->isChecked();
  return limits;
}

void DecideLimits::setLimits(const decision::Constraints& limits) {
  const QSignalBlocker quiet(this);
  const auto positive = [](double value) { return value > 0 ? std::optional(value) : std::nullopt; };
  memory_->setValue(positive(static_cast<double>(limits.maxMemory) / kGiB)), time_->setValue(positive(limits.maxSeconds));
  clip_->setValue(limits.minClipChange), psnr_->setValue(limits.minPsnr), lpips_->setValue(limits.maxLpips), visibility_->setValue(limits.maxVisible);
  rating_->setValue(limits.minRating);
  offload_->setChecked(limits.offload);
}

void DecideLimits::nameClip(const QString& score) { clip_->setTitle(tr("%1 may fall by").arg(score)); }

void DecideLimits::listHardware(const std::vector<decision::Hardware>& hardware, int index) {
  const QSignalBlocker quiet(hardware_);
  hardware_->clear();
  for (const decision::Hardware& one : hardware) {
    const QString memory = one.memory > 0 ? QString::fromStdString(decision::gib(one.memory)) : QStringLiteral("memory unknown");
    const QString name = QString::fromStdString(one.name).remove(QStringLiteral("(R)")).remove(QStringLiteral("(TM)"));
    hardware_->addItem(one.found ? QStringLiteral("%1, %2 %3").arg(name, memory, one.gpu ? QString() : QStringLiteral("free")).trimmed()
                                 : QStringLiteral("%1, %2").arg(name, memory));
    hardware_->setItemData(hardware_->count() - 1, QString::fromStdString(one.source), Qt::ToolTipRole);
  }
  hardware_->setCurrentIndex(index);
}

}  // namespace quantspot::views
