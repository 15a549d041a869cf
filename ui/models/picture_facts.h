// What a comparison's pictures say of themselves: attested where no engine's report tells how they were made, and beside one that does.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QMap>
#include <QString>

namespace quantspot::ui {

struct PictureFacts {
  // For StudyComparison::attested: `pixels` (`width`, `height`), `gate` (`figures`: names of those looked at; `variants`: how many beside the
  // reference) and `pictures`: of each variant `image_sha256` of its pixels, `file_sha256`, `format`, `mode`, and its distance from the reference.
  QJsonObject attested;
  QString problem;                     // why they must not be compared: one cannot be read, has one colour, another size, or another's pixels
  QString suspicion;                   // which picture looks broken (picture_gate.h), and why; a person may overrule it
};

// files: by variant, the reference among them. lpips: of those that it was measured of.
PictureFacts pictureFacts(const QMap<QString, QByteArray>& files, const QString& reference, const QMap<QString, double>& lpips = {});

// "png" and "RGB", "RGBA", "grey" or "palette": what the file is, before it is decoded.
QJsonObject fileFacts(const QByteArray& file);

}  // namespace quantspot::ui
