#include "evaluation/prompt_set.h"

#include "evaluation/files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

std::string trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

struct Columns { std::optional<std::size_t> prompt, category, challenge; };

Columns columnsOf(const std::vector<std::string>& header) {
  Columns found;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::string name = lower(trimmed(header[i]));
    if (name == "prompt" || name == "prompts") found.prompt = i;
    if (name == "category") found.category = i;
    if (name == "challenge") found.challenge = i;
  }
  return found;
}

// A table says so in its first line: a column of prompts and another one.
std::optional<char> separatorOf(std::string_view firstLine) {
  for (const char separator : {'\t', ','}) {
    const auto rows = parseTable(firstLine, separator);
    if (!rows.empty() && rows[0].size() > 1 && columnsOf(rows[0]).prompt) return separator;
  }
  return std::nullopt;
}

std::vector<Prompt> fromLines(std::string_view text) {
  std::vector<Prompt> prompts;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (const std::string line = trimmed(text.substr(0, end)); !line.empty()) prompts.push_back({line, "", ""});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return prompts;
}

std::vector<Prompt> fromTable(std::string_view text, char separator, const std::string& name) {
  const auto rows = parseTable(text, separator);
  const Columns columns = columnsOf(rows[0]);
  std::vector<Prompt> prompts;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto field = [&](const std::optional<std::size_t>& column) { return column && *column < rows[i].size() ? trimmed(rows[i][*column]) : std::string(); };
    if (rows[i].size() == 1 && trimmed(rows[i][0]).empty()) continue;
    const Prompt prompt{field(columns.prompt), field(columns.category), field(columns.challenge)};
    if (prompt.text.empty()) throw std::runtime_error(fmt::format("{}: row {} of the table has no prompt", name, i + 1));
    prompts.push_back(prompt);
  }
  return prompts;
}

}  // namespace

std::vector<std::vector<std::string>> parseTable(std::string_view text, char separator) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false, any = false;
  const auto endField = [&] { row.push_back(std::exchange(field, {})); };
  const auto endRow = [&] { endField(); rows.push_back(std::exchange(row, {})); any = false; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    any = any || c != '\n';
    if (quoted) {
      if (c != '"') field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"') { field += '"'; ++i; }
      else quoted = false;
    } else if (c == '"' && field.empty()) {
      quoted = true;
    } else if (c == separator) {
      endField();
    } else if (c == '\n') {
      endRow();
    } else if (c != '\r' || (i + 1 < text.size() && text[i + 1] != '\n')) {
      field += c;
    }
  }
  if (quoted) throw std::runtime_error(fmt::format("a quoted field that begins in row {} of the table has no end", rows.size() + 1));
  if (any) endRow();
  return rows;
}

std::vector<std::string> PromptSet::categories() const {
  std::vector<std::string> found;
  for (const Prompt& prompt : prompts)
    if (!prompt.category.empty() && std::ranges::find(found, prompt.category) == found.end()) found.push_back(prompt.category);
  return found;
}

PromptSet parsePromptSet(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::optional<char> separator;
  try {
    separator = separatorOf(text.substr(0, text.find('\n')));
  } catch (const std::runtime_error&) {}   // a prompt that begins with a quote is a line like any other
  PromptSet set{name, separator ? fromTable(text, *separator, name) : fromLines(text)};
  if (set.prompts.empty()) throw std::runtime_error(name + " holds no prompt");
  return set;
}

PromptSet readPromptSet(const std::filesystem::path& path) {
  PromptSet set = parsePromptSet(readText(path), path.string());
  set.name = path.stem().string();
  return set;
}

}  // namespace quantspot::evaluation
