#include "engine/model/assembled.h"

#include "engine/model/config.h"
#include "engine/model/single/contents.h"
#include "engine/model/single/defaults.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

namespace quantspot::model {
namespace {

namespace fs = std::filesystem;

void linkFile(const fs::path& from, const fs::path& folder) {
  fs::create_directories(folder);
  if (!fs::exists(folder / from.filename())) fs::create_symlink(fs::absolute(from), folder / from.filename());
}

void linkFiles(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file()) linkFile(entry.path(), to);
}

void writeJson(const fs::path& file, const nlohmann::json& json) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << json.dump(2);
}

// A part and the file that it is in.
struct Source {
  fs::path file;
  FoundPart part;
};

class Assembly {
 public:
  Assembly(const fs::path& file, const fs::path& parts) : file_(file), parts_(parts), own_(contentsOf(file)) {
    const std::string id = familyOf(own_);
    if (id.empty())
      throw ModelError(fmt::format("{}: holds neither a transformer of FLUX, Stable Diffusion 3 or DiT nor a UNet of Stable Diffusion{}",
                                   file.string(), whatElse()));
    family_ = &singleFamily(id);
    if (!parts.empty()) checkParts();
    for (const SinglePart& part : family_->parts) find(part);
    for (const auto& [folder, needed] : family_->tokenizers)
      if (!isAbsent(folder) && !hasTokenizer(folder, needed))
        missing_.push_back(fmt::format("{} is missing: {} with its {} is needed", folder, given(folder), needed));
  }

  FileSummary summary() const { return {family_->id, static_cast<std::int64_t>(fs::file_size(file_)), missing_}; }

  void fill(const fs::path& folder) const {
    if (!missing_.empty())
      throw ModelError(fmt::format("{}: {}{}", file_.string(), fmt::join(missing_, "; "), parts_.empty() ? "; name a folder that lends it with --parts" : ""));
    nlohmann::json denoiser;
    for (const SinglePart& part : family_->parts) {
      if (isAbsent(part.name)) continue;
      if (const auto found = sources_.find(part.name); found != sources_.end()) fillPart(folder, part, found->second);
      else linkFiles(parts_ / part.name, folder / part.name);
      if (part.kind == "unet" || part.kind == "flux") denoiser = readJson(folder / part.name / "config.json");
    }
    for (const auto& [name, needed] : family_->tokenizers)
      if (!isAbsent(name)) linkFiles(parts_ / name, folder / name);
    if (!parts_.empty() && fs::exists(parts_ / "scheduler/scheduler_config.json")) linkFiles(parts_ / "scheduler", folder / "scheduler");
    else writeJson(folder / "scheduler/scheduler_config.json", defaultScheduler(*family_, denoiser));
    for (const std::string_view top : {"model_index.json", "quantspot.json"}) {
      if (!absent_.empty() && top == "model_index.json") continue;   // it may name them
      if (!parts_.empty() && fs::exists(parts_ / top)) linkFile(parts_ / top, folder);
    }
    if (!fs::exists(folder / "model_index.json")) writeJson(folder / "model_index.json", defaultIndex(*family_, absent_));
  }

 private:
  std::string whatElse() const {
    std::vector<std::string> kinds;
    for (const FoundPart& part : own_) kinds.push_back(part.kind);
    return kinds.empty() ? "; its naming is not known" : fmt::format(", but: {}", fmt::join(kinds, ", "));
  }
  std::string given(const std::string& name) const { return parts_.empty() ? "a folder " + name : (parts_ / name).string(); }

  void checkParts() const {
    if (!fs::is_directory(parts_)) throw ModelError(fmt::format("{}: there is no such folder; it should lend parts to {}", parts_.string(), file_.filename().string()));
    if (!fs::exists(parts_ / "model_index.json")) return;
    const auto name = Config(parts_ / "model_index.json").get<std::string>("_class_name", "");
    if (name != family_->pipeline)
      throw ModelError(fmt::format("{}: is a {}; {} needs the parts of a {}", parts_.string(), name, file_.filename().string(), family_->pipeline));
  }

  bool isAbsent(const std::string& name) const { return std::ranges::find(absent_, name) != absent_.end(); }
  bool hasTokenizer(const std::string& folder, const std::string& needed) const {
    return !parts_.empty() && (fs::exists(parts_ / folder / needed) || fs::exists(parts_ / folder / "tokenizer.json"));
  }

  void find(const SinglePart& part) {
    std::optional<Source> source;
    if (const FoundPart* own = findPart(own_, part.kind)) source = Source{file_, *own};
    else if (!parts_.empty() && fs::exists(parts_ / part.name / "config.json")) return;   // the folder as a whole
    else source = looseFile(part.kind);
    if (!source && part.leftOutWith) absent_.insert(absent_.end(), {part.name, part.leftOutWith});
    else if (!source)
      missing_.push_back(fmt::format("{} is missing: the file does not hold it{}", part.name, parts_.empty() ? "" : fmt::format(", nor does {}", parts_.string())));
    else if (source->part.config.is_null() && (parts_.empty() || !fs::exists(parts_ / part.name / "config.json")))
      missing_.push_back(fmt::format("{} is missing: its config.json cannot be read off the file; it is needed as {}", part.name, given(part.name + "/config.json")));
    else sources_.emplace(part.name, std::move(*source));
  }

  std::optional<Source> looseFile(const std::string& kind) const {
    if (parts_.empty()) return {};
    for (const auto& entry : fs::directory_iterator(parts_)) {
      if (!entry.is_regular_file() || entry.path().extension() != ".safetensors") continue;
      const auto parts = contentsOf(entry.path());
      if (const FoundPart* part = findPart(parts, kind)) return Source{entry.path(), *part};
    }
    return {};
  }

  void fillPart(const fs::path& folder, const SinglePart& part, const Source& source) const {
    const bool unitProjection = family_->id == "sd3" && part.kind == "clip";
    Views views = source.part.views;
    if (unitProjection) views.erase("text_projection.weight");
    saveViews(folder / part.name, source.file, views);
    const fs::path lent = parts_ / part.name / "config.json";
    const bool isLent = !parts_.empty() && fs::exists(lent);
    if (isLent && !unitProjection) return linkFile(lent, folder / part.name);
    nlohmann::json config = isLent ? readJson(lent) : source.part.config;
    complete(config, *family_, part.kind);
    writeJson(folder / part.name / "config.json", config);
  }

  fs::path file_, parts_;
  std::vector<FoundPart> own_;
  const SingleFamily* family_ = nullptr;
  std::map<std::string, Source> sources_;   // by the part's name; the others come as folders
  std::vector<std::string> missing_, absent_;   // absent: what the pipeline does without
};

}  // namespace

FileSummary inspectFile(const fs::path& file, const fs::path& parts) { return Assembly(file, parts).summary(); }

AssembledPipeline::AssembledPipeline(const fs::path& file, const fs::path& parts) {
  const Assembly assembly(file, parts);
  std::string pattern = (fs::temp_directory_path() / "quantspot-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw ModelError(fmt::format("{}: a temporary folder cannot be made", pattern));
  temporary_ = pattern;
  folder_ = temporary_ / file.stem();
  try {
    assembly.fill(folder_);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
    throw;
  }
}

AssembledPipeline::~AssembledPipeline() {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);   // links go, not what they lead to
}

}  // namespace quantspot::model
