// The colour-vision check before the first trial: which plates somebody is shown, what was read, and figures of it. How a plate is drawn:
// ui/models/colour_plate.h. A screen of unknown colours in unknown light is no diagnosis: the check says who may not see what others see here.
#pragma once

#include "study/freeze.h"

#include <QJsonArray>

#include <vector>

namespace quantspot::study {

// Control: everybody reads it, by its brightness. The others: the cone whose lack makes the numeral vanish.
enum class ColourAxis { Control, Protan, Deutan, Tritan };
QString axisName(ColourAxis axis);     // "control", "protan", "deutan", "tritan": stored, never rename

struct PlannedPlate {
  ColourAxis axis = ColourAxis::Control;
  int numeral = 0;                     // 2…9
  quint64 seed = 0;                    // of its dots
};

// The control first, then protocol.colour_plates of each axis in a drawn order, no numeral twice in one axis. Empty without the check. Drawn from the
// salt, the study and the participant, as orders are.
std::vector<PlannedPlate> planPlates(const Protocol& protocol, const QString& hash, const Mapping& mapping, const QString& participant);

// "0" … "9", or "none": I see no number.
bool isPlateAnswer(const QString& answer);
// What goes into the record "colour-vision": `answers` in the order of the plates, and a keyed digest of what was `shown`. Throws Error.
QJsonObject plateRecord(const Mapping& mapping, const QString& participant, const std::vector<PlannedPlate>& plates, const QStringList& answers);

struct PlateRow {
  qint64 record = 0;                   // number in the chain
  QString participant;
  int plate = 0;                       // from 0, the control
  QString axis;
  int numeral = 0;
  QString answer;
  bool read = false;
};

// Puts a record of kind "colour-vision" into `rows`, in place of an earlier check of the same participant. Throws Error for other plates than the
// plan shows and for answers that no plate takes; nothing is then changed.
void takePlates(const Protocol& protocol, const QString& hash, const Mapping& mapping, qint64 number, const QJsonObject& record,
                std::vector<PlateRow>& rows);

// Plates of the three axes that were read; 0 for somebody who was not checked.
int platesRead(const std::vector<PlateRow>& rows, const QString& participant);

QByteArray platesCsv(const std::vector<PlateRow>& rows);
QByteArray platesCodebook();           // lines of codebook.csv

// `plates_per_axis`, `needed` (of the exclusion's rule; 0: none), `axes`: per axis `read` and `shown`, and `participants`: of each what was read
// per axis.
QJsonObject plateFigures(const Protocol& protocol, const std::vector<PlateRow>& rows);
// One line per axis and one per participant who missed a plate, for people.
QStringList plateLines(const QJsonObject& figures);

}  // namespace quantspot::study
