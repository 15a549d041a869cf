#include "evaluation/picture_list.h"

#include "evaluation/files.h"
#include "evaluation/prompt_set.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array<std::string_view, 6> kColumns = {"prompt", "seed", "precision", "file", "seconds", "bytes"};
constexpr std::size_t kLongestName = 120;

bool isPicture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 5> kRead = {".png", ".jpg", ".jpeg", ".webp", ".avif"};
  // Told by name, not missed.
  constexpr std::array<std::string_view, 10> kOthers = {".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".jxl", ".jp2", ".ppm", ".apng"};
  return std::ranges::find(kRead, ending) != kRead.end() || std::ranges::find(kOthers, ending) != kOthers.end();
}

// As JSON of ours must hold it.
bool isUtf8(const std::string& text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::type_error&) {
    return false;
  }
}

// One line of a table or one object of a list, as text; absent: empty.
using Row = std::map<std::string, std::string, std::less<>>;

template <class Number>
std::optional<Number> numberOf(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(static_cast<double>(value))) return {};
  return value;
}

class Listing {
 public:
  explicit Listing(fs::path root) : root_(fs::weakly_canonical(root)) {}

  void add(const Row& row, const std::string& where);
  std::vector<ListedComparison> finished();
  void offend(const std::string& where, const std::string& what) { offenders_.push_back(where + ": " + what); }

 private:
  fs::path inside(const std::string& file, const std::string& where);
  template <class Number>
  std::optional<Number> number(const Row& row, const char* key, const std::string& where);

  const fs::path root_;
  std::vector<std::string> offenders_;
  std::vector<ListedComparison> all_;
  std::map<std::pair<std::string, std::uint64_t>, std::size_t> known_;   // prompt, seed → place in all_
  std::set<fs::path> files_;
};

std::string textOf(const Row& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() ? std::string() : found->second;
}

template <class Number>
std::optional<Number> Listing::number(const Row& row, const char* key, const std::string& where) {
  const std::string text = textOf(row, key);
  const auto value = numberOf<Number>(text);
  if (!text.empty() && (!value || *value < 0)) offend(where, fmt::format("{} '{}' is no number from 0", key, text));
  return value;
}

// Empty when the file is not taken.
fs::path Listing::inside(const std::string& file, const std::string& where) {
  if (file.empty()) return offend(where, "names no file"), fs::path();
  const fs::path given(file), path = fs::weakly_canonical(root_ / given), relative = path.lexically_relative(root_);
  if (given.is_absolute() || relative.empty() || *relative.begin() == "..")
    return offend(where, fmt::format("'{}' lies outside {}", file, root_.string())), fs::path();
  if (!fs::is_regular_file(path)) return offend(where, fmt::format("'{}' is not there", file)), fs::path();
  if (!files_.insert(path).second) return offend(where, fmt::format("'{}' is named twice", file)), fs::path();
  return path;
}

void Listing::add(const Row& row, const std::string& where) {
  ListedPicture picture{textOf(row, "precision"), inside(textOf(row, "file"), where), number<double>(row, "seconds", where),
                        number<std::int64_t>(row, "bytes", where)};
  const auto seed = number<std::uint64_t>(row, "seed", where);
  const bool control = std::ranges::any_of(picture.precision, [](unsigned char c) { return c < ' ' || c == 127; });
  if (picture.precision.empty() || picture.precision.size() > kLongestName || control)
    return offend(where, fmt::format("a precision is a name of 1 to {} letters without control characters", kLongestName));
  const std::string prompt = textOf(row, "prompt");
  const auto [found, isNew] = known_.try_emplace({prompt, seed.value_or(0)}, all_.size());
  if (isNew) all_.push_back({.prompt = prompt, .seed = seed.value_or(0), .pictures = {}});
  std::vector<ListedPicture>& pictures = all_[found->second].pictures;
  if (std::ranges::any_of(pictures, [&](const ListedPicture& other) { return other.precision == picture.precision; }))
    return offend(where, fmt::format("a second picture of {} for '{}', seed {}", picture.precision, prompt, seed.value_or(0)));
  pictures.push_back(std::move(picture));
}

std::vector<ListedComparison> Listing::finished() {
  for (const ListedComparison& one : all_)
    if (one.pictures.size() < 2)
      offend(fmt::format("'{}', seed {}", one.prompt, one.seed),
          fmt::format("only {} is there, and two are compared", one.pictures.front().precision));
  if (!offenders_.empty()) throw std::runtime_error(offenders(offenders_));
  if (all_.empty()) throw std::runtime_error(root_.string() + ": no pictures are listed");
  return std::move(all_);
}

// The digits behind the last "seed".
std::string seedOf(const std::string& stem) {
  const std::size_t at = stem.rfind("seed");
  return at != stem.npos && numberOf<std::uint64_t>(stem.substr(at + 4)) ? stem.substr(at + 4) : std::string();
}

std::string textIn(const fs::path& path) {
  std::string text = readText(path);
  if (!isUtf8(text)) throw std::runtime_error(path.string() + ": is not written in UTF-8; save it so");
  return text;
}

