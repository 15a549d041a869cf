// What is known of precisions beyond their sizes: measured pictures and blind studies. What is not known is absent, never guessed.
#pragma once

#include "evaluation/bootstrap.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::decision {

// What a study found of one precision: the strongest finding where several kinds of trials asked.
struct Seen {
  std::string verdict;                   // "not-noticeable", "noticeable", "undecided"
  std::string kind;                      // of the trials: "abx", …
  double detection = 0;                  // share that noticed, corrected for guessing
  std::optional<evaluation::Interval> interval = {};
  double margin = 0;                     // what the study had fixed beforehand
  int trials = 0, people = 0;
  std::string study;                     // its title
  std::string date = {};                 // as of EvidenceSource
};

// A measured figure and where it comes from.
struct Figure : evaluation::Estimate {
  std::string from, date = {};           // as of EvidenceSource
  std::string label = {};                // what was measured, where weights decide: "CLIP-tiny score", "CLIP score"
};
struct Timing : Figure {
  std::string device;                    // "cpu", "cuda:0"; empty: the source does not tell
  int steps = 0, width = 0, height = 0;  // of the pictures
};

struct PrecisionEvidence {
  std::optional<Timing> seconds = {};    // per picture
  std::optional<Figure> clipChange = {}; // relative, of the score that its label names, against the reference
  std::optional<Figure> psnr = {};       // against the reference, dB
  std::optional<Figure> lpips = {};      // against the reference; 0: equal
  std::optional<double> latentError = {};   // relative, of the final latents (sensitivity scan)
  std::optional<Seen> seen = {};
  std::optional<Figure> rating = {};     // mean grade, 1 to 5
  std::optional<Figure> ratingChange = {};   // against the reference beside it, in grades
};

struct EvidenceSource {
  std::string kind;                      // "comparison", "study", "sensitivity", "ratings"
  std::string name;                      // file or title
  std::string text;                      // "48 pictures of 4 precisions on cpu"
  std::string date = {};                 // "2026-11-21": of the file, or when the pictures were drawn; empty: not told
  std::size_t n = 0;                     // pictures, or answers
};

struct Evidence {
  std::map<std::string, PrecisionEvidence> byPrecision;
  std::vector<EvidenceSource> sources;
  std::string reference;                 // what changes are against
  std::string device;                    // where seconds were measured: "cpu", "cuda:0"; empty: nowhere
  int steps = 0, width = 0, height = 0;  // of the pictures that were timed

  const PrecisionEvidence& of(const std::string& precision) const;   // empty when nothing is known of it
  // Of all changes, "CLIP-tiny score" where the small CLIP gave each; "CLIP score" where they differ or there are none.
  std::string clipLabel() const;
};

// All throw std::runtime_error, one line with `name`, for JSON that is none of this kind. What was there of a precision before and is in the new
// source, too, is replaced.

// report.json of `quantspot-cli compare`: pictures of several precisions, the first of which is the reference.
void addComparison(Evidence& evidence, const nlohmann::json& report, const std::string& name, const std::string& date = {});
// analysis.json of a study; variants are precisions.
void addStudy(Evidence& evidence, const nlohmann::json& analysis, const std::string& name, const std::string& date = {});
// {"bnb-nf4": {"value": 4.2, "ci95": [4.0, 4.4] or null, "n": 12, "change": the same of the differences to the reference, or absent}}.
void addRatings(Evidence& evidence, const nlohmann::json& ratings, const std::string& name, const std::string& date = {});
// The result of policies/scan at this precision: how far the whole model at it is off.
void addScan(Evidence& evidence, const nlohmann::json& scan, const std::string& precision);

}  // namespace quantspot::decision
