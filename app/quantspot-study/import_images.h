// "import-images": pictures made elsewhere as comparisons from which a study is frozen.
#pragma once

#include "app/quantspot-study/commands.h"

namespace quantspot::cli {

// Writes OUT/COMPARISON/VARIANT.png, the pixels alone, and OUT/protocol.json to begin a study with. arguments.file: a folder or list as evaluation/
// picture_list.h reads it. OUT appears when all of it is there. Throws study::Error with every offender, UsageError.
QJsonObject importImages(const StudyArguments& arguments);

}  // namespace quantspot::cli
