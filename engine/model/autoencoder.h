// AutoencoderKL and AutoencoderTiny, which all families share.
#pragma once

#include "engine/model/components.h"

namespace quantspot::model {

// `folder` is the part's own (it holds config.json).
std::unique_ptr<Autoencoder> loadVae(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
