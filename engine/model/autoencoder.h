// AutoencoderKL and AutoencoderTiny, which all families share.
#pragma once

#include "engine/model/components.h"

namespace quantspot::model {

struct VaeOptions {
  // latents have the mean and deviation of each channel that config.json names (SDXL's pipeline alone reads them)
  bool perChannel = false;
};

// `folder` is the part's own (it holds config.json).
std::unique_ptr<Autoencoder> loadVae(const std::filesystem::path& folder, const LoadOptions& options, const VaeOptions& vae = {});
// Whether its encoder draws numbers: the noise of image to image comes after them.
bool encodingDraws(const std::filesystem::path& folder);
std::unique_ptr<ImageEncoder> loadVaeEncoder(const std::filesystem::path& folder, const LoadOptions& options, const VaeOptions& vae = {});

}  // namespace quantspot::model
