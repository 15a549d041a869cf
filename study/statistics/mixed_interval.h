// How sure the average of people and prompts is, from how much they differ.
#pragma once

#include <cstddef>
#include <vector>

namespace quantspot::statistics {

// One participant or prompt: its distance from the mean on the logit scale, and the information of its answers. Other effects are known in part only,
// which shrinks logits: a distance is taken as it would be if they were known.
struct Deviation {
  double shift = 0, information = 0;
};

// Half the width of the interval of the mean over participants and, where `prompts` holds two or more, over prompts as well.
// Wald's interval takes the fitted spreads for the true ones; with few people or prompts they are too small too often, and 0 at times. Here
// Wald's variance is multiplied by what the groups' own means vary by over what they should by the fit. Participants alone: Student's t with
// participants − 1 degrees of freedom, which in a balanced normal model is exact whatever the true spread. Answers are whole: of few,
// participants are often equal by rounding alone, so what rounding hides (1/12 of an answer squared, Sheppard) is added to how far they lie
// apart. Prompts add what they differ by, and chance, which is in both, is taken off once; each part counts with its own t squared, chance with
// the normal quantile squared (Graybill and Wang, JASA 75 (1980), for sums and differences of variances): one number of degrees of freedom
// for the sum (Satterthwaite) is too many where prompts are few. Groups weigh as in the fit, 1 / (sd² + 1 / information); at least two
// participants.
double meanHalfWidth(double standard_error, const std::vector<Deviation>& participants, double participant_sd,
                     const std::vector<Deviation>& prompts, double prompt_sd, double level);

}  // namespace quantspot::statistics
