// How a figure is written in a sentence or a table: one rule in C++, rederive.py and rederive.R, so that equal figures give equal words.
#pragma once

#include <QString>

namespace quantspot::study {

// `digits` decimals (0 to 6), half away from zero, never "-0.00". The sixth decimal is rounded first, likewise: whoever derives a figure anew differs
// below it, and must not land on the other side of a half. What is not finite is "∞".
QString rounded(double value, int digits);

// "1 person", "2 people": a number with the word for what it counts.
QString counted(int count, const char* one, const char* many);

}  // namespace quantspot::study
