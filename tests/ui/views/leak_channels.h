// What can be read of a window, its process and its files without looking at pixels: one function per channel.
#pragma once

#include "tests/ui/views/leak_cheat.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/bare_pixels.h"

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
    reading[QStringLiteral("%1 place").arg(i)] =
        QStringLiteral("%1 %2 %3 %4").arg(widget->x()).arg(widget->y()).arg(widget->width()).arg(widget->height());
    reading[QStringLiteral("%1 state").arg(i)] =
        QStringLiteral("%1 %2 %3").arg(widget->hasFocus()).arg(widget->underMouse()).arg(widget->cursor().shape());
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

inline Reading files(const QStringList& folders) {
  Reading reading;
  const QFileInfoList all = filesBelow(folders);
  reading[QStringLiteral("count")] = static_cast<double>(all.size());
  for (qsizetype i = 0; i < all.size(); ++i) reading[QStringLiteral("%1 name").arg(i)] = all[i].fileName();
  return reading;
}

inline Reading fileSizes(const QStringList& folders) {
  Reading reading;
  for (const QFileInfo& file : filesBelow(folders)) reading[file.fileName()] = static_cast<double>(file.size());
  return reading;
}

inline Reading fileTimes(const QStringList& folders, const QDateTime& since) {
  Reading reading;
  for (const QFileInfo& file : filesBelow(folders)) reading[file.fileName()] = static_cast<double>(since.msecsTo(file.lastModified()));
  return reading;
}

// The parts of a picture's file beside its pixels: chunks of a PNG, segments of a JPEG. what: "tEXt", "eXIf", … or "APP1".
inline QStringList partsOf(const QByteArray& file, const QByteArray& what) {
  QStringList found;
  const auto number = [&](qsizetype at, int bytes) {
    quint32 value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<uchar>(file.at(at + i));
    return static_cast<qsizetype>(value);
  };
  if (file.startsWith("\x89PNG")) {
    for (qsizetype at = 8; at + 12 <= file.size(); at += 12 + number(at, 4))
      if (file.mid(at + 4, 4) == what) found << QString::fromLatin1(file.mid(at + 8, number(at, 4)).toHex());
  } else if (file.startsWith("\xFF\xD8")) {
    for (qsizetype at = 2; at + 4 <= file.size() && file.at(at) == '\xFF' && file.at(at + 1) != '\xDA'; at += 2 + number(at + 2, 2))
      if (file.at(at + 1) == '\xE1' && what == "APP1") found << QString::fromLatin1(file.mid(at + 4, number(at + 2, 2) - 2).toHex());
  }
  return found;
}

inline Reading pictureParts(const QStringList& folders, const QList<QByteArray>& kinds) {
  Reading reading;
  for (const QFileInfo& info : filesBelow(folders)) {
    QFile file(info.filePath());
    if (!file.open(QIODevice::ReadOnly)) continue;
    const QByteArray content = file.readAll();
    for (const QByteArray& kind : kinds) {
      const QStringList parts = partsOf(content, kind);
      for (qsizetype i = 0; i < parts.size(); ++i)
        reading[QStringLiteral("%1 %2 %3").arg(info.fileName(), QString::fromLatin1(kind)).arg(i)] = parts[i];
    }
  }
  reading[QStringLiteral("parts")] = static_cast<double>(reading.size());
  return reading;
}

inline Reading pictureTexts(const QStringList& folders) { return pictureParts(folders, {"tEXt", "zTXt", "iTXt", "tIME"}); }
inline Reading pictureExif(const QStringList& folders) { return pictureParts(folders, {"eXIf", "APP1"}); }

