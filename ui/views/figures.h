// What the charts and the results show of one sample, taken from its report. Holds names: only for after the reveal.
#pragma once

#include "ui/models/comparison.h"

#include <QColor>

#include <array>
#include <optional>
#include <vector>

namespace quantspot::views {

enum Phase { Load, Encode, Denoise, Decode, PhaseCount };

struct Figures {
  QString precision, label;                // label: as the engine calls it; a repeat carries its number
  QColor color;
  double load = 0, encode = 0, decode = 0, total = 0;     // seconds; load includes quantizing
  std::vector<double> steps;               // seconds each
  std::array<double, PhaseCount> peak{};   // bytes: of the accelerator when there is one, else of the host above its idle engine
  double weights = 0;                      // bytes of all components
  bool timed = true, peaked = true;        // false: of a picture made elsewhere, whose list does not tell it; its 0 is none
  study::Scores scores;
  QStringList notes;                       // what the run says beside figures: what "auto" chose, what a LoRA does, layers held otherwise

  double highestPeak() const;
  double denoise() const;                  // seconds of all steps
  double phases() const;                   // seconds of all phases; 0 where only their total is known
};

inline constexpr char kUntold[] = "–";

// Samples without a picture are left out. Missing keys count as 0.
std::vector<Figures> figuresOf(const ui::ComparisonResult& comparison);
Figures figuresOf(const study::Sample& sample);

// "0.93 s", "1 min 12 s"
QString secondsText(double seconds);
// "318 MiB", "12.6 GiB": finer than for the estimate, because variants of a small model differ by megabytes.
QString peakText(double bytes);

}  // namespace quantspot::views
