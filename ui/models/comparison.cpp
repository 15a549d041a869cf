#include "ui/models/comparison.h"

#include "ui/models/bare_pixels.h"

#include <QJsonDocument>

namespace quantspot::ui {
namespace {

// What must be the same in all samples of a comparison. Text encoders and VAE are in the model's hash.
QList<std::pair<QString, QJsonValue>> commonParts(const QJsonObject& report) {
  const QJsonObject engine = report[QStringLiteral("engine")].toObject();
  const QJsonObject model = report[QStringLiteral("model")].toObject();
  return {{QStringLiteral("noise"), report[QStringLiteral("noise_sha256")]}, {QStringLiteral("recipe"), report[QStringLiteral("recipe")]},
          {QStringLiteral("model weights"), model[QStringLiteral("weights_sha256")]},
          {QStringLiteral("engine version"), engine[QStringLiteral("version")]}, {QStringLiteral("libtorch"), engine[QStringLiteral("libtorch")]},
          {QStringLiteral("device"), engine[QStringLiteral("device")]}};
}

}  // namespace

int ComparisonResult::reference() const {
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (samples[i].sample.precision == QLatin1String(study::kReference) && !samples[i].image.isNull()) return static_cast<int>(i);
  return -1;
}

QString mismatch(const ComparisonResult& result) {
  const SampleResult* first = nullptr;
  for (const SampleResult& one : result.samples) {
    if (one.image.isNull()) continue;
    if (!first) first = &one;
    const auto expected = commonParts(first->sample.report), found = commonParts(one.sample.report);
    for (int i = 0; i < expected.size(); ++i)
      if (expected[i].second != found[i].second)
        return QObject::tr("%1 and %2 differ in more than the precision (%3): they cannot be compared; generate again")
            .arg(first->sample.precision, one.sample.precision, expected[i].first);
  }
  return {};
}

QImage decodePicture(const QByteArray& png, QString& reason) {
  QImage image = QImage::fromData(png, "PNG");
  if (image.isNull()) {
    reason = QObject::tr("the engine's picture cannot be decoded (%1 bytes)").arg(png.size());
  } else if (isOneColour(image)) {
    reason = QObject::tr("the picture has a single colour: the numbers broke down, this is not a picture");
    return {};
  }
  return image;
}

QJsonObject toQt(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return QJsonDocument::fromJson(QByteArray::fromStdString(text)).object();
}

study::Comparison toStored(const ComparisonResult& result) {
  study::Comparison stored{.id = result.id, .created = result.created, .model = result.model, .recipe = toQt(result.recipe), .samples = {}};
  for (const SampleResult& one : result.samples) stored.samples.push_back(one.sample);
  stored.startPicture = result.startPicture;
  return stored;
}

ComparisonResult fromStored(const study::Comparison& stored) {
  ComparisonResult result{.id = stored.id, .created = stored.created, .model = stored.model, .recipe = {}, .samples = {}};
  const QByteArray recipe = QJsonDocument(stored.recipe).toJson(QJsonDocument::Compact);
  try {
    result.recipe = nlohmann::json::parse(recipe.begin(), recipe.end()).get<protocol::Recipe>();
  } catch (const std::exception&) {
    // An edited database, or a seed that Qt's JSON rounds: the pictures are still worth showing.
    result.recipe.prompt = stored.recipe[QStringLiteral("prompt")].toString().toStdString();
  }
  for (const study::Sample& sample : stored.samples)
    result.samples.push_back({sample, sample.png.isEmpty() ? QImage() : QImage::fromData(sample.png, "PNG")});
  result.startPicture = stored.startPicture;
  return result;
}

}  // namespace quantspot::ui
