// Where models are found.
#pragma once

#include "engine/protocol/messages.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::service {

// $QUANTSPOT_DEFAULT_MODEL, else ../share/quantspot/default_model beside the program, else the source tree's.
std::filesystem::path defaultModel();
// Folders whose subfolders are models: those of $QUANTSPOT_MODELS (colon-separated), then the user's data folder.
std::vector<std::filesystem::path> modelFolders();
// "default", a folder, or the name of a listed model. Throws ModelError that names what there is.
std::filesystem::path resolveModel(const std::string& name);
// The embedded model first, then the others by name; what is no pipeline is left out.
protocol::ModelsListResult listModels();

}  // namespace quantspot::service
