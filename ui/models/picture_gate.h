// The look at pictures before people see them: what is broken, and what lies so far from the others that it may be.
#pragma once

#include <QImage>
#include <QMap>
#include <QString>

#include <optional>

namespace quantspot::ui {

// How far a picture lies from the reference, and whether it is a picture at all.
struct GateFigures {
  double psnr = 0;                     // dB, of RGB; infinite where equal
  double gmsd = 0;                     // gradient magnitude similarity deviation (Xue et al. 2013), as metrics/gmsd.h; 0 where equal
  double smoothness = 1;               // correlation of the luma with that of the pixel to the right; noise has none
  std::optional<double> lpips = {};    // where it was measured
};

// Both RGB888 and of one size, at least 4 pixels a side.
GateFigures gateFigures(const QImage& image, const QImage& reference);
double psnrOf(const QImage& image, const QImage& reference);
double smoothnessOf(const QImage& image);

// Which variant looks broken, and by which figure; empty when none does. `reference_smoothness`: of the reference's picture. The limits lie beyond
// what precisions down to two bits did to pictures (docs/studies.md); a change of composition alone may pass them, so a person may overrule it.
QString suspicionOf(const QMap<QString, GateFigures>& variants, double reference_smoothness);

}  // namespace quantspot::ui
