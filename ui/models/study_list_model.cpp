#include "ui/models/study_list_model.h"

#include "study/rounding.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>

#include <algorithm>

namespace quantspot::ui {
namespace {

StudyEntry readDraft(const QString& path) {
  QFile file(path);
  const bool open = file.open(QIODevice::ReadOnly);
  const QJsonObject protocol = open ? QJsonDocument::fromJson(file.readAll()).object()[QStringLiteral("protocol")].toObject() : QJsonObject();
  return {StudyState::Draft, protocol[QStringLiteral("title")].toString(), {}, path, 0, 0,
          protocol[QStringLiteral("model")].toString()};
}

QString detailOf(const StudyEntry& entry, const QString& state) {
  QStringList parts{state};
  if (entry.people > 0) parts << study::counted(entry.people, "person", "people");
  if (!entry.model.isEmpty()) parts << entry.model;
  return parts.join(QStringLiteral(" · "));
}

}  // namespace

StudyListModel::StudyListModel(QString store, QString drafts, QObject* parent)
    : QAbstractListModel(parent), drafts_(std::move(drafts)), ledger_(std::make_unique<LedgerThread>(std::move(store), LedgerThread::Keep::Nothing)) {}

void StudyListModel::setStore(const QString& store) {
  ledger_ = std::make_unique<LedgerThread>(store, LedgerThread::Keep::Nothing);
  heads_.clear();
}

QString StudyListModel::analysedFile(const QString& hash) const { return QDir(drafts_).filePath(QStringLiteral("analysed/") + hash); }

void StudyListModel::markAnalysed(const QString& hash) {
  const QString path = analysedFile(hash);
  QFile file(path);
  if (QDir().mkpath(QFileInfo(path).path()) && file.open(QIODevice::WriteOnly)) file.close();   // a lost mark costs a word in the list
}

StudyState StudyListModel::stateOf(const study::StudyHead& head) const {
  if (!head.closed.isEmpty()) return QFile::exists(analysedFile(head.hash)) ? StudyState::Analysed : StudyState::Closed;
  return head.people > 0 ? StudyState::Running : StudyState::Frozen;
}

void StudyListModel::setEntries() {
  std::vector<StudyEntry> entries;
  const QDir folder(drafts_);
  for (const QString& name : folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Time))
    entries.push_back(readDraft(folder.filePath(name)));
  for (const study::StudyHead& head : heads_) entries.push_back({stateOf(head), head.title, head.hash, {}, head.people, 0, head.model});
  beginResetModel();
  entries_ = std::move(entries);
  endResetModel();
}

void StudyListModel::reload() {
  setEntries();
  auto heads = std::make_shared<std::vector<study::StudyHead>>();
  ledger_->begin([heads](study::Ledger& ledger) { *heads = ledger.heads(); }, [this, heads](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
      std::reverse(heads->begin(), heads->end());
      heads_ = std::move(*heads);
      setEntries();
      Q_EMIT reloaded();
    } catch (const std::exception& problem) {
      Q_EMIT failed(QString::fromUtf8(problem.what()));
    }
  });
}

int StudyListModel::rowOf(const QString& hash_or_file) const {
  for (std::size_t row = 0; row < entries_.size(); ++row)
    if (!hash_or_file.isEmpty() && (entries_[row].hash == hash_or_file || entries_[row].file == hash_or_file)) return static_cast<int>(row);
  return -1;
}

QString StudyListModel::newDraftFile() const {
  const QString stamp = QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss"));
  for (int n = 0;; ++n) {
    const QString path = QDir(drafts_).filePath(n ? QStringLiteral("%1-%2.json").arg(stamp).arg(n) : stamp + QStringLiteral(".json"));
    if (!QFile::exists(path)) return path;
  }
}

int StudyListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(entries_.size()); }

QVariant StudyListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const StudyEntry& entry = at(index.row());
  const QStringList states{tr("draft"), tr("frozen"), tr("running"), tr("closed"), tr("analysed")};
  const QString state = states[static_cast<int>(entry.state)];
  switch (role) {
    case Qt::DisplayRole: return entry.title.isEmpty() ? tr("Untitled") : entry.title;
    case StateRole: return static_cast<int>(entry.state);
    case HashRole: return entry.hash;
    case FileRole: return entry.file;
    case DetailRole: return detailOf(entry, state);
    default: return {};
  }
}

}  // namespace quantspot::ui
