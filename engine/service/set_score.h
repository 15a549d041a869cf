// Distances between two sets of pictures: FID, KID, CMMD, and what stands in for them while their networks' weights are not there.
#pragma once

#include "evaluation/bootstrap.h"
#include "metrics/frechet.h"
#include "metrics/image.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::service {

// What turns a picture into a vector.
class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;
  virtual at::Tensor features(metrics::ImageView image) const = 0;   // (1, D) float32
  // "inception", "clip", or "clip-tiny": the embedded one, whose distances must not be called FID.
  virtual std::string kind() const = 0;
  virtual std::string sha256() const = 0;
};

// Inception from weight files (torch-fidelity's, or inception-2015-12-05.pt); a CLIPModel folder. Throw ModelError, metrics::FileError.
std::unique_ptr<FeatureNetwork> inceptionNetwork(const std::vector<std::filesystem::path>& files);
std::unique_ptr<FeatureNetwork> clipNetwork(const std::filesystem::path& folder);
// The one that `metric` (fid, kid, cmmd) means: the files or folder given, else what was downloaded, else the embedded CLIP.
std::unique_ptr<FeatureNetwork> networkFor(const std::string& metric, const std::vector<std::filesystem::path>& files,
                                           const std::filesystem::path& clip);

struct FeatureSet {
  at::Tensor rows;                                        // (N, D); undefined where only statistics are known
  std::optional<metrics::FeatureStatistics> statistics;   // of a file
};
// A .npz file: mu and sigma, or features under "feats" or "features" (N, D). Throws metrics::FileError.
FeatureSet readFeatureSet(const std::filesystem::path& path);
FeatureSet readFeatureSet(const std::filesystem::path& name, std::vector<std::uint8_t> file);   // its bytes

struct SetScore {
  std::string metric, label;             // "fid", "FID"; with the embedded CLIP "fd-clip-tiny", "FD-CLIP-tiny"
  double value = 0;
  std::optional<evaluation::Interval> ci95;
  std::int64_t n = 0, reference = 0;     // pictures a side; 0: a file does not say
  std::optional<double> published;       // CMMD by its published formula; KID of pairs as clean-fid has it: partners count as any two
  std::vector<std::string> warnings;
};
// KID and CMMD: the unbiased estimate and the percentiles of 1,000 resamplings. FID: the bootstrap's standard error × 1.96 to either side, which
// tells how the value spreads over sets of this size; the bias of small sets is not in it (there is a warning below 2,048).
// network: FeatureNetwork::kind(). paired: row i of both belongs to one prompt and seed. FID's interval then draws both together; KID and CMMD are
// those of pairs (metrics/pair_moments.h) with evaluation::squaredDistanceInterval. Throws std::invalid_argument: too few, lengths that differ,
// no finite numbers, KID of statistics, pairs of sets of unlike length.
SetScore scoreSets(const std::string& metric, const std::string& network, const FeatureSet& a, const FeatureSet& b, bool paired = false);

}  // namespace quantspot::service
