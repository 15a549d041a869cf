// A pipeline's folder for what comes as one file: a transformer or UNet alone, or a whole checkpoint in its original naming.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::model {

struct FileSummary {
  std::string family;                    // "flux", "dit", "sd3", "sd", "sdxl"
  std::int64_t bytes = 0;                // of the file
  std::vector<std::string> missing;      // "text_encoder_2 is missing: …"
};

// What a pipeline of this safetensors or GGUF file would be, with the parts of a folder where it is not empty. Throws ModelError: damaged, a
// pickle, neither transformer nor UNet in it, a folder with another family's pipeline.
FileSummary inspectFile(const std::filesystem::path& file, const std::filesystem::path& parts = {});

// A temporary folder of links that loaders read as a diffusers pipeline. Every part is that of the file where it has it; else that of `parts`:
// of its folder of that name, or of a safetensors file that lies there. Configurations are those in `parts`, else read off the shapes with
// what the published models have (diffusers' from_single_file takes those). The folder goes with the object; the files linked to stay.
class AssembledPipeline {
 public:
  // Throws ModelError: what inspectFile() throws, and all that is missing in one line.
  AssembledPipeline(const std::filesystem::path& file, const std::filesystem::path& parts);
  ~AssembledPipeline();
  AssembledPipeline(const AssembledPipeline&) = delete;
  AssembledPipeline& operator=(const AssembledPipeline&) = delete;

  const std::filesystem::path& folder() const { return folder_; }   // named like the file

 private:
  std::filesystem::path temporary_, folder_;
};

}  // namespace quantspot::model
