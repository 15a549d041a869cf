// d′: how far apart two kinds of pictures are for the eye, in standard deviations of its noise. Source: Macmillan & Creelman,
// Detection Theory (2005), chapters 7, 9 and 10; oracle: the R package psyphy.
#pragma once

#include "study/statistics/binomial.h"

#include <string_view>

namespace quantspot::statistics {

// Mafc: which of m is the quantized one. AbxDifferencing, AbxIndependent: is X A or B, by comparing X with A and B, or by
// judging all three by themselves. Oddity: which of three is odd.
enum class Task { Mafc, AbxDifferencing, AbxIndependent, Oddity };

// "mafc", "abx-differencing", "abx-independent", "oddity" ("triangle" is the same). Throws std::invalid_argument for another.
Task taskFromName(std::string_view name);

// Share of right answers by chance: 1/m, 1/2, 1/3.
double chanceRate(Task task, int m = 2);

// Expected share of right answers of an unbiased observer with this d′ ≥ 0. m counts for Mafc only (2 or more).
double rateFromDprime(Task task, double dprime, int m = 2);

// The inverse; 0 at or below chance, infinity for a rate of 1.
double dprimeFromRate(Task task, double rate, int m = 2);

struct Dprime {
  double value = 0;
  Interval interval;        // high is infinite when everything may be right
};
// From counts; the exact interval of the rate is carried over, which keeps its coverage because the map is monotone.
Dprime dprime(Task task, int correct, int trials, int m = 2, double level = 0.95);

// Same–different. differencing: one looks whether the two differ by more than a criterion; independent: one judges each and
// compares (unbiased: criterion from hits and false alarms).
struct SameDifferent {
  double dprime = 0, standard_error = 0;
  double criterion = 0;     // differencing: the smallest difference called different; independent: −(z(H) + z(F)) / 2
  Interval interval;        // not below 0; high is infinite where no false alarm or no miss was seen
};
// Rates strictly between 0 and 1. hit: share of "different" for different pairs, false_alarm: for equal pairs.
double sameDifferentDprime(bool differencing, double hit, double false_alarm);
// From counts. Where a rate would be 0 or 1, half a trial is added to every cell for the value and its error (log-linear rule). Interval: the
// least and the largest d′ on the quarter ellipses from the two rates to the ends of their exact intervals, at steps of 3° (MOVER, Zou and
// Donner, Statist. Med. 27 (2008), for what is no plain difference); the delta method fails near d′ = 0, where it held in 70 %. Throws
// std::invalid_argument for impossible counts.
SameDifferent sameDifferent(bool differencing, int hits, int different, int false_alarms, int same, double level = 0.95);

}  // namespace quantspot::statistics
