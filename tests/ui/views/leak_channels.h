// What can be read of a window, its process and its files without looking at pixels: one function per channel.
#pragma once

#include "tests/ui/views/leak_cheat.h"
#include "tests/ui/views/leaks.h"

#include <QAbstractItemModel>
#include <QAbstractItemView>
#include <QClipboard>
#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QGuiApplication>
#include <QMimeData>
#include <QApplication>
#include <QSqlDatabase>
#include <QProcessEnvironment>
#include <QSqlQuery>
#include <QSqlRecord>
#include <QWindow>

#include <ctime>
#include <memory>
#include <unistd.h>

namespace cheat {

inline Reading widgets(const QWidget* window) {
  Reading reading;
  const QStringList said = quantspot::views::saidBy(window);
  for (qsizetype i = 0; i < said.size(); ++i) {
    const QStringList parts = said[i].split(u'|');
    for (qsizetype part = 0; part < parts.size(); ++part) reading[QStringLiteral("%1.%2").arg(i).arg(part)] = parts[part];
  }
  const auto all = window->findChildren<QWidget*>();
  for (qsizetype i = 0; i < all.size(); ++i) {
    const QWidget* widget = all[i];
    reading[QStringLiteral("%1 place").arg(i)] = QStringLiteral("%1 %2 %3 %4").arg(widget->x()).arg(widget->y()).arg(widget->width()).arg(widget->height());
    reading[QStringLiteral("%1 state").arg(i)] = QStringLiteral("%1 %2 %3").arg(widget->hasFocus()).arg(widget->underMouse()).arg(widget->cursor().shape());
  }
  const auto objects = window->findChildren<QObject*>();
  reading[QStringLiteral("objects")] = static_cast<double>(objects.size());
  for (qsizetype i = 0; i < objects.size(); ++i) {
    reading[QStringLiteral("object %1").arg(i)] = QString::fromLatin1(objects[i]->metaObject()->className()) + objects[i]->objectName();
    for (const QByteArray& name : objects[i]->dynamicPropertyNames())
      reading[QStringLiteral("property %1 %2").arg(i).arg(QString::fromLatin1(name))] = objects[i]->property(name).toString();
  }
  return reading;
}

inline Reading accessibility(QWidget* window) {
  Reading reading;
  const QStringList said = quantspot::views::saidToReaders(window);
  for (qsizetype i = 0; i < said.size(); ++i) reading[QString::number(i)] = said[i];
  return reading;
}

inline Reading titles() {
  Reading reading;
  int number = 0;
  for (const QWindow* window : QGuiApplication::allWindows())
    reading[QStringLiteral("window %1").arg(number++)] = window->title() + u'|' + window->objectName() + u'|' + window->filePath();
  for (const QWidget* widget : QApplication::topLevelWidgets()) {
    reading[QStringLiteral("widget %1").arg(number)] = widget->windowTitle() + u'|' + widget->windowIconText() + u'|' + widget->windowFilePath();
    reading[QStringLiteral("tip %1").arg(number++)] = widget->toolTip() + u'|' + widget->statusTip();
  }
  return reading;
}

inline void addMime(Reading& reading, const QString& key, const QMimeData* mime) {
  if (!mime) return;
  for (const QString& format : mime->formats()) reading[key + u' ' + format] = QString::fromLatin1(mime->data(format).toHex());
}

inline Reading clipboard() {
  Reading reading;
  addMime(reading, QStringLiteral("clipboard"), QGuiApplication::clipboard()->mimeData());
  addMime(reading, QStringLiteral("selection"), QGuiApplication::clipboard()->mimeData(QClipboard::Selection));
  return reading;
}

// What would be carried if any item of any list were dragged out.
inline Reading drags(const QWidget* window) {
  Reading reading;
  int number = 0;
  for (const auto* view : window->findChildren<QAbstractItemView*>()) {
    QModelIndexList items;
    for (int row = 0; view->model() && row < view->model()->rowCount(); ++row) items << view->model()->index(row, 0);
    const std::unique_ptr<QMimeData> mime(items.isEmpty() ? nullptr : view->model()->mimeData(items));
    addMime(reading, QString::number(number++), mime.get());
  }
  return reading;
}

inline QFileInfoList filesBelow(const QStringList& folders) {
  QFileInfoList all;
  for (const QString& folder : folders) {
    QDirIterator files(folder, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
    while (files.hasNext()) files.next(), all << files.fileInfo();
  }
  std::sort(all.begin(), all.end(), [](const QFileInfo& a, const QFileInfo& b) { return a.filePath() < b.filePath(); });
  return all;
}

inline Reading files(const QStringList& folders, const QDateTime& since) {
  Reading reading;
  const QFileInfoList all = filesBelow(folders);
  reading[QStringLiteral("count")] = static_cast<double>(all.size());
  for (qsizetype i = 0; i < all.size(); ++i) {
    reading[QStringLiteral("%1 name").arg(i)] = all[i].fileName();
    reading[QStringLiteral("%1 size").arg(i)] = static_cast<double>(all[i].size());
    reading[QStringLiteral("%1 time").arg(i)] = static_cast<double>(since.msecsTo(all[i].lastModified()));
  }
  return reading;
}

// Raw bytes: how often each word stands in each file, and where it stands last.
inline Reading bytes(const QStringList& folders, const QStringList& words) {
  Reading reading;
  for (const QFileInfo& info : filesBelow(folders)) {
    QFile file(info.filePath());
    if (!file.open(QIODevice::ReadOnly)) continue;
    const QByteArray content = file.readAll();
    for (const QString& word : words) {
      reading[info.fileName() + u' ' + word] = static_cast<double>(content.count(word.toUtf8()));
      reading[info.fileName() + u' ' + word + QStringLiteral(" last")] = static_cast<double>(content.lastIndexOf(word.toUtf8()));
    }
    reading[info.fileName() + QStringLiteral(" tail")] = QString::fromLatin1(content.right(1).toHex());
  }
  return reading;
}

// Every table of the database, by its newest rows and by the lengths of what they hold.
inline Reading database(const QString& path) {
  Reading reading;
  const QString name = QStringLiteral("cheat");
  {
    QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name);
    database.setDatabaseName(path);
    database.setConnectOptions(QStringLiteral("QSQLITE_OPEN_READONLY"));
    if (!database.open()) qFatal("the cheat cannot open the database");
    for (const QString& table : database.tables()) {
      QSqlQuery query(database);
      query.exec(QStringLiteral("SELECT * FROM \"%1\" ORDER BY rowid DESC LIMIT 30").arg(table));
      if (!query.isActive()) query.exec(QStringLiteral("SELECT * FROM \"%1\" LIMIT 30").arg(table));
      int rows = 0;
      for (; query.next(); ++rows)
        for (int column = 0; column < query.record().count(); ++column) {
          const QString key = QStringLiteral("%1 %2 %3").arg(table).arg(rows).arg(column);
          const QByteArray value = query.value(column).toByteArray();
          reading[key + QStringLiteral(" length")] = static_cast<double>(value.size());
          if (value.size() < 64) reading[key] = QString::fromUtf8(value);
        }
      reading[table] = static_cast<double>(rows);
    }
  }
  QSqlDatabase::removeDatabase(name);
  return reading;
}

inline Reading environment(qint64 process) {
  Reading reading;
  QFile file(QStringLiteral("/proc/%1/environ").arg(process));
  if (process == QCoreApplication::applicationPid()) {
    const QStringList all = QProcessEnvironment::systemEnvironment().toStringList();
    for (const QString& entry : all) reading[entry.section(u'=', 0, 0)] = entry.section(u'=', 1);
  } else if (file.open(QIODevice::ReadOnly)) {
    for (const QByteArray& entry : file.readAll().split('\0')) reading[QString::fromUtf8(entry).section(u'=', 0, 0)] = QString::fromUtf8(entry).section(u'=', 1);
  }
  return reading;
}

// Command lines of the process and its children, and what its system figures say.
inline Reading processes(qint64 process) {
  Reading reading;
  QDirIterator all(QStringLiteral("/proc"), QDir::Dirs | QDir::NoDotAndDotDot);
  int children = 0;
  while (all.hasNext()) {
    const QString path = all.next(), id = all.fileName();
    bool number = false;
    id.toLongLong(&number);
    if (!number) continue;
    QFile stat(path + QStringLiteral("/stat")), line(path + QStringLiteral("/cmdline"));
    if (!stat.open(QIODevice::ReadOnly) || !line.open(QIODevice::ReadOnly)) continue;
    const QByteArray fields = stat.readAll();
    const qint64 parent = fields.mid(fields.lastIndexOf(')') + 4).split(' ').value(0).toLongLong();
    if (id.toLongLong() != process && parent != process) continue;
    const QString key = id.toLongLong() == process ? QStringLiteral("own") : QStringLiteral("child %1").arg(children++);
    reading[key] = QString::fromUtf8(line.readAll().replace('\0', ' '));
  }
  reading[QStringLiteral("children")] = static_cast<double>(children);
  return reading;
}

inline Reading openFiles(qint64 process) {
  Reading reading;
  const QDir folder(QStringLiteral("/proc/%1/fd").arg(process));
  for (const QString& name : folder.entryList(QDir::Files | QDir::System | QDir::NoDotAndDotDot)) {
    char target[4096] = {};
    const ssize_t length = ::readlink(folder.filePath(name).toLocal8Bit().constData(), target, sizeof target - 1);
    reading[name] = QString::fromLocal8Bit(target, length);
    QFile info(QStringLiteral("/proc/%1/fdinfo/%2").arg(process).arg(name));
    if (info.open(QIODevice::ReadOnly)) reading[name + QStringLiteral(" position")] = info.readLine().mid(4).trimmed().toDouble();
  }
  reading[QStringLiteral("count")] = static_cast<double>(reading.size());
  return reading;
}

}  // namespace cheat
