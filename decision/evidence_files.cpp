#include "decision/evidence_files.h"

#include "decision/stored_zip.h"

#include <spdlog/fmt/fmt.h>

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

}  // namespace

void readComparison(Evidence& evidence, const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "report.json" : path;
  addComparison(evidence, parsed(textOf(file), file), file.string());
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

void readStudy(Evidence& evidence, const fs::path& path) { addStudy(evidence, readAnalysis(path), path.string()); }

}  // namespace quantspot::decision
