// Pictures that were made elsewhere, as comparisons: which belong together, what each is called. Nothing is decoded here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct ListedPicture {
  std::string precision;                 // an id, a policy, or any other name
  std::filesystem::path file;            // inside the list's folder, links followed
  std::optional<double> seconds;         // that it took to make it
  std::optional<std::int64_t> bytes;     // of the weights
};

struct ListedComparison {
  std::string prompt;                    // of a folder without prompts.txt: the file's name
  std::uint64_t seed = 0;
  std::vector<ListedPicture> pictures;   // two or more, each of another precision
  bool promptTold = true;                // false: the prompt is but a file's name, by which nothing can be scored
};

// `path`: a folder of folders that are named by precision and hold files of the same names (their prompts: prompts.txt beside them, a line for each
// name in sorted order; a name that ends in "seed7" has seed 7), or a table (.csv) or list (.json), in UTF-8, with prompt, seed, precision, file,
// seconds, bytes; all but precision and file may be left out. Files are relative to the table's folder and must lie in it. Throws std::runtime_error with every
// offender: a file that is missing, outside, or named twice, a comparison of fewer than two, what is no number.
std::vector<ListedComparison> readPictureList(const std::filesystem::path& path);

// "these cannot be imported: a; b; …", at most 20 of them.
std::string offenders(const std::vector<std::string>& all);

}  // namespace quantspot::evaluation
