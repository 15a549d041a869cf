// What nobody means who freezes a study. Apart from validate(), which every frozen study must pass for ever: what was frozen before a rule came
// stays readable.
#pragma once

#include "study/protocol.h"

namespace quantspot::study {

// validate(), and: variants without a name in one line, counts that no person can answer, exclusion rules below 0, questions without words, with one
// id twice or with an answer twice, rankings of more pictures than the screen shows, bits and costs of variants that there are not. Throws Error.
void validateNew(const Protocol& protocol);

}  // namespace quantspot::study
