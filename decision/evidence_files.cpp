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

}  // namespace

void readComparison(Evidence& evidence, const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / "report.json" : path;
  addComparison(evidence, parsed(textOf(file), file), file.string());
}

void readStudy(Evidence& evidence, const fs::path& path) {
  std::string text = textOf(path);
  if (text.starts_with("PK")) try {
    text = storedFile(text, "analysis.json");
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}; a sealed bundle holds no analysis", path.string(), error.what()));
  }
  addStudy(evidence, parsed(text, path), path.string());
}

}  // namespace quantspot::decision
