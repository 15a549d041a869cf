#include "ui/models/opened_models.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include <algorithm>

namespace quantspot::ui {
namespace {

bool sameIn(const std::vector<protocol::ModelEntry>& list, const protocol::ModelEntry& model) {
  return std::ranges::any_of(list, [&](const protocol::ModelEntry& one) { return one.path == model.path; });
}

}  // namespace

OpenedModels::OpenedModels(QString file) : file_(std::move(file)) {
  QFile kept(file_);
  if (file_.isEmpty() || !kept.open(QIODevice::ReadOnly)) return;
  const QJsonArray list = QJsonDocument::fromJson(kept.readAll()).array();
  for (const QJsonValue& value : list) {
    const auto part = [&](const char* key) { return value[QLatin1String(key)].toString().toStdString(); };
    if (!part("path").empty()) models_.push_back({.name = part("name"), .path = part("path"), .family = part("family")});
  }
}

void OpenedModels::add(const protocol::ModelEntry& model) {
  if (sameIn(models_, model)) return;
  models_.push_back(model);
  if (file_.isEmpty()) return;
  QJsonArray list;
  const auto text = [](const std::string& part) { return QString::fromStdString(part); };
  for (const protocol::ModelEntry& one : models_)
    list << QJsonObject{{"name", text(one.name)}, {"path", text(one.path)}, {"family", text(one.family)}};
  QSaveFile file(file_);
  if (file.open(QIODevice::WriteOnly) && file.write(QJsonDocument(list).toJson()) >= 0) file.commit();
}

std::vector<protocol::ModelEntry> OpenedModels::with(std::vector<protocol::ModelEntry> list) const {
  for (const protocol::ModelEntry& one : models_)
    if (!sameIn(list, one) && QFileInfo::exists(QString::fromStdString(one.path))) list.push_back(one);
  return list;
}

}  // namespace quantspot::ui
