#include "study/freeze.h"

#include "study/attestation.h"
#include "study/csv.h"
#include "study/error.h"
#include "study/new_protocol.h"
#include "study/order.h"
#include "study/picture.h"

#include <QDateTime>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QUrl>

#include <algorithm>

namespace quantspot::study {
namespace {

QByteArray compact(const QJsonObject& json) { return QJsonDocument(json).toJson(QJsonDocument::Compact); }

QJsonObject object(const QByteArray& text, const QString& what) {
  const QJsonDocument document = QJsonDocument::fromJson(text);
  if (!document.isObject()) throw Error(what + QStringLiteral(" is damaged: it is no JSON object"));
  return document.object();
}

bool needsGold(const Protocol& protocol) {
  return std::any_of(protocol.blocks.begin(), protocol.blocks.end(), [](const Block& block) { return block.gold > 0; });
}

QStringList needed(const Protocol& protocol) {
  QStringList variants = protocol.variants;
  if (needsGold(protocol)) variants << protocol.gold_variant;
  return variants;
}

// The comparison's pictures bare, by variant. Throws Error for what must not be compared.
QMap<QString, QByteArray> bareComparison(const QString& id, const QStringList& variants, const QMap<QString, QByteArray>& pictures) {
  QMap<QString, QByteArray> bare;
  QMap<QString, QString> seen;   // hash → variant
  for (const QString& variant : variants) {
    if (!pictures.contains(variant)) throw Error(QStringLiteral("comparison '%1', variant '%2': there is no PNG picture").arg(id, variant));
    try {
      bare[variant] = barePicture(pictures[variant]);
    } catch (const Error& error) {
      throw Error(QStringLiteral("comparison '%1', variant '%2': there is no PNG picture: %3")
          .arg(id, variant, QString::fromStdString(error.what())));
    }
    const QString hash = QString::fromLatin1(sha256Hex(bare[variant]));
    if (seen.contains(hash))
      throw Error(QStringLiteral("comparison '%1': the pictures of '%2' and '%3' are the same file; a model would be compared with itself")
          .arg(id, seen[hash], variant));
    if (pictureSize(bare[variant]) != pictureSize(bare[variants.first()]))
      throw Error(QStringLiteral("comparison '%1': the pictures of '%2' and '%3' differ in width or height").arg(id, variants.first(), variant));
    seen[hash] = variant;
  }
  return bare;
}

// All at one length, so that no size tells a variant.
void addPictures(const QMap<QString, QMap<QString, QByteArray>>& bare, FrozenStudy& study, Mapping& mapping) {
  qsizetype longest = 0;
  for (const auto& variants : bare)
    for (const QByteArray& picture : variants) longest = std::max(longest, picture.size());
  for (auto comparison = bare.begin(); comparison != bare.end(); ++comparison)
    for (auto variant = comparison->begin(); variant != comparison->end(); ++variant) {
      const QByteArray stored = paddedPicture(*variant, longest + 12);
      const QString hash = QString::fromLatin1(sha256Hex(stored));
      mapping.images[comparison.key()][variant.key()] = hash;
      study.pictures[hash] = stored;
    }
}

}  // namespace

QByteArray Mapping::text() const {
  QJsonObject all;
  for (auto comparison = images.begin(); comparison != images.end(); ++comparison) {
    QJsonObject variants;
    for (auto variant = comparison->begin(); variant != comparison->end(); ++variant) variants[variant.key()] = variant.value();
    all[comparison.key()] = variants;
  }
  QJsonObject json{{"salt", QString::fromLatin1(salt.toHex())}, {"images", all}}, attested;
  for (auto one = facts.begin(); one != facts.end(); ++one) attested[one.key()] = one.value();
  if (!attested.isEmpty()) json["attested"] = attested;
  return compact(json);
}

Mapping Mapping::fromText(const QByteArray& text) {
  const QJsonObject json = object(text, QStringLiteral("the mapping"));
  Mapping mapping{.salt = QByteArray::fromHex(json["salt"].toString().toLatin1()), .images = {}, .facts = {}};
  const QJsonObject all = json["images"].toObject();
  for (const QString& comparison : all.keys())
    for (const QString& variant : all[comparison].toObject().keys())
      mapping.images[comparison][variant] = all[comparison].toObject()[variant].toString();
  const QJsonObject attested = json["attested"].toObject();
  for (const QString& comparison : attested.keys()) mapping.facts[comparison] = attested[comparison].toObject();
  if (mapping.salt.size() != 32 || mapping.images.isEmpty()) throw Error(QStringLiteral("the mapping is damaged: it has no salt or no pictures"));
  return mapping;
}

QString FrozenStudy::hash() const { return QString::fromLatin1(sha256Hex(frozen)); }

Protocol FrozenStudy::protocol() const { return protocolFromJson(object(frozen, QStringLiteral("the frozen study"))["protocol"].toObject()); }

QString FrozenStudy::mappingCommitment() const { return object(frozen, QStringLiteral("the frozen study"))["mapping_sha256"].toString(); }

Mapping FrozenStudy::open(const QString& passphrase) const {
  const QByteArray text = unseal(sealed, passphrase);
  if (QString::fromLatin1(sha256Hex(text)) != mappingCommitment())
    throw Error(QStringLiteral("the sealed mapping is not the one that the frozen study committed to"));
  return Mapping::fromText(text);
}

FrozenStudy freeze(const Protocol& protocol, const Pictures& pictures, const QString& passphrase, SealCost cost) {
  PreparedStudy prepared = prepareStudy(protocol, pictures);
  prepared.study.sealed = seal(prepared.mapping.text(), passphrase, cost);
  return std::move(prepared.study);
}

PreparedStudy prepareStudy(const Protocol& given, const Pictures& pictures) {
  validateNew(given);
  Protocol protocol = given;
  FrozenStudy study;
  Mapping mapping{.salt = randomBytes(32), .images = {}, .facts = takePictureFacts(protocol)};
  QMap<QString, QMap<QString, QByteArray>> bare;
  for (const StudyComparison& comparison : protocol.comparisons)
    bare[comparison.id] = bareComparison(comparison.id, needed(protocol), pictures.value(comparison.id));
  addPictures(bare, study, mapping);
  // The mapping holds the salt, so its hash tells nothing about it before the reveal.
  study.frozen = compact({{"schema", 1}, {"protocol", toJson(protocol)}, {"images_sha256", QJsonArray::fromStringList(study.pictures.keys())},
                          {"mapping_sha256", QString::fromLatin1(sha256Hex(mapping.text()))},
                          {"frozen", QDateTime::currentDateTimeUtc().toString(Qt::ISODate)}, {"program", QStringLiteral(QUANTSPOT_VERSION)}});
  return {std::move(study), std::move(mapping)};
}

QString variantFileName(const QString& variant) { return QString::fromLatin1(QUrl::toPercentEncoding(variant, {}, "~")); }

Pictures readPictures(const Protocol& protocol, const QString& folder) {
  Pictures pictures;
  for (const StudyComparison& comparison : protocol.comparisons)
    for (const QString& variant : needed(protocol))
      pictures[comparison.id][variant] = readFile(QDir(folder).filePath(comparison.id + QLatin1Char('/') + variantFileName(variant)
          + QStringLiteral(".png")));
  return pictures;
}

}  // namespace quantspot::study
