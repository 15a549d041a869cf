#include "engine/service/judged_images.h"

#include "engine/model/sha256.h"
#include "evaluation/picture_file.h"
#include "metrics/image.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json readReport(const fs::path& path) try {
  return json::parse(std::ifstream(path));
} catch (const json::exception&) {
  throw std::runtime_error(path.string() + ": is no report (JSON)");
}

const json& arrayAt(const json& object, const char* key) {
  static const json none = json::array();
  return object.is_object() && object.contains(key) && object[key].is_array() ? object[key] : none;
}

class Reading {
 public:
  Reading(const quant::Policy& policy, const std::string& weightsHash) : policy_(policy.text()), weights_(weightsHash) {}

  std::vector<pipeline::JudgedImage> all(const fs::path& path);

 private:
  json reportOfComparison(const fs::path& file);
  std::vector<pipeline::JudgedImage> comparison(const fs::path& report, const json& whole) const;
  pipeline::JudgedImage picture(const fs::path& file, const json& report) const;
  bool isOurs(const json& report) const;

  const std::string policy_, weights_;
  fs::path root_;                                  // of the comparison that was looked into last
  std::map<std::string, json> reports_;            // its pictures' own, by file
};

bool Reading::isOurs(const json& report) const {
  const std::string said = report.value("policy", json::object()).value("text", report.value("precision", ""));
  return said == policy_ && report.value("model", json::object()).value("weights_sha256", "") == weights_;
}

// `report`: null when there is none.
pipeline::JudgedImage Reading::picture(const fs::path& file, const json& report) const {
  std::ifstream in(file, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in && bytes.empty()) throw std::runtime_error(file.string() + ": cannot be read");
  metrics::Image image;
  try {
    image = metrics::decodeImage(bytes);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(file.string() + ": " + error.what());
  }
  pipeline::JudgedImage judged{file.filename().string(), model::sha256Hex(bytes.data(), bytes.size()), model::sha256Hex(image.pixels.data(), image.pixels.size()), {}};
  if (report.is_null()) return judged;
  if (report.value("image_sha256", "") != judged.pixelHash) throw std::runtime_error(file.string() + ": is not the picture that its report speaks of (image_sha256)");
  judged.recipe = report.at("recipe").get<protocol::Recipe>();
  judged.recipe.strength = {};
  judged.scales = report.value("activation_scales", json());
  return judged;
}

std::vector<pipeline::JudgedImage> Reading::comparison(const fs::path& path, const json& whole) const {
  std::vector<pipeline::JudgedImage> found;
  bool samePolicy = false;
  for (const json& one : whole.at("comparisons"))
    for (const json& sample : one.at("samples")) {
      if (!sample.contains("report")) continue;
      const json& report = sample["report"];
      samePolicy |= report.value("policy", json::object()).value("text", "") == policy_;
      if (!isOurs(report)) continue;
      found.push_back(picture(path.parent_path() / sample.at("image").get<std::string>(), report));
      found.back().file = sample["image"].get<std::string>();
    }
  if (found.empty())
    throw std::runtime_error(fmt::format("{}: holds no picture of {}{}", path.string(), policy_, samePolicy ? " that was drawn with these weights" : ""));
  return found;
}

// A picture of COMPARISON/PRECISION/ whose report is in COMPARISON/report.json; null: it is none.
json Reading::reportOfComparison(const fs::path& file) {
  const fs::path at = fs::weakly_canonical(file), root = at.parent_path().parent_path();
  if (root != root_) {
    root_ = root, reports_.clear();
    std::ifstream in(root / "report.json");
    const json whole = json::parse(in, nullptr, false);   // anything else may lie there
    for (const json& one : arrayAt(whole, "comparisons"))
      for (const json& sample : arrayAt(one, "samples"))
        if (sample.is_object() && sample.contains("report") && sample.value("image", json()).is_string()) reports_[sample["image"]] = sample["report"];
  }
  const auto found = reports_.find(at.lexically_relative(root).generic_string());
  return found == reports_.end() ? json() : found->second;
}

std::vector<pipeline::JudgedImage> Reading::all(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::exists(path / "report.json")) return all(path / "report.json");
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path))
      if (evaluation::isPictureName(entry.path())) files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<pipeline::JudgedImage> found;
    for (const fs::path& file : files) found.push_back(all(file).front());
    if (found.empty()) throw std::runtime_error(path.string() + ": holds neither report.json nor pictures");
    return found;
  }
  if (!fs::exists(path)) throw std::runtime_error(path.string() + ": is not there");
  fs::path file = path, report = fs::path(path).replace_extension(".json");
  if (path.extension() == ".json") {
    const json whole = readReport(path);
    if (whole.contains("comparisons")) return comparison(path, whole);
    file.replace_extension(".png");
  }
  const json told = fs::exists(report) ? readReport(report) : reportOfComparison(file);
  if (told.is_null()) return {picture(file, nullptr)};
  if (!isOurs(told))
    throw std::runtime_error(fmt::format("{}: {} speaks of another variant than {} of these weights", file.string(),
                                         fs::exists(report) ? report.filename().string() : "the comparison's report.json", policy_));
  return {picture(file, told)};
}

}  // namespace

std::vector<pipeline::JudgedImage> judgedImages(const fs::path& path, const quant::Policy& policy, const std::string& weightsHash) {
  return Reading(policy, weightsHash).all(path);
}

}  // namespace quantspot::service
