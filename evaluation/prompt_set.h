// Prompts with the categories that their authors gave them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::evaluation {

struct Prompt {
  std::string text;
  std::string category;      // empty: none
  std::string challenge;     // PartiPrompts' second label; empty: none
  bool operator==(const Prompt&) const = default;
};

struct PromptSet {
  std::string name;          // of the file, without its ending
  std::vector<Prompt> prompts;
  std::vector<std::string> categories() const;   // in order of first appearance, without the empty one
};

// A prompt per line (empty lines left out), or a table whose first line names the columns: separated by tabs as PartiPrompts'
// "Prompt, Category, Challenge, Note", or by commas as DrawBench's "Prompts, Category". What it is, is told by that first line.
// Throws std::runtime_error with the line where a table is broken, or when there is no prompt.
PromptSet parsePromptSet(std::string_view text, const std::string& name);
PromptSet readPromptSet(const std::filesystem::path& path);

// Rows of CSV as in RFC 4180: quoted fields may hold separators, line breaks and doubled quotes. Throws std::runtime_error.
std::vector<std::vector<std::string>> parseTable(std::string_view text, char separator);

}  // namespace quantspot::evaluation
