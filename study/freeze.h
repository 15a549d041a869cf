// The moment after which only responses can change.
#pragma once

#include "study/protocol.h"
#include "study/seal.h"

#include <QMap>

namespace quantspot::study {

// Which picture is which. Kept in memory only while a study runs; at rest it is sealed.
struct Mapping {
  QByteArray salt;                                     // 32 secret bytes that orders are drawn from
  QMap<QString, QMap<QString, QString>> images;        // comparison → variant → SHA-256 of the PNG file
  QMap<QString, QJsonObject> facts = {};               // comparison → variant → what is attested of that picture (attestation.h)

  QByteArray text() const;                             // JSON; what is sealed, and hashed for the commitment
  static Mapping fromText(const QByteArray& text);     // throws Error
};

struct FrozenStudy {
  QByteArray frozen;                  // JSON: protocol, hashes of all pictures in sorted order, commitments
  QByteArray sealed;                  // Mapping::text() under the passphrase
  QMap<QString, QByteArray> pictures; // PNG by hash, all of one length

  // SHA-256 of `frozen`: the study's id.
  QString hash() const;
  Protocol protocol() const;
  QString mappingCommitment() const;
  // Throws Error when the passphrase is wrong, or when it is not the mapping that was committed to.
  Mapping open(const QString& passphrase) const;
};

// PNG files by comparison and variant. Every comparison needs every variant (and the gold variant where blocks have gold trials).
using Pictures = QMap<QString, QMap<QString, QByteArray>>;

// Pictures enter bare and padded to one length (picture.h), so that neither text nor size tells a variant. Throws Error for a missing
// picture, a file that is no PNG, two variants of one comparison of unlike width or height, and two that are equal: a comparison of
// a model with itself. What the protocol attests of single pictures is sealed with the mapping, because it would tell which is which.
FrozenStudy freeze(const Protocol& protocol, const Pictures& pictures, const QString& passphrase, SealCost cost = SealCost::Moderate);

// The same up to the seal, which `study` still lacks: seal(mapping.text(), …). Nothing is kept of it, so it can be given up until then.
struct PreparedStudy {
  FrozenStudy study;
  Mapping mapping;
};
PreparedStudy prepareStudy(const Protocol& protocol, const Pictures& pictures);

// Reads FOLDER/COMPARISON/VARIANT.png for all that the protocol names. Throws Error.
Pictures readPictures(const Protocol& protocol, const QString& folder);

// A variant's file name: every character but letters, digits, '.', '_' and '-' is %XX.
QString variantFileName(const QString& variant);

}  // namespace quantspot::study
