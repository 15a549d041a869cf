#include "decision/evidence_files.h"

#include "decision/stored_zip.h"
#include "evaluation/summary.h"

#include <spdlog/fmt/fmt.h>

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace quantspot::decision {
namespace {

namespace fs = std::filesystem;

std::string textOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in || fs::is_directory(path)) throw std::runtime_error(fmt::format("{}: cannot be read", path.string()));
  return text;
}

nlohmann::json parsed(const std::string& text, const fs::path& path) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) throw std::runtime_error(fmt::format("{}: is no JSON", path.string()));
  return json;
}

bool holdsAnalysis(const fs::path& file) { return file.extension() == ".zip" || file.filename() == "analysis.json"; }

fs::path newestIn(const fs::path& folder) {
  fs::path newest;
  fs::file_time_type time = fs::file_time_type::min();
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && holdsAnalysis(entry.path()) && (newest.empty() || entry.last_write_time() > time))
      newest = entry.path(), time = entry.last_write_time();
  if (newest.empty()) throw std::runtime_error(fmt::format("{}: holds neither a study's bundle (.zip) nor an analysis.json", folder.string()));
  return newest;
}

std::string dateOf(const fs::path& path) {
  struct stat info {};
  std::tm time{};
  char text[16] = "";
  if (::stat(path.c_str(), &info) != 0 || !::localtime_r(&info.st_mtime, &time)) return {};
  std::strftime(text, sizeof text, "%Y-%m-%d", &time);
  return text;
}

}  // namespace

std::string readComparison(Evidence& evidence, const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "report.json" : path;
  const nlohmann::json report = parsed(textOf(file), file);
  addComparison(evidence, report, file.string(), dateOf(file));
  const auto model = report.find("model");
  return model != report.end() && model->is_string() ? model->get<std::string>() : "";
}

nlohmann::json readAnalysis(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? newestIn(path) : path;
  std::string text = textOf(file);
  if (text.starts_with("PK")) try {
    text = storedFile(text, "analysis.json");
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}; a sealed bundle holds no analysis: unlock the study and export it again", file.string(),
                                         error.what()));
  }
  return parsed(text, file);
}

std::vector<fs::path> findComparisons(const fs::path& folder, std::size_t most) {
  constexpr int kDeep = 2;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code none;
  const auto look = [&](const fs::path& path) {
    if (path.filename() == "report.json" && fs::is_regular_file(path, none)) found.emplace_back(fs::last_write_time(path, none), path);
  };
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, none);
  for (const fs::recursive_directory_iterator end; !none && at != end; at.increment(none)) {
    look(at->path());
    if (at.depth() >= kDeep || at->path().filename() == "store") at.disable_recursion_pending();   // a run's pictures
  }
  std::ranges::sort(found, std::ranges::greater());
  if (found.size() > most) found.resize(most);
  std::vector<fs::path> paths;
  for (auto& [time, path] : found) paths.push_back(std::move(path));
  return paths;
}

void readStudy(Evidence& evidence, const fs::path& path) { addStudy(evidence, readAnalysis(path), path.string(), dateOf(path)); }

void readRatings(Evidence& evidence, const fs::path& path) try {
  nlohmann::json told = nlohmann::json::object();
  for (const auto& [precision, figures] : evaluation::ratingsOf(readAnalysis(path))) {
    const evaluation::Estimate& rating = figures.at("rating");
    told[precision] = {{"value", rating.value}, {"n", rating.n}};
    if (rating.ci95) told[precision]["ci95"] = {rating.ci95->low, rating.ci95->high};
  }
  addRatings(evidence, told, path.string(), dateOf(path));
} catch (const std::runtime_error& error) {
  const std::string line = error.what(), name = path.string();
  throw std::runtime_error(line.starts_with(name) ? line : name + ": " + line);
}

}  // namespace quantspot::decision
