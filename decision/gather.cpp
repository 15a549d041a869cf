#include "decision/gather.h"

#include <algorithm>
#include <tuple>

namespace quantspot::decision {
namespace {

template <class T>
void fill(std::optional<T>& known, const std::optional<T>& found) {
  if (!known) known = found;
}

void addMissing(Evidence& all, const Evidence& one) {
  const bool comparable = one.reference.empty() || one.reference == all.reference;
  for (const auto& [precision, found] : one.byPrecision) {
    PrecisionEvidence& known = all.byPrecision[precision];
    fill(known.seconds, found.seconds);
    fill(known.seen, found.seen);
    fill(known.latentError, found.latentError);
    fill(known.rating, found.rating);
    if (!comparable) continue;
    fill(known.clipChange, found.clipChange);
    fill(known.psnr, found.psnr);
    fill(known.lpips, found.lpips);
    fill(known.ratingChange, found.ratingChange);
  }
  all.sources.insert(all.sources.end(), one.sources.begin(), one.sources.end());
}

auto rankOf(const Found& found, int steps, int width, int height) {
  const Evidence& of = found.evidence;
  const auto fits = [](int is, int asked) { return asked == 0 || is == asked; };
  std::size_t n = 0;
  std::string date;
  for (const EvidenceSource& source : of.sources) n += source.n, date = std::max(date, source.date);
  return std::tuple(found.chosen, fits(of.steps, steps) && fits(of.width, width) && fits(of.height, height), n, date);
}

}  // namespace

Evidence gathered(std::vector<Found> found, int steps, int width, int height) {
  std::ranges::stable_sort(found, [&](const Found& a, const Found& b) { return rankOf(a, steps, width, height) > rankOf(b, steps, width, height); });
  Evidence all;
  for (const Found& one : found) {
    const Evidence& of = one.evidence;
    if (all.reference.empty()) all.reference = of.reference;
    if (all.device.empty() && !of.device.empty()) all.device = of.device, all.steps = of.steps, all.width = of.width, all.height = of.height;
  }
  for (const Found& one : found) addMissing(all, one.evidence);
  return all;
}

}  // namespace quantspot::decision
