// The commands of quantspot-cli. Each returns the exit code and throws for what stops it as a whole.
#pragma once

#include "engine/service/service.h"
#include "evaluation/prompt_set.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::cli {

struct GenerateOptions {
  protocol::GenerateParams params;
  int batch = 1;                         // pictures of one pass, with seeds seed, seed + 1, …
  std::string out, report, latentsIn, latentsOut;   // files; empty: not asked for, except out
};
// With a batch, pictures and reports have their seed in the name: image-seed7.png; the latents are one tensor.
int generate(service::Service& service, const GenerateOptions& options);

struct CompareOptions {
  protocol::GenerateParams base;         // model and recipe; prompt, seed and precision are set for each sample
  std::vector<std::string> precisions;   // the first is the baseline
  evaluation::PromptSet prompts;
  std::vector<std::uint64_t> seeds;
  std::size_t batch = 1;                 // seeds drawn in one pass
  std::filesystem::path out;
  std::filesystem::path thresholds, ratings;   // JSON (ratings: also a study's bundle); empty: the default limits, no ratings
  std::vector<std::string> metrics;      // ids; empty: what needs no download
  std::filesystem::path real;            // pictures or statistics that sets are compared with; empty: the baseline's pictures
  bool estimateOnly = false, pdf = false;
  bool repeat = true;                    // the baseline's first picture is drawn again: the noise floor
  double price = 0;                      // of one worker's hour
  std::size_t growth = 0;                // comparisons whose latents are kept after every call
  std::size_t workers = 1;               // processes that share the work
  std::vector<std::string> devices;      // one for each of them, in turn; empty: the service's
  std::string preset;                    // "" or "dit"
  std::string run;                       // set in a worker: its parent's run, which it only draws for
  std::vector<std::string> command;      // as this program was called, for its workers
};
// Images DIR/<variant>/<prompt>-seed<seed>.png, DIR/report.json, DIR/report.html and CSV tables. What DIR/store holds is not drawn again, so that
// an interrupted run goes on where it was, and several programs may share one DIR. A variant that fails is reported with its reason
// while the others go on; the exit code is then 1.
int compare(service::Service& service, const CompareOptions& options);

struct QuantizeOptions {
  std::string model = "default", precision;
  std::filesystem::path out;             // a folder that is not there yet; of GGUF: a file
  std::filesystem::path scales;          // report of a picture that was drawn with calibrated activations
};
// A checkpoint that the reference library of the precision loads: a pipeline, or its transformer as one GGUF file.
int quantize(const QuantizeOptions& options);

// Which layers suffer from a precision, and the policy that a budget asks for.
int sensitivity(service::Service& service, const protocol::ScanParams& params);

struct ScoreOptions {
  std::string metric;
  std::filesystem::path a, b;            // two pictures, or two folders paired by file name; of sets: folders or .npz
  std::filesystem::path baseline;        // pictures of the same names that the score is compared with
  std::string clip, net = "alex";        // see service/scorer.h
  std::vector<std::string> weights;
  std::filesystem::path images, prompts, saveStatistics;
  bool paired = false;                   // of sets: files of one name are of one prompt and seed
};
// One JSON object on stdout: metric, value, ci95 (bootstrap; null below six pictures), n, weights_sha256, and what the metric adds.
int score(const ScoreOptions& options);

// Splits "bf16,bnb-nf4?skip=a,b" into its policies: commas inside a policy's query are its own.
std::vector<std::string> splitPolicies(const std::string& text);

}  // namespace quantspot::cli
