#include "study/methods.h"

#include "study/error.h"

namespace quantspot::study {

QString Method::line() const { return QStringLiteral("%1 Checked against %2.").arg(how, oracle); }

const std::vector<Method>& methods() {
  static const std::vector<Method> all{
      {"detection", "Different: how often it is seen",
       "Share right with Clopper and Pearson's exact interval, corrected for guessing: (rate − chance) / (1 − chance), not below 0; the one-sided "
       "exact binomial p-value is adjusted by Holm over variants. With the always-valid rule the interval is a confidence sequence.",
       "scipy.stats.binomtest, statsmodels (Holm), confseq"},
      {"mixed", "The average participant and prompt",
       "Logistic model with random intercepts for participants and prompts, Laplace's approximation, logit(chance) as offset. Student's t interval: "
       "Wald's error times the root of how much participants (and prompts) differ over how much they do by the fit, "
       "each with its own degrees of freedom. Pooled counts take all answers for independent; this does not.",
       "R lme4 (glmer)"},
      {"dprime", "d′: how far apart the two look",
       "Signal detection for the kind of trial (m-AFC, ABX by differencing and by independent observation, oddity, same–different); "
       "the exact interval "
       "of the rate is carried over, for same–different the reach of both rates' exact intervals (least and largest d′ on the ellipse between them).",
       "R psyphy; intervals: sensR's printed ones"},
      {"confusion", "Right and wrong answers", "Counts of main trials with a right answer.", "an independent count (rederive.py)"},
      {"psychometric", "Right answers against bits per weight",
       "Logistic curve from chance to 1 by maximum likelihood; threshold half-way. Intervals by the likelihood ratio (profile likelihood), as far as "
       "three tenths of an answer at any one level may move them; the JND's from the slope's; "
       "\"at least\" and \"at most\" where steps or a level line fit as well; "
       "both lie level in the chart, at half and three quarters of the way; the points carry exact intervals.",
       "R glm with psyphy's link mafc.logit"},
      {"preference", "Better or worse than the reference",
       "Bradley–Terry abilities on the logit scale with Davidson's ties and the order effect of Davidson and Beaver, the reference at 0, "
       "Wald intervals. Where a variant never lost or never won (separation) Firth's bias-reduced fit is given, and said.",
       "R BradleyTerry2 and brglm2; Davidson's ties: independent maximizations in R and scipy"},
      {"rating", "Opinion scores",
       "Mean over participants; Wilson's interval on the scale from 1 to 5, of as many participants as the variance is worth, with Student's t; "
       "quality without the participants' bias by ITU-T P.910's model; screening by BT.500; "
       "Krippendorff's α, ordinal, with Wilson's interval of as many things as its variance is worth (the jackknife's, mixed with the binomial one); "
       "none below 30 pictures, or where ratings are too one-sided.",
       "sureal, krippendorff (Python)"},
      {"ranking", "Rankings", "Plackett–Luce abilities, the reference at 0, Wald intervals; bias-reduced where separated.", "choix (Python)"},
      {"response_times", "Response times", "Quantiles 5, 25, 50, 75 and 95 % of main trials, linear between neighbours (type 7).",
       "an independent computation (rederive.py)"},
      {"participants", "Participants", "Share right per participant with Clopper and Pearson's exact interval.", "scipy.stats.binomtest"},
      {"prompts", "Prompts", "Share right per prompt with Clopper and Pearson's exact interval.", "scipy.stats.binomtest"},
      {"quality", "Checks on the answers",
       "Gold trials show an obvious corruption, null trials equal pictures, repeats an earlier trial; the p-value of even null answers is χ².",
       "scipy.stats.chisquare"},
      {"visibility", "Variants by how visible they are",
       "Detection corrected for guessing, each kind weighted by its trials; the exact interval of one kind, of several the root of the sum "
       "of their squared distances.",
       "an independent computation (rederive.py)"},
      {"questionnaires", "What people said",
       "Answers per step or choice over everybody who was not erased, the median step of a scale, free text as typed.",
       "an independent count (rederive.py, rederive.R)"},
      {"colour_vision", "Colour vision",
       "Numerals of dots that differ from their ground along a dichromat's confusion line alone, brightness drawn by chance (after Regan, Reffin and "
       "Mollon 1994). A screen of unknown colours is no diagnosis: it tells who may not see here what others see.",
       "an independent count (rederive.py)"},
      {"metrics", "Which metric predicts people",
       "Rank correlation (Spearman, Kendall τ-b) over pictures of a metric with detection and with preference; intervals through Fisher's z, whose "
       "variance is the jackknife's, mixed with that of normal data, with Student's t.",
       "scipy.stats.spearmanr, kendalltau"},
  };
  return all;
}

const Method& methodOf(const QString& figure) {
  for (const Method& method : methods())
    if (method.figure == figure) return method;
  throw Error(QStringLiteral("no method is written down for '%1'").arg(figure));
}

}  // namespace quantspot::study
