// Pseudo-isochromatic plates, made here: dots of many sizes, a numeral that differs from its ground in colour alone, along a confusion line.
//
// Method: B. C. Regan, J. P. Reffin, J. D. Mollon, "Luminance noise and the rapid determination of discrimination ellipses in colour deficiency",
// Vision Research 34 (1994), 1279–1299: confusion lines in CIE 1976 u′v′ through a neutral ground, noise in the luminance and the size of dots.
// Numerals, sizes and draws are ours; no printed plate was copied. Colours are those of an sRGB screen: on another screen, or in coloured light, a
// plate may fail people who see colours well, so it is no diagnosis.
#pragma once

#include "study/colour_vision.h"

#include <QRgb>

#include <vector>

namespace quantspot::ui {

// Of a plate with radius 1 around the origin, y downwards.
struct PlateDot {
  double x = 0, y = 0, radius = 0;
  QRgb colour = 0;
  bool figure = false;                 // of the numeral; not for screens
};

// The same plate gives the same dots on every computer. Figure and ground have the same spread of luminance; the control's numeral is lighter.
std::vector<PlateDot> plateDots(const study::PlannedPlate& plate);

}  // namespace quantspot::ui
