// Another one whenever the code that packs weights is another.
#pragma once

namespace quantspot::pipeline {

extern const char* const kPackingRevision;   // made by the build

}  // namespace quantspot::pipeline
