// Scores as they lie in the database: absent figures are left out, an infinite one (equal pictures) is "inf".
#pragma once

#include "study/types.h"

namespace quantspot::study {

QJsonObject toJson(const Scores& scores);
Scores scoresFromJson(const QJsonObject& json);

}  // namespace quantspot::study
