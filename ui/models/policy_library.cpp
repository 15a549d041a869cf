#include "ui/models/policy_library.h"

#include <QDir>
#include <QFile>
#include <QSaveFile>

#include <algorithm>

namespace quantspot::ui {
namespace {

constexpr qint64 kLargestFile = 1'000'000;
const QString kShipped = QStringLiteral(":/policies"), kFiles = QStringLiteral("*.json");

std::optional<NamedPolicy> readFile(const QString& path, const QStringList& precisions, QString* problem) {
  QFile file(path);
  QString wrong;
  std::optional<NamedPolicy> policy;
  if (!file.open(QIODevice::ReadOnly)) wrong = file.errorString();
  else if (file.size() > kLargestFile) wrong = PolicyLibrary::tr("%1 bytes are too many for a policy").arg(file.size());
  else policy = policyFromJson(file.readAll(), precisions, &wrong);
  if (policy) policy->file = path;
  else *problem = PolicyLibrary::tr("%1: %2").arg(QFileInfo(path).fileName(), wrong);
  return policy;
}

auto named(const QString& name) {
  return [name](const NamedPolicy& policy) { return policy.name.compare(name, Qt::CaseInsensitive) == 0; };
}

}  // namespace

PolicyLibrary::PolicyLibrary(QString folder, QObject* parent) : QObject(parent), folder_(std::move(folder)) { read(); }

void PolicyLibrary::read() {
  QString problem;
  for (const QFileInfo& file : QDir(kShipped).entryInfoList({kFiles}, QDir::Files, QDir::Name))
    if (auto policy = readFile(file.filePath(), {}, &problem)) policy->shipped = true, shipped_.push_back(*policy);
  if (folder_.isEmpty()) return;
  for (const QFileInfo& file : QDir(folder_).entryInfoList({kFiles}, QDir::Files, QDir::Name)) {
    if (auto policy = readFile(file.filePath(), {}, &problem)) own_.push_back(*policy);
    else unreadable_ << problem;
  }
}

std::vector<NamedPolicy> PolicyLibrary::policies(const QString& family) const {
  std::vector<NamedPolicy> all = shipped_, own = own_;
  std::sort(own.begin(), own.end(), [](const NamedPolicy& a, const NamedPolicy& b) { return a.name.compare(b.name, Qt::CaseInsensitive) < 0; });
  all.insert(all.end(), own.begin(), own.end());
  if (!family.isEmpty()) std::erase_if(all, [&](const NamedPolicy& one) { return !one.family.isEmpty() && !one.family.split(QLatin1Char(',')).contains(family); });
  return all;
}

bool PolicyLibrary::owns(const QString& name) const { return std::any_of(own_.begin(), own_.end(), named(name)); }

// The name's letters and digits, so that the file can be found by eye; a number where that is taken.
QString PolicyLibrary::freeFile(const QString& name) const {
  QString stem;
  for (const QChar c : name.toLower())
    if (c.isLetterOrNumber()) stem += c;
    else if (!stem.isEmpty() && !stem.endsWith(u'-')) stem += u'-';
  if (stem.isEmpty()) stem = QStringLiteral("policy");
  QString path = QDir(folder_).filePath(stem + QStringLiteral(".json"));
  for (int number = 2; QFile::exists(path); ++number) path = QDir(folder_).filePath(QStringLiteral("%1-%2.json").arg(stem).arg(number));
  return path;
}

bool PolicyLibrary::write(const QString& path, const NamedPolicy& policy) {
  const QByteArray json = toJson(policy);
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(json) == json.size() && file.commit()) return true;
  last_error_ = tr("%1 cannot be written: %2").arg(path, file.errorString());
  return false;
}

bool PolicyLibrary::save(NamedPolicy policy) {
  policy.name = policy.name.trimmed();
  QString problem;
  if (!policyFromJson(toJson(policy), {}, &problem)) return last_error_ = problem, false;   // what could not be read again is not written
  if (std::any_of(shipped_.begin(), shipped_.end(), named(policy.name)))
    return last_error_ = tr("“%1” comes with the program; choose another name").arg(policy.name), false;
  const auto same = std::find_if(own_.begin(), own_.end(), named(policy.name));
  policy.shipped = false;
  if (!folder_.isEmpty()) {
    policy.file = same != own_.end() ? same->file : freeFile(policy.name);
    if (!QDir().mkpath(folder_)) return last_error_ = tr("the folder %1 cannot be made").arg(folder_), false;
    if (!write(policy.file, policy)) return false;
  }
  if (same != own_.end()) *same = policy;
  else own_.push_back(policy);
  Q_EMIT changed();
  return true;
}

bool PolicyLibrary::remove(const QString& name) {
  const auto found = std::find_if(own_.begin(), own_.end(), named(name));
  if (found == own_.end()) return last_error_ = tr("there is no policy “%1” of your own").arg(name), false;
  if (!found->file.isEmpty() && QFile::exists(found->file) && !QFile::remove(found->file))
    return last_error_ = tr("%1 cannot be removed").arg(found->file), false;
  own_.erase(found);
  Q_EMIT changed();
  return true;
}

std::optional<NamedPolicy> PolicyLibrary::import(const QString& path, const QStringList& precisions) {
  auto policy = readFile(path, precisions, &last_error_);
  if (!policy) return std::nullopt;
  policy->file.clear();
  if (!save(*policy)) return std::nullopt;
  return policy;
}

bool PolicyLibrary::exportTo(const QString& path, const NamedPolicy& policy) {
  QString problem;
  if (!policyFromJson(toJson(policy), {}, &problem)) return last_error_ = problem, false;
  return write(path, policy);
}

}  // namespace quantspot::ui
