#include "study/scores_json.h"

#include <QJsonArray>

#include <cmath>
#include <limits>

namespace quantspot::study {
namespace {

void put(QJsonObject& json, const char* key, const std::optional<double>& value) {
  if (!value) return;
  json[QLatin1String(key)] = std::isinf(*value) ? QJsonValue(QStringLiteral("inf")) : QJsonValue(*value);
}

std::optional<double> get(const QJsonObject& json, const char* key) {
  const QJsonValue value = json[QLatin1String(key)];
  if (value.isString()) return std::numeric_limits<double>::infinity();
  return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

}  // namespace

QJsonObject toJson(const Scores& scores) {
  QJsonObject json;
  put(json, "psnr", scores.psnr);
  put(json, "ssim", scores.ssim);
  put(json, "lpips", scores.lpips);
  put(json, "clip", scores.clip);
  put(json, "repeat_psnr", scores.repeat_psnr);
  if (!scores.clip_label.isEmpty()) json[QStringLiteral("clip_label")] = scores.clip_label;
  if (!scores.failures.isEmpty()) json[QStringLiteral("failures")] = QJsonArray::fromStringList(scores.failures);
  return json;
}

Scores scoresFromJson(const QJsonObject& json) {
  Scores scores{.psnr = get(json, "psnr"), .ssim = get(json, "ssim"), .lpips = get(json, "lpips"),
                .clip = get(json, "clip"), .repeat_psnr = get(json, "repeat_psnr"), .clip_label = json[QStringLiteral("clip_label")].toString(), .failures = {}};
  for (const QJsonValue& line : json[QStringLiteral("failures")].toArray()) scores.failures << line.toString();
  return scores;
}

}  // namespace quantspot::study
