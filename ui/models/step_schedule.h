// Policies that change over the steps, as the screen edits them: `bf16@0-3,bnb-nf4@4-`. The engine has the last word (quant/schedule.h states
// the grammar); this side only writes texts that mean what the rows say.
#pragma once

#include <QStringList>

#include <optional>
#include <vector>

namespace quantspot::ui {

struct StepSpan {
  int first = 0;                      // step from which it holds, counted from 0; to the next span's first, or to the end
  QString policy;
  bool operator==(const StepSpan&) const = default;
};

// One span for a text without "@". Nothing, when it has not the form of a schedule that begins at step 0 and leaves no step out.
std::optional<std::vector<StepSpan>> parseSteps(const QString& text);
QString stepsText(const std::vector<StepSpan>& spans);
bool changesOverSteps(const QString& text);
// "steps 0–3", "from step 4"; of a single span "all steps".
QString spanName(const std::vector<StepSpan>& spans, std::size_t at);

}  // namespace quantspot::ui
