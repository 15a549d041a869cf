// What a precision is called where there is little room: on tiles, chips and charts.
#pragma once

#include <QHash>
#include <QString>

namespace quantspot::ui {

// The id; of a policy the name that the user gave it, or else its text, cut in the middle. 20 letters at most, but ids are whole.
QString shortName(const QString& precision);

// Names of policies by their text, those of the library; one table for the program, from the GUI's thread.
void setPolicyNames(QHash<QString, QString> names);

}  // namespace quantspot::ui
