#include "app/quantspot-study/import_images.h"

#include "app/quantspot-study/keys.h"
#include "evaluation/picture_list.h"
#include "study/error.h"
#include "study/freeze.h"
#include "ui/models/bare_pixels.h"
#include "ui/models/picture_facts.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>
#include <QTemporaryDir>

#include <algorithm>

namespace quantspot::cli {
namespace {

using evaluation::ListedComparison, evaluation::ListedPicture;

constexpr int kTrials = 40;              // of the protocol that is written, at most

struct Decoded {
  QString id, prompt;
  QMap<QString, QByteArray> pictures;    // variant → PNG
  QJsonObject facts;                     // variant → of the file that it came from, and what the list says of it
};

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

// In the order of their first appearance, the reference (bf16, or else the first) before the others.
QStringList variantsOf(const std::vector<ListedComparison>& listed) {
  QStringList variants;
  for (const ListedComparison& one : listed)
    for (const ListedPicture& picture : one.pictures)
      if (!variants.contains(text(picture.precision))) variants << text(picture.precision);
  const auto reference = variants.indexOf(QStringLiteral("bf16"));
  if (reference > 0) variants.move(reference, 0);
  return variants;
}

// What is frozen, under the seal, of a picture made elsewhere.
QJsonObject factsOf(const ListedPicture& picture, const QByteArray& file, const QString& pixels) {
  const QJsonObject kind = ui::fileFacts(file);
  QJsonObject facts{{"source_sha256", ui::sha256Of(file)}, {"source_format", kind["format"]}, {"source_mode", kind["mode"]},
                    {"image_sha256", pixels}};
  if (picture.seconds) facts["stated_seconds"] = *picture.seconds;
  if (picture.bytes) facts["stated_weight_bytes"] = static_cast<qint64>(*picture.bytes);
  return facts;
}

// Every picture decoded before any is written; what is wrong with which goes into `wrong`.
class Decoder {
 public:
  explicit Decoder(QStringList variants) : variants_(std::move(variants)) {}

  Decoded decode(const ListedComparison& listed, const QString& id);
  const std::vector<std::string>& wrong() const { return wrong_; }
  QJsonArray sources() const { return sources_; }

 private:
  void offend(const ListedPicture& picture, const QString& what) {
    wrong_.push_back(picture.file.filename().string() + " (" + picture.precision + ") " + what.toStdString());
  }

  const QStringList variants_;
  std::vector<std::string> wrong_;
  QJsonArray sources_;
};

Decoded Decoder::decode(const ListedComparison& listed, const QString& id) {
  Decoded made{id, text(listed.prompt), {}, {}};
  QMap<QString, QString> known;          // hash of the pixels → variant
  QSize size;
  for (const ListedPicture& picture : listed.pictures) {
    QFile file(text(picture.file.string()));
    if (!file.open(QIODevice::ReadOnly)) {
      offend(picture, file.errorString());
      continue;
    }
    const QByteArray bytes = file.readAll();
    QString reason;
    const QImage image = ui::barePixels(bytes, reason);
    if (image.isNull()) {
      offend(picture, reason);
      continue;
    }
    if (size.isEmpty()) size = image.size();
    if (image.size() != size)
      offend(picture, QStringLiteral("is %1 x %2, others of it are %3 x %4").arg(image.width()).arg(image.height()).arg(size.width())
                          .arg(size.height()));
    const QString variant = text(picture.precision), hash = ui::pixelHash(image);
    if (known.contains(hash)) offend(picture, QStringLiteral("is the picture of %1").arg(known[hash]));
    known[hash] = variant;
    made.pictures[variant] = ui::pngOf(image);
    sources_ << QJsonObject{{"comparison", id}, {"variant", variant}, {"source_sha256", ui::sha256Of(bytes)}, {"image_sha256", hash}};
    made.facts[variant] = factsOf(picture, bytes, hash);
  }
  for (const QString& variant : variants_)
    if (std::ranges::none_of(listed.pictures, [&](const ListedPicture& one) { return text(one.precision) == variant; }))
      wrong_.push_back("'" + listed.prompt + "', seed " + std::to_string(listed.seed) + ": " + variant.toStdString() +
                       " is missing, and a study shows each");
  return made;
}

QJsonObject protocolOf(const std::vector<Decoded>& all, const QStringList& variants) {
  QJsonArray comparisons;
  for (const Decoded& one : all)
    comparisons << QJsonObject{{"id", one.id}, {"prompt", one.prompt}, {"attested", QJsonObject{{"imported", true}, {"pictures", one.facts}}}};
  const qsizetype trials = std::min<qsizetype>(kTrials, static_cast<qsizetype>(all.size()) * (variants.size() - 1));
  return {{"schema", 1}, {"title", "Which picture differs?"}, {"model", ""},
          {"variants", QJsonArray::fromStringList(variants)}, {"reference", variants.first()},
          {"comparisons", comparisons}, {"blocks", QJsonArray{QJsonObject{{"kind", "spot"}, {"trials", trials}}}}};
}

void write(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
    throw study::Error(QStringLiteral("%1 cannot be written: %2").arg(path, file.errorString()));
}

void writeAll(const QString& folder, const std::vector<Decoded>& all) {
  for (const Decoded& one : all) {
    if (!QDir(folder).mkpath(one.id)) throw study::Error(QStringLiteral("%1/%2 cannot be made").arg(folder, one.id));
    for (auto picture = one.pictures.begin(); picture != one.pictures.end(); ++picture)
      write(folder + QLatin1Char('/') + one.id + QLatin1Char('/') + study::variantFileName(picture.key()) + QStringLiteral(".png"), *picture);
  }
}

}  // namespace

QJsonObject importImages(const StudyArguments& a) {
  const QString out = a.out.isEmpty() ? QStringLiteral("study-images") : QDir::cleanPath(a.out);
  if (QFileInfo::exists(out)) throw UsageError(out + QStringLiteral(" is already there; give a path that is not"));
  const std::vector<ListedComparison> listed = evaluation::readPictureList(a.file.toStdString());
  const QStringList variants = variantsOf(listed);
  Decoder decoder(variants);
  std::vector<Decoded> all;
  for (const ListedComparison& one : listed)
    all.push_back(decoder.decode(one, QStringLiteral("%1-seed%2").arg(all.size() + 1, 4, 10, QLatin1Char('0')).arg(one.seed)));
  if (!decoder.wrong().empty()) throw study::Error(text(evaluation::offenders(decoder.wrong())));
  QTemporaryDir part(out + QStringLiteral(".XXXXXX"));
  if (!part.isValid()) throw study::Error(QStringLiteral("%1 cannot be made: %2").arg(out, part.errorString()));
  writeAll(part.path(), all);
  write(part.filePath(QStringLiteral("protocol.json")), QJsonDocument(protocolOf(all, variants)).toJson());
  write(part.filePath(QStringLiteral("sources.json")), QJsonDocument(decoder.sources()).toJson());
  QFile::setPermissions(part.path(), QFile::permissions(part.path()) | QFile::ReadGroup | QFile::ExeGroup | QFile::ReadOther | QFile::ExeOther);
  if (!QDir().rename(part.path(), out)) throw study::Error(out + QStringLiteral(" cannot be made: somebody else made it meanwhile"));
  part.setAutoRemove(false);
  return {{"protocol", out + QStringLiteral("/protocol.json")}, {"images", out}, {"comparisons", static_cast<int>(all.size())},
          {"pictures", static_cast<int>(decoder.sources().size())}, {"variants", QJsonArray::fromStringList(variants)},
          {"reference", variants.first()}};
}

}  // namespace quantspot::cli
