// "Whatever fits": a row of the precision list that leaves the choice to the engine, within a limit. Its id is `auto?memory=6GiB`,
// `auto?error=0.1` or `auto` (what is free); the engine is asked for "auto" and told the limit.
#pragma once

#include <QString>

#include <optional>

namespace quantspot::ui {

struct AutoChoice {
  double gibibytes = 0;               // above 0: highest precision that needs no more
  double error = 0;                   // above 0: smallest policy whose latents are off those of bf16 by no more, as a share

  QString id() const;
  QString label() const;              // "Auto: up to 6 GiB"
};

// Nothing for an id that is no such choice.
std::optional<AutoChoice> parseAuto(const QString& id);

}  // namespace quantspot::ui
