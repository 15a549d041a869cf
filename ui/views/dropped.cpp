#include "ui/views/dropped.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QtEndian>

namespace quantspot::views {
namespace {

// Names of tensors stand in the header, whose length is in the first eight bytes.
bool isLora(const QString& path) {
  constexpr quint64 kMost = 16 << 20;
  QFile file(path);
  quint64 length = 0;
  if (!file.open(QIODevice::ReadOnly) || file.read(reinterpret_cast<char*>(&length), sizeof length) != sizeof length) return false;
  length = qFromLittleEndian(length);
  return length <= kMost && file.read(static_cast<qint64>(length)).toLower().contains("lora");
}

}  // namespace

Dropped whatIs(const QString& path) {
  const QFileInfo info(path);
  if (info.isDir()) return QDir(path).exists(QStringLiteral("model_index.json")) ? Dropped::Model : Dropped::Pictures;
  if (!info.isFile()) return Dropped::Nothing;
  const QString ending = info.suffix().toLower();
  if (ending == QLatin1String("safetensors")) return isLora(path) ? Dropped::Lora : Dropped::Model;
  if (ending == QLatin1String("gguf")) return Dropped::Model;
  if (ending == QLatin1String("zip")) return Dropped::Bundle;
  if (ending == QLatin1String("json")) return Dropped::Policy;
  if (ending == QLatin1String("csv")) return Dropped::Pictures;
  for (const char* picture : {"png", "jpg", "jpeg", "webp", "bmp"})
    if (ending == QLatin1String(picture)) return Dropped::Picture;
  return Dropped::Nothing;
}

}  // namespace quantspot::views
