#include "ui/views/figures.h"

#include "ui/models/precision_names.h"
#include "ui/views/theme.h"

#include <QFileInfo>
#include <QJsonArray>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace quantspot::views {
namespace {

std::array<double, PhaseCount> peaksOf(const QJsonObject& report) {
  const QJsonObject device = report[u"device_peak_bytes"].toObject();
  const QJsonObject peaks = device.isEmpty() ? report[u"peak_bytes"].toObject() : device;
  const double floor = device.isEmpty() ? report[u"floor_bytes"].toDouble() : 0;   // libraries, and what earlier samples left
  const auto above = [&](QLatin1String phase) { return std::max(0.0, peaks[phase].toDouble() - floor); };
  return {above(QLatin1String("load")), above(QLatin1String("encode")), above(QLatin1String("denoise")), above(QLatin1String("decode"))};
}

double weightBytes(const QJsonObject& report) {
  double sum = 0;
  const QJsonObject components = report[u"weights"].toObject();
  for (const QJsonValue& component : components) sum += component[u"bytes"].toDouble();
  return sum;
}

// A LoRA whose patterns fit no layer, or whose effect is nothing, is worth saying: the picture does not show it.
QString loraNote(const QJsonObject& lora) {
  const QString name = QFileInfo(lora[u"file"].toString()).completeBaseName();
  const double effect = lora[u"effect"].toDouble();
  const QString head = QStringLiteral("%1 × %2: ").arg(name).arg(lora[u"scale"].toDouble());
  return head + (effect > 0 ? QStringLiteral("moves outputs by %1\u2009%").arg(100 * effect, 0, 'g', 2) : QStringLiteral("does nothing here"));
}

QString repeatNote(double psnr) {
  if (std::isinf(psnr)) return QStringLiteral("drawn again: the same pixels");
  return QStringLiteral("drawn again: %1\u2009dB apart, the noise floor").arg(psnr, 0, 'f', 1);
}

QStringList notesOf(const QJsonObject& report, const study::Scores& scores) {
  QStringList notes;
  if (scores.repeat_psnr) notes << repeatNote(*scores.repeat_psnr);
  const QJsonObject choice = report[u"auto"].toObject();
  if (!choice.isEmpty()) notes << QStringLiteral("auto: %1").arg(choice[u"why"].toString());
  for (const QJsonValue& lora : report[u"loras"].toArray()) notes << loraNote(lora.toObject());
  const auto others = report[u"fallbacks"].toArray().size();
  if (others > 0) notes << QStringLiteral("%1 %2 held otherwise than asked").arg(others).arg(others == 1 ? QStringLiteral("layer is") : QStringLiteral("layers are"));
  return notes;
}

}  // namespace

double Figures::highestPeak() const { return *std::max_element(peak.begin(), peak.end()); }
double Figures::denoise() const { return std::accumulate(steps.begin(), steps.end(), 0.0); }
double Figures::phases() const { return load + encode + denoise() + decode; }

Figures figuresOf(const study::Sample& sample) {
  Figures figures;
  figures.precision = sample.precision;
  figures.label = sample.repeat > 0 ? QStringLiteral("%1 (%2)").arg(ui::shortName(sample.precision)).arg(sample.repeat + 1) : ui::shortName(sample.precision);
  figures.color = precisionColor(sample.precision);
  const QJsonObject seconds = sample.report[u"seconds"].toObject();
  figures.load = seconds[u"load"].toDouble() + seconds[u"quantize"].toDouble();
  figures.encode = seconds[u"encode"].toDouble();
  figures.decode = seconds[u"decode"].toDouble();
  figures.total = seconds[u"total"].toDouble();
  for (const QJsonValue& step : seconds[u"steps"].toArray()) figures.steps.push_back(step.toDouble());
  figures.peak = peaksOf(sample.report);
  figures.weights = weightBytes(sample.report);
  if (sample.report[u"imported"].toBool()) {
    figures.timed = seconds[u"total"].isDouble();
    figures.peaked = !sample.report[u"peak_bytes"].toObject().isEmpty();
  }
  figures.scores = sample.scores;
  figures.notes = notesOf(sample.report, sample.scores);
  return figures;
}

std::vector<Figures> figuresOf(const ui::ComparisonResult& comparison) {
  std::vector<Figures> all;
  for (const ui::SampleResult& result : comparison.samples)
    if (!result.image.isNull()) all.push_back(figuresOf(result.sample));
  return all;
}

QString secondsText(double seconds) {
  if (seconds >= 60) return QStringLiteral("%1\u2009min %2\u2009s").arg(int(seconds) / 60).arg(int(seconds) % 60);
  return QStringLiteral("%1\u2009s").arg(seconds, 0, 'f', seconds < 10 ? 2 : 1);
}

QString peakText(double bytes) {
  const double mebibytes = bytes / (1024.0 * 1024.0);
  return mebibytes < 1024 ? QStringLiteral("%1\u2009MiB").arg(mebibytes, 0, 'f', 0) : QStringLiteral("%1\u2009GiB").arg(mebibytes / 1024, 0, 'f', 2);
}

}  // namespace quantspot::views
