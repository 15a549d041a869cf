#include "ui/models/data_folder.h"

#include "study/error.h"
#include "study/picture.h"
#include "ui/models/bare_pixels.h"

#include <QCoreApplication>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>

namespace quantspot::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::DataFolder", text); }

QByteArray contentOfFile(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// A draft of the same pictures holds their hashes beside the variants' names; what it needs of them is found anew when it is frozen.
void closeDraft(const QString& path, const QSet<QString>& shown) {
  const QByteArray text = contentOfFile(path);
  if (std::none_of(shown.begin(), shown.end(), [&](const QString& hash) { return text.contains(hash.toLatin1()); })) return;
  QJsonObject draft = QJsonDocument::fromJson(text).object(), protocol = draft[QStringLiteral("protocol")].toObject();
  QJsonArray comparisons;
  for (const QJsonValue& value : protocol[QStringLiteral("comparisons")].toArray()) {
    QJsonObject comparison = value.toObject(), attested = comparison[QStringLiteral("attested")].toObject();
    attested.remove(QStringLiteral("pictures"));
    if (comparison.contains(QStringLiteral("attested"))) comparison[QStringLiteral("attested")] = attested;
    comparisons << comparison;
  }
  protocol[QStringLiteral("comparisons")] = comparisons, draft[QStringLiteral("protocol")] = protocol;
  const QByteArray closed = QJsonDocument(draft).toJson();
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(closed) != closed.size() || !file.commit())
    throw study::Error(tr("the draft %1 holds hashes of this study's pictures and cannot be written: %2").arg(path, file.errorString()));
}

}  // namespace

QSet<QString> traces(const study::FrozenStudy& study, const study::Mapping& mapping) {
  QSet<QString> found = study::shownBy(study, mapping);
  for (auto comparison = mapping.images.begin(); comparison != mapping.images.end(); ++comparison)
    for (auto variant = comparison->begin(); variant != comparison->end(); ++variant) {
      if (mapping.facts.value(comparison.key())[variant.key()][QStringLiteral("image_sha256")].isString()) continue;
      QString reason;
      if (const QImage image = barePixels(study.pictures.value(*variant), reason); !image.isNull()) found << pixelHash(image);
    }
  return found;
}

int closeHistory(const QString& history, const study::FrozenStudy& study, const study::Mapping& mapping) {
  if (history.isEmpty() || !QFileInfo::exists(history)) return 0;
  const QSet<QString> shown = traces(study, mapping);
  const QDir drafts(QFileInfo(history).absoluteDir().filePath(QStringLiteral("drafts")));
  for (const QString& name : drafts.entryList({QStringLiteral("*.json")}, QDir::Files)) closeDraft(drafts.filePath(name), shown);
  return study::sealHistory(history, study.hash(), mapping, shown);
}

void refuseOpenPictures(const QString& history, const study::FrozenStudy& study, const study::Mapping& mapping) {
  if (history.isEmpty()) return;
  const QSet<QString> shown = study::shownBy(study, mapping);
  QDirIterator files(QFileInfo(history).absolutePath(), {QStringLiteral("*.png")}, QDir::Files, QDirIterator::Subdirectories);
  while (files.hasNext()) {
    const QString path = files.next();
    if (shown.contains(study::bareHash(contentOfFile(path))))
      throw study::Error(tr("%1 holds pictures of this study under their names: move that folder out of the data folder until the reveal")
          .arg(QDir::toNativeSeparators(QFileInfo(path).absolutePath())));
  }
}

}  // namespace quantspot::ui
