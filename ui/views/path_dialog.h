// Asks for files and folders, and tells what went wrong, without holding up the window: drawing goes on, and so may the user.
#pragma once

#include <QString>

#include <functional>

class QFileDialog;
class QWidget;

namespace quantspot::views {

enum class PathKind { File, Files, Folder, NewFile };

struct PathQuestion {
  QString title;
  PathKind kind = PathKind::File;
  QString start = {};          // a folder, or of NewFile the file that is proposed; without a folder: where the last file was chosen
  QString filter = {};         // "Tables (*.csv)"; of a NewFile its ending is added where none is typed
};

// use is called once for each path that is chosen, and not at all when nothing is. The dialog belongs to the parent and goes by itself;
// asked again while it is open, it comes to the front instead of a second one.
QFileDialog* askForPath(QWidget* parent, const PathQuestion& question, const std::function<void(const QString&)>& use);

// The folder in which dialogs begin is kept in this file of settings from now on, also for the program's next start.
void rememberFolderIn(const QString& settings);

// "bnb-nf4?skip=proj_out" as a name that every file system takes, without an ending.
QString fileNameOf(const QString& precision);

// A box with one line, beside the work and not in its way.
void showTrouble(QWidget* parent, const QString& title, const QString& text);

}  // namespace quantspot::views
