#include "ui/models/picture_import.h"

#include "evaluation/picture_list.h"
#include "ui/models/bare_pixels.h"
#include "ui/models/picture_facts.h"

#include <QFile>
#include <QImage>

#include <stdexcept>

namespace quantspot::ui {
namespace {

using evaluation::ListedComparison, evaluation::ListedPicture;

QByteArray readFile(const std::filesystem::path& path) {
  QFile file(QString::fromStdString(path.string()));
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QJsonObject reportOf(const ListedPicture& picture, const QByteArray& file, const QImage& image, const QJsonObject& recipe) {
  QJsonObject report{{"schema", 1}, {"imported", true}, {"precision", QString::fromStdString(picture.precision)}, {"recipe", recipe},
                     {"source_sha256", sha256Of(file)}, {"source", fileFacts(file)}, {"image_sha256", pixelHash(image)}};
  if (picture.seconds) report["seconds"] = QJsonObject{{"total", *picture.seconds}};
  if (picture.bytes) report["weights"] = QJsonObject{{"transformer", QJsonObject{{"bytes", static_cast<qint64>(*picture.bytes)}}}};
  return report;
}

// One comparison with decoded pictures; what is wrong goes into `wrong`.
study::Comparison comparisonOf(const ListedComparison& listed, std::vector<std::string>& wrong) {
  study::Comparison made{.id = 0, .created = QDateTime::currentDateTimeUtc(), .model = QString::fromLatin1(kImported), .recipe = {}, .samples = {}};
  QSize size;
  for (const ListedPicture& picture : listed.pictures) {
    const std::string label = picture.file.filename().string() + " (" + picture.precision + ")";
    const QByteArray file = readFile(picture.file);
    QString reason;
    const QImage image = barePixels(file, reason);
    if (image.isNull()) {
      wrong.push_back(label + " " + reason.toStdString());
      continue;
    }
    if (size.isEmpty()) size = image.size();
    if (image.size() != size)
      wrong.push_back(QStringLiteral("%1 is %2 × %3, %4 is %5 × %6").arg(QString::fromStdString(label)).arg(image.width()).arg(image.height())
                          .arg(QString::fromStdString(listed.pictures.front().file.filename().string())).arg(size.width()).arg(size.height())
                          .toStdString());
    const auto seed = QJsonValue::fromVariant(QVariant::fromValue(static_cast<quint64>(listed.seed)));
    made.recipe = QJsonObject{{"prompt", QString::fromStdString(listed.prompt)}, {"seed", seed}, {"steps", 0}, {"width", size.width()},
                              {"height", size.height()}};
    made.samples.push_back({.precision = QString::fromStdString(picture.precision), .png = pngOf(image),
                            .report = reportOf(picture, file, image, made.recipe), .scores = {}, .failure = {}});
    if (!listed.promptTold) made.samples.back().report["prompt_told"] = false;
  }
  return made;
}

}  // namespace

std::vector<qint64> PictureImport::read(const QString& path) {
  error_.clear();
  std::vector<qint64> ids;
  try {
    std::vector<std::string> wrong;
    std::vector<study::Comparison> all;
    for (const ListedComparison& listed : evaluation::readPictureList(path.toStdString())) all.push_back(comparisonOf(listed, wrong));
    if (!wrong.empty()) throw std::runtime_error(evaluation::offenders(wrong));
    for (study::Comparison& one : all) {
      if (!store_->addComparison(one)) throw std::runtime_error(store_->lastError().toStdString());
      ids.push_back(one.id);
    }
  } catch (const std::exception& error) {
    for (const qint64 id : ids) store_->removeComparison(id);
    error_ = QString::fromStdString(error.what());
    return {};
  }
  return ids;
}

}  // namespace quantspot::ui
