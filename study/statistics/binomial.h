// Counts against chance. Plain C++, so that any program may use it.
#pragma once

namespace quantspot::statistics {

struct Interval {
  double low = 0, high = 1;
};

// Wilson's score interval of a proportion: correct of trials, with z = 1.96 for 95 %. Source: Wilson, JASA 22 (1927);
// oracle: scipy.stats.binomtest(…).proportion_ci(method="wilson"). No trials: [0, 1]. Throws std::invalid_argument
// unless 0 ≤ correct ≤ trials.
Interval wilson(int correct, int trials, double z = 1.959963984540054);

// Exact interval of a proportion: never covers less than the level. Source: Clopper and Pearson, Biometrika 26 (1934); oracle:
// scipy.stats.binomtest(…).proportion_ci(method="exact"). No trials: [0, 1]. Throws like wilson.
Interval clopperPearson(int correct, int trials, double level = 0.95);

// The same of a mean share: trials of which each was partly right, from 0 to 1. Counts need not be whole (Korn and Graubard 1998). A trial that can be
// partly right varies no more than one that is right or wrong, so this is wide rather than narrow. trials may be what they are worth,
// such as 7.5; none: [0, 1]. Throws std::invalid_argument unless 0 ≤ share ≤ 1 and trials ≥ 0, and like clopperPearson.
Interval clopperPearsonShare(double share, double trials, double level = 0.95);

enum class Alternative { Greater, Less, TwoSided };

// Exact p-value of correct out of trials when each is right with probability chance. TwoSided sums all outcomes that are
// no more likely than the observed one. Oracle: scipy.stats.binomtest. Throws std::invalid_argument like wilson, and for
// a chance outside [0, 1].
double binomialTest(int correct, int trials, double chance, Alternative alternative = Alternative::Greater);

}  // namespace quantspot::statistics
