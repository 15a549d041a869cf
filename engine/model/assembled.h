// A pipeline's folder for a transformer that comes alone, as one GGUF file.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>

namespace quantspot::model {

class GgufWeights;

// What FluxTransformer2DModel's config.json says of the tensors in the file. axes_dims_rope cannot be read off: it is that of FLUX.1,
// and where the width of a head is another, ModelError.
nlohmann::json fluxConfig(const GgufWeights& weights);

// A temporary folder of links: the parts' files, but the transformer's replaced by the GGUF file. Its config.json is the parts' own
// where they have one, else fluxConfig(). It goes with the object; the files linked to stay.
class AssembledPipeline {
 public:
  // Throws ModelError: no FLUX in the file, `parts` is no pipeline's folder.
  AssembledPipeline(const std::filesystem::path& gguf, const std::filesystem::path& parts);
  ~AssembledPipeline();
  AssembledPipeline(const AssembledPipeline&) = delete;
  AssembledPipeline& operator=(const AssembledPipeline&) = delete;

  const std::filesystem::path& folder() const { return folder_; }   // named like the file

 private:
  void fill(const std::filesystem::path& gguf, const std::filesystem::path& parts) const;

  std::filesystem::path temporary_, folder_;
};

}  // namespace quantspot::model