// What is written beside a picture with these very pixels in any table of any database: short words that are no hash. Of the study's own pictures
// that is nothing, and of a history their variants.
inline QString namesOf(const QString& pixels, const QStringList& folders) {
  QStringList found;
  for (const QFileInfo& info : filesBelow(folders)) {
    if (!info.fileName().contains(QStringLiteral(".sqlite")) || info.fileName().contains(QStringLiteral("-"))) continue;
    const QString name = QStringLiteral("lookup");
    {
      QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name);
      database.setDatabaseName(info.filePath());
      database.setConnectOptions(QStringLiteral("QSQLITE_OPEN_READONLY"));
      if (!database.open()) qFatal("the cheat cannot open the database");
      for (const QString& table : database.tables()) {
        QSqlQuery query(database);
        query.exec(QStringLiteral("SELECT * FROM \"%1\"").arg(table));
        while (query.next()) {
          QStringList words;
          bool same = false;
          for (int column = 0; column < query.record().count(); ++column) {
            const QByteArray value = query.value(column).toByteArray();
            if (value.startsWith("\x89PNG"))
              same = same || quantspot::ui::pixelHash(QImage::fromData(value, "PNG").convertToFormat(QImage::Format_RGB888)) == pixels;
            else if (value.contains(pixels.toLatin1())) same = true;
            else if (value.size() < 40 && query.value(column).typeId() == QMetaType::QString) words << QString::fromUtf8(value);
          }
          if (same) found << words.join(u'/');
        }
      }
    }
    QSqlDatabase::removeDatabase(name);
  }
  found.removeAll(QString());
  found.sort();
  return found.join(u' ');
}

// The pictures on screen, looked up in the data folder: by name, and which two have the same one.
inline Reading lookup(const std::vector<QImage>& pictures, const QStringList& folders) {
  Reading reading;
  QStringList names;
  for (const QImage& picture : pictures) names << namesOf(quantspot::ui::pixelHash(picture.convertToFormat(QImage::Format_RGB888)), folders);
  for (qsizetype i = 0; i < names.size(); ++i) {
    reading[QString::number(i)] = names[i];
    for (qsizetype j = 0; j < i; ++j)
      reading[QStringLiteral("%1 as %2").arg(i).arg(j)] = names[i].isEmpty() ? QString() : QString::number(names[i] == names[j]);
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
    for (const QByteArray& entry : file.readAll().split('\0'))
      reading[QString::fromUtf8(entry).section(u'=', 0, 0)] = QString::fromUtf8(entry).section(u'=', 1);
  }
  return reading;
}

// The process and its children, in the order of their ids.
inline std::vector<qint64> familyOf(qint64 process) {
  std::vector<qint64> children;
  for (const QString& id : QDir(QStringLiteral("/proc")).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
    QFile stat(QStringLiteral("/proc/%1/stat").arg(id));
    if (id.toLongLong() == 0 || !stat.open(QIODevice::ReadOnly)) continue;
    const QByteArray fields = stat.readAll();
    if (fields.mid(fields.lastIndexOf(')') + 4).split(' ').value(0).toLongLong() == process) children.push_back(id.toLongLong());
  }
  std::sort(children.begin(), children.end());
  children.insert(children.begin(), process);
  return children;
}

// One file of /proc of each of them.
inline Reading ofFamily(qint64 process, const QString& name) {
  Reading reading;
  const auto family = familyOf(process);
  for (std::size_t i = 0; i < family.size(); ++i) {
    QFile file(QStringLiteral("/proc/%1/%2").arg(family[i]).arg(name));
    if (file.open(QIODevice::ReadOnly)) reading[QString::number(i)] = QString::fromUtf8(file.readAll().replace('\0', ' ').trimmed());
  }
  reading[QStringLiteral("count")] = static_cast<double>(family.size());
  return reading;
}

inline Reading processes(qint64 process) { return ofFamily(process, QStringLiteral("cmdline")); }
inline Reading processNames(qint64 process) { return ofFamily(process, QStringLiteral("comm")); }
inline Reading childEnvironments(qint64 process) {
  Reading reading = ofFamily(process, QStringLiteral("environ"));
  reading.remove(QStringLiteral("0"));   // its own: environment()
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
