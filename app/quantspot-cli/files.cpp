#include "app/quantspot-cli/files.h"

#include "engine/model/safetensors.h"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;

std::ifstream open(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (fs::is_directory(path)) throw std::runtime_error("cannot read " + path.string() + ": it is a folder");
  if (!in) throw std::runtime_error("cannot read " + path.string() + ": " + std::strerror(errno));
  return in;
}

std::uint64_t parseSeed(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("seeds: '{}' is no whole number from 0; write 7 or 0..9 or 1,2,5", text));
  return value;
}

}  // namespace

std::vector<std::uint8_t> readFile(const fs::path& path) {
  std::ifstream in = open(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> readLines(const fs::path& path) {
  std::ifstream in = open(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

void checkFolder(const fs::path& path) {
  if (path.has_parent_path() && !fs::is_directory(path.parent_path()))
    throw std::runtime_error("cannot write " + path.string() + ": its folder does not exist");
}

void checkFile(const fs::path& file) {
  checkFolder(file);
  if (fs::is_directory(file)) throw std::runtime_error("cannot write " + file.string() + ": it is a folder");
}

void writeText(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string() + ": " + std::strerror(errno));
}

std::string dump(const nlohmann::json& json) { return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"; }
void writeJson(const fs::path& path, const nlohmann::json& json) { writeText(path, dump(json)); }
void printJson(const nlohmann::json& json) { std::fputs(dump(json).c_str(), stdout); }

at::Tensor readLatents(const fs::path& path) {
  const model::SafeTensors file(path);
  const auto& entries = file.entries();
  if (const auto named = entries.find("latents"); named != entries.end()) return file.copy(named->second);
  if (entries.size() == 1) return file.copy(entries.begin()->second);
  throw std::runtime_error(fmt::format("{} holds {} tensors and none is called 'latents'", path.string(), entries.size()));
}

std::array<int, 2> parsePair(const std::string& text) {
  std::array<int, 2> pair{};
  int read = 0;
  if ((std::sscanf(text.c_str(), "%dx%d%n", &pair[0], &pair[1], &read) == 2 ||
       std::sscanf(text.c_str(), "%d,%d%n", &pair[0], &pair[1], &read) == 2) &&
      static_cast<std::size_t>(read) == text.size())
    return pair;
  throw std::invalid_argument("'" + text + "' is no pair of numbers; write 640x480 or 3,5");
}

std::vector<std::string> splitCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

protocol::Lora parseLora(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || fs::exists(text)) return {text, 1};
  char* end = nullptr;
  const double scale = std::strtod(text.c_str() + colon + 1, &end);
  if (*end != '\0' || end == text.c_str() + colon + 1 || !std::isfinite(scale))
    throw std::invalid_argument(fmt::format("lora: '{}' ends in no number; write FILE or FILE:0.7", text));
  return {text.substr(0, colon), scale};
}

std::size_t parseCount(const char* option, const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 1000000)
    throw std::invalid_argument(fmt::format("{}: '{}' is no whole number from 1 to 1000000", option, text));
  return value;
}

std::vector<std::uint64_t> parseSeeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  for (const std::string& part : splitCommas(text)) {
    const std::size_t dots = part.find("..");
    const std::uint64_t first = parseSeed(std::string_view(part).substr(0, dots));
    const std::uint64_t last = dots == std::string::npos ? first : parseSeed(std::string_view(part).substr(dots + 2));
    if (last < first || last - first >= 100000) throw std::invalid_argument(fmt::format("seeds: '{}' is no range of up to 100000 seeds", part));
    for (std::uint64_t i = 0; i <= last - first; ++i) seeds.push_back(first + i);
  }
  if (seeds.empty()) throw std::invalid_argument("seeds: none given; write 7 or 0..9 or 1,2,5");
  return seeds;
}

}  // namespace quantspot::cli
