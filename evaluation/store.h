// The folder of an evaluation, shared by any number of programs and hosts. Finished cells are kept under their name; what is
// damaged counts as absent and is made anew.
#pragma once

#include "evaluation/files.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

// One drawn cell. latents: after every call of the denoiser, one after another, float32 as the machine holds it; empty when not
// asked for.
struct Drawn {
  nlohmann::json report;       // of the engine
  Bytes png;
  Bytes latents;
  std::size_t latentCalls = 0;
};

// DIR/objects/ab/<key>.{json,png,latents}, DIR/scores/ab/<key>.json, DIR/features/ab/<key>, DIR/failures/<key>.json. Safe from any thread and
// process: each file is written whole, the JSON last. All throw WriteError with the path when the disk refuses.
class Store {
 public:
  explicit Store(std::filesystem::path folder);

  // Whether it is there, whole, and holds latents if they are wanted. Damaged files are removed.
  bool finished(const std::string& key, bool latents = false);
  std::optional<nlohmann::json> report(const std::string& key) const;
  Bytes png(const std::string& key) const;
  // SHA-256 of its pixels; empty when it is not there. Remembered.
  std::string pixels(const std::string& key) const;
  // Values of each call; empty when there are none.
  std::vector<std::vector<float>> latents(const std::string& key) const;
  void put(const std::string& key, const Drawn& drawn);
  // The picture also under this name, as a link where the disk can, else as a copy.
  void place(const std::string& key, const std::filesystem::path& at) const;

  std::optional<nlohmann::json> score(const std::string& key) const;
  void putScore(const std::string& key, const nlohmann::json& score);
  // A picture as a network sees it; nothing where it is absent or damaged.
  std::optional<std::vector<float>> features(const std::string& key) const;
  void putFeatures(const std::string& key, const std::vector<float>& features);

  // Why a cell could not be drawn, for the programs of one run; a later run tries again.
  void fail(const std::string& key, const std::string& run, const std::string& why);
  std::optional<std::string> failure(const std::string& key, const std::string& run) const;

  const std::filesystem::path& folder() const { return folder_; }
  double room() const;                   // bytes free there; infinite where that is not known

 private:
  std::filesystem::path object(const std::string& key, const char* ending) const;
  bool whole(const std::string& key, bool latents) const;

  struct Remembered {
    std::mutex mutex;
    std::map<std::string, std::string> pixels;
  };
  std::filesystem::path folder_;
  std::shared_ptr<Remembered> remembered_ = std::make_shared<Remembered>();   // of copies, too: a finished cell stays as it is
};

// The name of a score: what it says and of which pictures (by the hash of their pixels).
std::string scoreKey(const std::string& metric, const std::string& image, const std::string& against, const std::string& by);

}  // namespace quantspot::evaluation