std::vector<std::string> promptsOf(const fs::path& file, std::size_t count) {
  if (!fs::exists(file)) return {};
  std::vector<std::string> lines;
  textIn(file);                          // or it is refused
  for (const Prompt& prompt : readPromptSet(file).prompts) lines.push_back(prompt.text);
  if (lines.size() != count)
    throw std::runtime_error(fmt::format("{}: has {} prompts for {} pictures of each precision", file.string(), lines.size(), count));
  return lines;
}

std::vector<ListedComparison> readFolders(const fs::path& root) {
  std::map<std::string, std::map<std::string, std::string>> files;   // name without ending → precision → file from the root
  std::set<std::string> precisions;
  Listing listing(root);
  for (const auto& folder : fs::directory_iterator(root)) {
    if (!folder.is_directory()) continue;
    const std::string precision = folder.path().filename().string();
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!isPicture(entry.path())) continue;
      const std::string relative = entry.path().lexically_relative(root).string();
      precisions.insert(precision);
      if (!files[entry.path().stem().string()].emplace(precision, relative).second)
        listing.offend(relative, "another file there has this name with another ending");
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, of] : files) names.push_back(name);
  const std::vector<std::string> prompts = promptsOf(root / "prompts.txt", names.size());
  // "bf16" first: figures are against the first.
  std::vector<std::string> order(precisions.begin(), precisions.end());
  std::ranges::stable_partition(order, [](const std::string& precision) { return precision == "bf16"; });
  for (std::size_t i = 0; i < names.size(); ++i)
    for (const std::string& precision : order) {
      const auto found = files[names[i]].find(precision);
      const std::string& prompt = prompts.empty() ? names[i] : prompts[i];
      if (found == files[names[i]].end()) listing.offend(precision + "/" + names[i], "is missing, but others have it");
      else listing.add({{"precision", precision}, {"file", found->second}, {"seed", seedOf(names[i])}, {"prompt", prompt}}, found->second);
    }
  std::vector<ListedComparison> all = listing.finished();
  for (ListedComparison& one : all) one.promptTold = !prompts.empty();
  return all;
}

void checkColumn(const std::string& name, const fs::path& path) {
  if (std::ranges::find(kColumns, name) == kColumns.end())
    throw std::runtime_error(fmt::format("{}: '{}' is not known; known: {}", path.string(), isUtf8(name) ? name : "?", fmt::join(kColumns, ", ")));
}

// Numbers may be written as text, names may not be anything else.
std::string fieldOf(const std::string& key, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  const bool name = key == "prompt" || key == "precision" || key == "file";
  if (name || !value.is_number()) throw std::invalid_argument(fmt::format("{} {} is no {}", key, value.dump(), name ? "text" : "number"));
  return value.dump();
}

std::vector<ListedComparison> readTable(const fs::path& path) {
  auto rows = parseTable(textIn(path), ',');
  if (rows.empty()) throw std::runtime_error(path.string() + ": is empty");
  if (rows[0][0].starts_with("\xEF\xBB\xBF")) rows[0][0].erase(0, 3);   // as spreadsheets write it
  for (const std::string& name : rows[0]) {
    checkColumn(name, path);
    if (std::ranges::count(rows[0], name) > 1) throw std::runtime_error(fmt::format("{}: the column '{}' is there twice", path.string(), name));
  }
  Listing listing(fs::absolute(path).parent_path());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() == 1 && rows[i][0].empty()) continue;
    const std::string where = fmt::format("line {}", i + 1);
    Row row;
    if (rows[i].size() != rows[0].size()) {
      listing.offend(where, fmt::format("has {} fields, the first line {}", rows[i].size(), rows[0].size()));
      continue;
    }
    for (std::size_t column = 0; column < rows[i].size(); ++column) row[rows[0][column]] = rows[i][column];
    listing.add(row, where);
  }
  return listing.finished();
}

std::vector<ListedComparison> readJsonList(const fs::path& path) {
  const json list = json::parse(readText(path), nullptr, false);
  if (!list.is_array()) throw std::runtime_error(path.string() + ": is no JSON list of pictures");
  Listing listing(fs::absolute(path).parent_path());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("picture {}", i + 1);
    if (!list[i].is_object()) {
      listing.offend(where, "is no object");
      continue;
    }
    Row row;
    try {
      for (const auto& [key, value] : list[i].items()) {
        checkColumn(key, path);
        if (!value.is_null()) row[key] = fieldOf(key, value);
      }
      listing.add(row, where);
    } catch (const std::invalid_argument& error) {
      listing.offend(where, error.what());
    }
  }
  return listing.finished();
}

}  // namespace

std::vector<ListedComparison> readPictureList(const fs::path& path) {
  if (fs::is_directory(path)) return readFolders(path);
  if (!fs::exists(path)) throw std::runtime_error(path.string() + ": is not there");
  if (path.extension() == ".csv") return readTable(path);
  if (path.extension() == ".json") return readJsonList(path);
  throw std::runtime_error(path.string() + ": is neither a folder of folders nor a .csv or .json list of pictures");
}

std::string offenders(const std::vector<std::string>& all) {
  constexpr std::size_t kShown = 20;
  const std::span<const std::string> shown(all.data(), std::min(all.size(), kShown));
  const std::string rest = all.size() > kShown ? fmt::format("; and {} more", all.size() - kShown) : "";
  return fmt::format("these cannot be imported: {}{}", fmt::join(shown, "; "), rest);
}

}  // namespace quantspot::evaluation
