// How sure the average of people and prompts is, from how much they differ.
#pragma once

#include "study/statistics/mixed_logistic.h"

namespace quantspot::statistics {

// So few prompts cannot show that prompts are alike.
inline constexpr std::size_t kFewPrompts = 5;

// One participant or prompt: its distance from the mean on the logit scale, and the information of its answers.
struct Deviation {
  double shift = 0, information = 0;
};

// Error and degrees of freedom of the mean over participants and, where `prompts` holds two or more, over prompts as well.
// Wald's interval takes the fitted spreads for the true ones; with few people they are too small too often, and 0 at times. Here Wald's variance is
// multiplied by what the groups' own means vary by over what they should by the fit, and Student's t has participants − 1 degrees of freedom: in a
// balanced normal model that is exact whatever the true spread. Answers are whole: of few, participants are often equal by rounding alone, so what
// rounding hides (1/12 of an answer squared, Sheppard) is added to how far they lie apart. Prompts add what they differ by more than chance alone lets them, and the degrees
// of freedom follow (Satterthwaite 1946); of fewer than kFewPrompts the degrees of freedom follow even where they differ by less. Groups weigh as in the fit, 1 / (sd² + 1 / information); at least two participants.
MeanSpread meanSpread(double standard_error, const std::vector<Deviation>& participants, double participant_sd, const std::vector<Deviation>& prompts,
                      double prompt_sd);

}  // namespace quantspot::statistics
