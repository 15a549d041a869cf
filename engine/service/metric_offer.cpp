#include "engine/service/metric_offer.h"

#include "engine/model/weights.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/service/clip_scorer.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/metric_weights.h"
#include "engine/service/models.h"

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;
using protocol::OfferedMetric;

constexpr int kMsSsimSide = 176, kSsimSide = 11;

std::string hashOf(const std::vector<fs::path>& files) {
  return pipeline::HashCache().remembered(files.front().parent_path(), "metric ", [&] { return filesHash(files); });
}

// A CLIPModel for cosines: a downloaded one, else the model's own or the embedded one.
struct Clip {
  std::string name;                      // of the catalogue; empty: not downloaded
  fs::path folder;
  bool tiny = false;
  std::string hash() const { return hashOf(model::weightFiles(folder)); }
};

Clip clipFor(const fs::path& model, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto installed = installedMetric(name); !installed.empty()) return {name, installed.front(), false};
  const fs::path folder = clipFolderOf(model);
  return {"", folder, isEmbeddedClip(folder)};
}

OfferedMetric named(const char* id, const char* kind, const std::string& label, const char* metric) {
  OfferedMetric made;
  made.id = made.gives = id, made.kind = kind, made.label = label, made.metric = metric;
  return made;
}

OfferedMetric plain(const char* id, const char* label, int smallest) {
  OfferedMetric metric = named(id, "pair", label, id);
  metric.smallest = smallest;
  return metric;
}

OfferedMetric cosine(const char* id, const char* kind, const Clip& clip, const char* label, const char* tiny) {
  OfferedMetric metric = named(id, kind, clip.tiny ? tiny : label, id);
  metric.clip = clip.name;
  if (clip.tiny) metric.needs = "clip-vit-large-patch14";
  metric.weights_sha256 = clip.hash();
  return metric;
}

OfferedMetric learned(const char* id, const char* label, const char* metric, const char* net, const char* entry) {
  OfferedMetric offered = named(id, "pair", label, metric);
  offered.net = net;
  const auto files = installedMetric(entry);
  offered.ready = !files.empty();
  if (offered.ready) offered.weights_sha256 = hashOf(files);
  else offered.needs = entry;
  return offered;
}

std::vector<fs::path> inceptionFiles() {
  for (const char* name : {"inception", "inception-torchscript"})
    if (auto files = installedMetric(name); !files.empty()) return files;
  return {};
}

// hash: of the real weights; empty: the embedded CLIP stands in under a name of its own.
OfferedMetric ofSets(const char* id, const char* label, const char* standIn, const char* standInLabel, const char* entry, const std::string& hash) {
  OfferedMetric metric = named(id, "set", hash.empty() ? standInLabel : label, id);
  metric.weights_sha256 = hash;
  if (!hash.empty()) return metric;
  metric.gives = standIn, metric.needs = entry;
  metric.weights_sha256 = hashOf(model::weightFiles(clipFolderOf(defaultModel())));
  return metric;
}

}  // namespace

protocol::OfferedResult offeredMetrics(const protocol::OfferedParams& params) {
  const Clip clip = clipFor(resolveModel(params.model), {"clip-vit-large-patch14", "clip-vit-base-patch32", "clip-vit-large-patch14-336"});
  const Clip pictures = clipFor(defaultModel(), {"clip-vit-large-patch14", "clip-vit-base-patch32", "clip-vit-large-patch14-336"});
  const auto inception = inceptionFiles(), large = installedMetric("clip-vit-large-patch14-336");
  const std::string fid = inception.empty() ? "" : hashOf(inception), cmmd = large.empty() ? "" : hashOf(model::weightFiles(large.front()));
  return {{cosine("clip", "prompt", clip, "CLIP", "CLIP-tiny"), plain("psnr", "PSNR", 1), plain("ssim", "SSIM", kSsimSide),
           plain("ms-ssim", "MS-SSIM", kMsSsimSide), plain("gmsd", "GMSD", 4), learned("lpips", "LPIPS (alex)", "lpips", "alex", "lpips-alex"),
           learned("lpips-vgg", "LPIPS (vgg)", "lpips", "vgg", "lpips-vgg"),
               learned("lpips-squeeze", "LPIPS (squeeze)", "lpips", "squeeze", "lpips-squeeze"),
           learned("dists", "DISTS", "dists", "", "dists"), cosine("clip-image", "pair", pictures, "CLIP-image", "CLIP-tiny-image"),
           ofSets("kid", "KID", "kd-clip-tiny", "KD-CLIP-tiny", "inception", fid),
               ofSets("fid", "FID", "fd-clip-tiny", "FD-CLIP-tiny", "inception", fid),
           ofSets("cmmd", "CMMD", "cmmd-clip-tiny", "CMMD-CLIP-tiny", "clip-vit-large-patch14-336", cmmd)}};
}

}  // namespace quantspot::service
