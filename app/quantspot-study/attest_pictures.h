// What can be known of pictures in a folder, into the protocol that is frozen with them.
#pragma once

#include "study/freeze.h"

namespace quantspot::cli {

// Adds to every comparison what ui/models/picture_facts.h tells of its pictures, beside what the protocol attests already. Throws study::Error for
// what must not be compared, for a picture that is not the one that the protocol attests, and, unless overruled, for one that looks broken.
void attestPictures(study::Protocol& protocol, const study::Pictures& pictures, bool overrule);

}  // namespace quantspot::cli
