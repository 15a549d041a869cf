// Where models are found.
#pragma once

#include "engine/protocol/messages.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::service {

struct Control;

// $QUANTSPOT_DEFAULT_MODEL, else ../share/quantspot/default_model beside the program, else the source tree's.
std::filesystem::path defaultModel();
// Folders whose subfolders are models: those of $QUANTSPOT_MODELS (colon-separated), then the user's data folder.
std::vector<std::filesystem::path> modelFolders();
// The pipeline's folder that `name` means: "default", a path, the name of a listed model, "owner/name" or "owner/name@revision" of the hub's
// cache. A single file (path or name) may have "?parts=" and a folder (or again a name) behind it that lends what it lacks; its folder of
// links stays until the process ends. Throws ModelError or HubError that names what there is.
std::filesystem::path resolveModel(const std::string& name);
// The embedded model first, then those of `more` and of modelFolders(), then the hub's cache; what is no pipeline is left out.
protocol::ModelsListResult listModels(const std::vector<std::filesystem::path>& more = {});
// From the hub that the environment names into its cache. Throws HubError, hub::Cancelled, invalid_argument: no name of a repository.
protocol::DownloadResult downloadModel(const protocol::DownloadParams& params, const Control& control);

}  // namespace quantspot::service
