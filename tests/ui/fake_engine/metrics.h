// What the fake engine measures with: an engine without any download.
#pragma once

#include "engine/protocol/base64.h"
#include "engine/protocol/messages.h"

#include <cstring>

namespace quantspot::fake {

inline protocol::OfferedResult offered() {
  const auto metric = [](const char* id, const char* kind, const char* gives, const char* label, const char* needs) {
    protocol::OfferedMetric made;
    made.id = made.metric = id, made.kind = kind, made.gives = gives, made.label = label, made.needs = needs;
    return made;
  };
  protocol::OfferedResult all{{metric("clip", "prompt", "clip", "CLIP-tiny", "clip-vit-large-patch14"), metric("psnr", "pair", "psnr", "PSNR", ""),
                               metric("ssim", "pair", "ssim", "SSIM", ""), metric("gmsd", "pair", "gmsd", "GMSD", ""),
                               metric("lpips", "pair", "lpips", "LPIPS (alex)", "lpips-alex"),
                                   metric("kid", "set", "kd-clip-tiny", "KD-CLIP-tiny", "inception"),
                               metric("fid", "set", "fd-clip-tiny", "FD-CLIP-tiny", "inception")}};
  all.metrics[4].ready = false;
  return all;
}

// Features: two numbers for each picture. A distance: 0.05, of as many pictures as rows.
inline protocol::ScoreResult setScore(const protocol::ScoreParams& params) {
  protocol::ScoreResult result{params.metric, params.metric == "fid" ? "FD-CLIP-tiny" : "KD-CLIP-tiny", 0.05};
  for (const std::string& image : params.images) result.features.push_back({1, static_cast<float>(image.size())});
  result.n = static_cast<std::int64_t>(params.image_features.size());
  result.ci95 = {{0.04, 0.06}};
  return result;
}

// Of a precision: its first value is `kind`, the second the call.
inline std::vector<std::string> latents(int calls, std::size_t kind) {
  std::vector<std::string> all;
  for (int call = 1; call <= calls; ++call) {
    const float values[] = {static_cast<float>(kind), static_cast<float>(call)};
    std::vector<std::uint8_t> bytes(sizeof values);
    std::memcpy(bytes.data(), values, sizeof values);
    all.push_back(protocol::toBase64(bytes));
  }
  return all;
}

inline protocol::MetricsListResult weights(const std::string& downloaded) {
  protocol::MetricsListResult list{"/metrics", {{"inception", "FID, KID", "Apache-2.0", {"https://example.org/inception.pth"}, 95'000'000, false},
                                                {"lpips-alex", "LPIPS", "BSD-2-Clause", {"https://example.org/alex.pth"}, 244'000'000, false},
                                                {"clip-vit-large-patch14", "CLIP score", "MIT", {"openai/clip-vit-large-patch14"}, 1'710'000'000,
                                                 true}}};
  for (protocol::MetricWeightsEntry& entry : list.metrics) entry.installed = entry.installed || entry.name == downloaded;
  return list;
}

}  // namespace quantspot::fake
