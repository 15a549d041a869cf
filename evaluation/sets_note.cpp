#include "evaluation/sets_note.h"

#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <vector>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

const char* const kKernelDistances[] = {"kid", "cmmd", "kd-clip-tiny", "cmmd-clip-tiny"};

// Precisions whose interval begins below 0; those whose pictures are the baseline's have 0 to 0.
std::vector<std::string> notTold(const json& report, const std::string& figure) {
  std::vector<std::string> names;
  for (const json& row : report["summary"]) {
    const auto found = row["figures"].find(figure);
    if (found == row["figures"].end() || !(*found)["ci95"].is_array()) continue;
    if ((*found)["ci95"][0].get<double>() <= 0) names.push_back(row["precision"]);
  }
  return names;
}

bool taken(const json& report, const std::string& figure) {
  for (const json& row : report["summary"])
    if (row["figures"].contains(figure)) return true;
  return false;
}

}  // namespace

std::string pairsNote(const json& report) {
  const json sets = report.value("sets", json());
  if (!sets.is_object() || !sets.value("paired", false)) return "";
  std::vector<std::string> names, unseen;
  for (const char* figure : kKernelDistances) {
    if (!taken(report, figure)) continue;
    names.push_back(labelOf(report, *figureInfo(figure)));
    if (const auto precisions = notTold(report, figure); !precisions.empty())
      unseen.push_back(fmt::format("{} does not tell {} from the baseline.", names.back(), fmt::join(precisions, ", ")));
  }
  if (names.empty()) return "";
  std::string note = fmt::format("{} by pairs: no picture meets the baseline's of its own prompt and seed, whose likeness would lower {} "
                                 "(the usual figure: sets.published in report.json).", fmt::join(names, " and "), names.size() > 1 ? "them" : "it");
  for (const std::string& sentence : unseen) note += " " + sentence;
  return note;
}

std::string setsNote(const json& report) {
  const json sets = report.value("sets", json());
  if (!sets.is_object()) return "";
  const bool inception = sets.value("network", "") == "inception";
  const bool own = sets["against"] == report["precisions"][0];
  std::string note = fmt::format("{} from all pictures of a precision, as a set, to {}{}", inception ? "FID and KID: distances"
                                 : "FD-CLIP-tiny: Fréchet distance, KD-CLIP-tiny: kernel distance,",
                                 own ? "those of the baseline" : sets["against"].get<std::string>(), inception ? "."
                                     : ", in the small embedded CLIP's features: no FID.");
  if (const std::string pairs = pairsNote(report); !pairs.empty()) note += " " + pairs;
  return note;
}

}  // namespace quantspot::evaluation
