#include "ui/views/draft_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalBlocker>

#include <algorithm>

namespace quantspot::views {
namespace {

class WheelGuard : public QObject {
 public:
  using QObject::QObject;

 protected:
  bool eventFilter(QObject*, QEvent* event) override {
    if (event->type() != QEvent::Wheel) return false;
    event->ignore();                       // so it goes to the parent
    return true;
  }
};

}  // namespace

void leaveWheelToPage(QWidget* field) {
  field->setFocusPolicy(Qt::StrongFocus);
  field->setAttribute(Qt::WA_NoMousePropagation, false);   // a chart has it, and would keep what it ignores
  field->installEventFilter(new WheelGuard(field));
}

DraftForm::DraftForm(ui::StudyDraft* draft, QWidget* parent) : QWidget(parent), draft_(draft), grid_(new QGridLayout(this)) {
  grid_->setContentsMargins(0, 0, 0, 0), grid_->setHorizontalSpacing(14), grid_->setVerticalSpacing(6);
  grid_->setColumnMinimumWidth(0, 170), grid_->setColumnStretch(1, 1);
}

void DraftForm::addRow(const QString& label, QWidget* field) {
  const int row = grid_->rowCount();
  if (!label.isEmpty()) {
    auto* text = new QLabel(label);
    text->setWordWrap(true), text->setBuddy(field);
    grid_->addWidget(text, row, 0, qobject_cast<QPlainTextEdit*>(field) ? Qt::AlignTop : Qt::AlignVCenter);
    field->setAccessibleName(label);
  }
  if (!qobject_cast<QPlainTextEdit*>(field)) leaveWheelToPage(field);
  const bool wide = qobject_cast<QLineEdit*>(field) || qobject_cast<QPlainTextEdit*>(field);
  grid_->addWidget(field, row, 1, wide ? Qt::Alignment() : Qt::AlignLeft);
}

void DraftForm::onChange(std::function<void(const P&)> refresh) {
  refresh(draft_->protocol());
  connect(draft_, &ui::StudyDraft::changed, this, [this, refresh] { refresh(draft_->protocol()); });
}

QDoubleSpinBox* DraftForm::addNumber(const QString& label, double most, int decimals, const QString& unit, const QString& zero,
                                     std::function<double(const P&)> get, std::function<void(P&, double)> set) {
  auto* box = new QDoubleSpinBox;
  box->setRange(0, most), box->setDecimals(decimals), box->setSuffix(unit), box->setMinimumWidth(110);
  box->setKeyboardTracking(false);
  if (!zero.isEmpty()) {
    constexpr int kAround = 24;              // frame and paddings, which the style's hint leaves out
    box->setSpecialValueText(zero);
    box->setMinimumWidth(std::max(110, box->fontMetrics().horizontalAdvance(zero) + kAround));
  }
  connect(box, &QDoubleSpinBox::valueChanged, this, [this, set](double value) { draft_->edit([&](P& p) { set(p, value); }); });
  onChange([box, get](const P& p) {
    const QSignalBlocker quiet(box);
    if (box->value() != get(p)) box->setValue(get(p));
  });
  addRow(label, box);
  return box;
}

QComboBox* DraftForm::addChoice(const QString& label, const QStringList& choices, std::function<int(const P&)> get,
    std::function<void(P&, int)> set) {
  auto* combo = new QComboBox;
  combo->addItems(choices);
  connect(combo, &QComboBox::activated, this, [this, set](int index) { draft_->edit([&](P& p) { set(p, index); }); });
  onChange([combo, get](const P& p) { combo->setCurrentIndex(get(p)); });
  addRow(label, combo);
  return combo;
}

QCheckBox* DraftForm::addFlag(const QString& label, std::function<bool(const P&)> get, std::function<void(P&, bool)> set) {
  auto* box = new QCheckBox(label);
  connect(box, &QCheckBox::clicked, this, [this, set](bool on) { draft_->edit([&](P& p) { set(p, on); }); });
  onChange([box, get](const P& p) { box->setChecked(get(p)); });
  addRow({}, box);
  return box;
}

QLineEdit* DraftForm::addLine(const QString& label, const QString& placeholder, std::function<QString(const P&)> get,
                              std::function<void(P&, const QString&)> set) {
  auto* line = new QLineEdit;
  line->setPlaceholderText(placeholder);
  connect(line, &QLineEdit::textEdited, this, [this, set](const QString& text) { draft_->edit([&](P& p) { set(p, text); }); });
  onChange([line, get](const P& p) { if (line->text() != get(p)) line->setText(get(p)); });
  addRow(label, line);
  return line;
}

QPlainTextEdit* DraftForm::addText(const QString& label, std::function<QString(const P&)> get, std::function<void(P&, const QString&)> set) {
  auto* edit = new QPlainTextEdit;
  edit->setFixedHeight(92), edit->setTabChangesFocus(true);
  onChange([edit, get](const P& p) {
    const QSignalBlocker quiet(edit);
    if (edit->toPlainText() != get(p)) edit->setPlainText(get(p));
  });
  connect(edit, &QPlainTextEdit::textChanged, this, [this, edit, set] { draft_->edit([&](P& p) { set(p, edit->toPlainText()); }); });
  addRow(label, edit);
  return edit;
}

void DraftForm::showOnly(QWidget* field, std::function<bool(const P&)> when) {
  const int index = grid_->indexOf(field);
  int row = 0, column = 0, rows = 0, columns = 0;
  grid_->getItemPosition(index, &row, &column, &rows, &columns);
  QWidget* label = grid_->itemAtPosition(row, 0) ? grid_->itemAtPosition(row, 0)->widget() : nullptr;
  onChange([field, label, when](const P& p) {
    field->setVisible(when(p));
    if (label) label->setVisible(when(p));
  });
}

QWidget* makeRulesForm(ui::StudyDraft* draft) {
  using P = study::Protocol;
  auto* form = new DraftForm(draft);
  form->addNumber(QObject::tr("People"), 100000, 0, {}, QObject::tr("not planned"), [](const P& p) { return p.participants; },
      [](P& p, double v) { p.participants = static_cast<int>(v); });
  form->addChoice(QObject::tr("Order of variants"), {QObject::tr("Balanced Latin square"), QObject::tr("Williams (neighbours balanced)"),
      QObject::tr("Random")},
                  [](const P& p) { return static_cast<int>(p.order); }, [](P& p, int i) { p.order = static_cast<study::OrderScheme>(i); });
  form->addNumber(QObject::tr("Practice trials"), 100, 0, {}, QObject::tr("none"), [](const P& p) { return p.practice; },
      [](P& p, double v) { p.practice = static_cast<int>(v); });
  form->addNumber(QObject::tr("Break after"), 1000, 0, QObject::tr(" trials"), QObject::tr("only between parts"),
      [](const P& p) { return p.break_every; },
                  [](P& p, double v) { p.break_every = static_cast<int>(v); });
  form->addNumber(QObject::tr("Look at least"), 600, 1, QObject::tr(" s"), QObject::tr("no minimum"), [](const P& p) { return p.min_viewing_s; },
      [](P& p, double v) { p.min_viewing_s = v; });
  form->addNumber(QObject::tr("Pictures vanish after"), 3600, 1, QObject::tr(" s"), QObject::tr("never"), [](const P& p) { return p.time_limit_s; },
      [](P& p, double v) { p.time_limit_s = v; });
  form->addChoice(QObject::tr("After an interruption"), {QObject::tr("Go on, on the same day"), QObject::tr("Go on with the next part"),
      QObject::tr("Begin anew")},
                  [](const P& p) { return static_cast<int>(p.resume); }, [](P& p, int i) { p.resume = static_cast<study::ResumePolicy>(i); });
  form->addFlag(QObject::tr("Zoom and pan"), [](const P& p) { return p.viewer.zoom; }, [](P& p, bool on) { p.viewer.zoom = on; });
  form->addFlag(QObject::tr("One picture in place of another (digits)"), [](const P& p) { return p.viewer.swap; },
      [](P& p, bool on) { p.viewer.swap = on; });
  form->addFlag(QObject::tr("Slider"), [](const P& p) { return p.viewer.slider; }, [](P& p, bool on) { p.viewer.slider = on; });
  form->addFlag(QObject::tr("Flicker of two"), [](const P& p) { return p.viewer.flicker; }, [](P& p, bool on) { p.viewer.flicker = on; });
  return form;
}

QWidget* makeConsentForm(ui::StudyDraft* draft) {
  using P = study::Protocol;
  auto* form = new DraftForm(draft);
  form->addText(QObject::tr("Consent text"), [](const P& p) { return p.consent_text; }, [](P& p, const QString& text) { p.consent_text = text; });
  form->addLine(QObject::tr("Its version"), {}, [](const P& p) { return p.consent_version; },
      [](P& p, const QString& text) { p.consent_version = text; });
  form->addNumber(QObject::tr("Colour-vision check before the first trial"), 6, 0, QObject::tr(" plates per axis"), QObject::tr("none"),
      [](const P& p) { return p.colour_plates; }, [](P& p, double v) {
        p.colour_plates = static_cast<int>(v);
        p.exclusion.min_plates_read = std::min(p.exclusion.min_plates_read, 3 * p.colour_plates);
      })->setToolTip(QObject::tr("Numbers of dots that differ in colour alone: one that everybody reads, and so many each for the red, green and "
                                 "blue cones. It tells who may not see on this screen what others see; it is no diagnosis"));
  form->addLine(QObject::tr("Records are kept until"), QStringLiteral("2027-12-31"), [](const P& p) { return p.retention_until; },
                [](P& p, const QString& text) { p.retention_until = text; });
  return form;
}

QWidget* makeStoppingForm(ui::StudyDraft* draft) {
  using P = study::Protocol;
  using study::StoppingRule;
  auto* form = new DraftForm(draft);
  form->addChoice(QObject::tr("The study stops"), {QObject::tr("when all planned people are done"), QObject::tr("by a sequential test (SPRT)"),
      QObject::tr("by an always-valid interval")},
                  [](const P& p) { return static_cast<int>(p.stopping.rule); }, [](P& p, int i) {
                    p.stopping.rule = static_cast<StoppingRule>(i);
                    if (p.stopping.rule == StoppingRule::Sprt
                        && p.stopping.null_rate == 0) p.stopping.null_rate = 0.5, p.stopping.alternative_rate = 0.65;
                  });
  const auto sprt = [](const P& p) { return p.stopping.rule == StoppingRule::Sprt; };
  const auto rate = [&](const QString& label, double study::Stopping::*field) {
    form->showOnly(form->addNumber(label, 100, 1, QObject::tr(" %"), {}, [field](const P& p) { return p.stopping.*field * 100; },
                                   [field](P& p, double v) { p.stopping.*field = v / 100; }), sprt);
  };
  rate(QObject::tr("Right if nothing is seen"), &study::Stopping::null_rate);
  rate(QObject::tr("Right if the effect is there"), &study::Stopping::alternative_rate);
  rate(QObject::tr("False alarms (alpha)"), &study::Stopping::alpha);
  rate(QObject::tr("Misses (beta)"), &study::Stopping::beta);
  form->showOnly(form->addNumber(QObject::tr("Interval tightest at"), 1e6, 0, QObject::tr(" trials"), {},
      [](const P& p) { return p.stopping.tuned_for; },
                                 [](P& p, double v) { p.stopping.tuned_for = static_cast<int>(v); }),
                 [](const P& p) { return p.stopping.rule == StoppingRule::AlwaysValid; });
  return form;
}

QWidget* makeAnalysisForm(ui::StudyDraft* draft) {
  using P = study::Protocol;
  auto* form = new DraftForm(draft);
  form->addNumber(QObject::tr("Leave out people with less than"), 100, 0, QObject::tr(" % of gold trials right"),
      QObject::tr("no rule on gold trials"),
                  [](const P& p) { return p.exclusion.min_gold_rate * 100; }, [](P& p, double v) { p.exclusion.min_gold_rate = v / 100; });
  form->addNumber(QObject::tr("… whose median answer is quicker than"), 100000, 0, QObject::tr(" ms"), QObject::tr("no rule on speed"),
                  [](const P& p) { return p.exclusion.min_median_ms; }, [](P& p, double v) { p.exclusion.min_median_ms = static_cast<int>(v); });
  auto* losses = form->addNumber(QObject::tr("… who looked away more often than"), 1000, 0, QObject::tr(" times"),
      QObject::tr("no rule on looking away"),
                  [](const P& p) { return p.exclusion.max_focus_losses; },
                      [](P& p, double v) { p.exclusion.max_focus_losses = static_cast<int>(v); });
  losses->setMinimum(-1), losses->setValue(draft->protocol().exclusion.max_focus_losses);
  form->showOnly(form->addNumber(QObject::tr("… who read fewer than"), 18, 0, QObject::tr(" plates of the colour-vision check"),
      QObject::tr("no rule on colour vision"), [](const P& p) { return p.exclusion.min_plates_read; },
      [](P& p, double v) { p.exclusion.min_plates_read = static_cast<int>(v); }), [](const P& p) { return p.colour_plates > 0; });
  form->addNumber(QObject::tr("“Not noticeable” means detected in less than"), 99, 0, QObject::tr(" %"), {},
      [](const P& p) { return p.analysis.margin * 100; },
                  [](P& p, double v) { p.analysis.margin = v / 100; });
  form->addNumber(QObject::tr("Level of intervals"), 99.9, 1, QObject::tr(" %"), {}, [](const P& p) { return p.analysis.level * 100; },
      [](P& p, double v) { p.analysis.level = v / 100; });
  form->addFlag(QObject::tr("The headline leaves excluded people out"), [](const P& p) { return p.analysis.exclude; },
      [](P& p, bool on) { p.analysis.exclude = on; });
  return form;
}

}  // namespace quantspot::views
