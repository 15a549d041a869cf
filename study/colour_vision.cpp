#include "study/colour_vision.h"

#include "study/csv.h"
#include "study/error.h"
#include "study/order.h"
#include "study/rounding.h"

#include <QJsonDocument>

#include <algorithm>
#include <map>

namespace quantspot::study {
namespace {

constexpr ColourAxis kAxes[] = {ColourAxis::Control, ColourAxis::Protan, ColourAxis::Deutan, ColourAxis::Tritan};
constexpr int kFirstNumeral = 2, kNumerals = 8;          // 0 and 1 have too little form

const std::pair<const char*, const char*> kColumns[] = {
    {"record", "number of the record in chain.csv"},
    {"participant", "random id"},
    {"plate", "place in the check, from 0"},
    {"axis", "control (everybody reads it), protan, deutan, tritan: the cone whose lack hides the numeral"},
    {"numeral", "what the plate shows"},
    {"answer", "0 to 9, or none: no number was seen; of a check done twice the last counts"},
    {"read", "1 when the answer is the numeral, else 0"},
};

QByteArray digest(const Mapping& mapping, const QString& participant, const std::vector<PlannedPlate>& plates) {
  QJsonArray parts{participant};
  for (const PlannedPlate& plate : plates) parts << axisName(plate.axis) << plate.numeral << QString::number(plate.seed);
  return hmacHex(mapping.salt, "plates\n" + QJsonDocument(parts).toJson(QJsonDocument::Compact));
}

}  // namespace

QString axisName(ColourAxis axis) {
  static const QStringList names{QStringLiteral("control"), QStringLiteral("protan"), QStringLiteral("deutan"), QStringLiteral("tritan")};
  return names[static_cast<int>(axis)];
}

std::vector<PlannedPlate> planPlates(const Protocol& protocol, const QString& hash, const Mapping& mapping, const QString& participant) {
  if (protocol.colour_plates == 0) return {};
  SecretDraws draws(mapping.salt, "plates\n" + hash.toUtf8() + '\n' + participant.toUtf8());
  std::vector<PlannedPlate> plates;
  for (const ColourAxis axis : kAxes) {
    std::vector<int> numerals;
    for (int i = 0; i < kNumerals; ++i) numerals.push_back(kFirstNumeral + i);
    draws.shuffle(numerals);
    const int count = axis == ColourAxis::Control ? 1 : protocol.colour_plates;
    for (int i = 0; i < count; ++i) plates.push_back({axis, numerals[static_cast<std::size_t>(i)], static_cast<quint64>(draws.below(1 << 30))});
  }
  std::vector<PlannedPlate> coloured(plates.begin() + 1, plates.end());
  draws.shuffle(coloured);
  std::copy(coloured.begin(), coloured.end(), plates.begin() + 1);
  return plates;
}

bool isPlateAnswer(const QString& answer) {
  return answer == QLatin1String("none") || (answer.size() == 1 && answer[0] >= QLatin1Char('0') && answer[0] <= QLatin1Char('9'));
}

QJsonObject plateRecord(const Mapping& mapping, const QString& participant, const std::vector<PlannedPlate>& plates, const QStringList& answers) {
  if (answers.size() != static_cast<qsizetype>(plates.size()) || !std::all_of(answers.begin(), answers.end(), isPlateAnswer))
    throw Error(QStringLiteral("the colour-vision check takes one answer per plate, 0 to 9 or none"));
  return {{"answers", QJsonArray::fromStringList(answers)}, {"shown", QString::fromLatin1(digest(mapping, participant, plates))}};
}

void takePlates(const Protocol& protocol, const QString& hash, const Mapping& mapping, qint64 number, const QJsonObject& record,
                std::vector<PlateRow>& rows) {
  const QString participant = record[QStringLiteral("participant")].toString();
  const std::vector<PlannedPlate> plates = planPlates(protocol, hash, mapping, participant);
  const QJsonArray answers = record[QStringLiteral("answers")].toArray();
  if (plates.empty()) throw Error(QStringLiteral("holds a colour-vision check, which the protocol does not have"));
  if (record[QStringLiteral("shown")].toString() != QString::fromLatin1(digest(mapping, participant, plates)))
    throw Error(QStringLiteral("was given to other plates than the plan shows"));
  if (answers.size() != static_cast<qsizetype>(plates.size())) throw Error(QStringLiteral("holds a colour-vision check that is not whole"));
  std::vector<PlateRow> fresh;
  for (std::size_t i = 0; i < plates.size(); ++i) {
    const QString answer = answers[static_cast<qsizetype>(i)].toString();
    if (!isPlateAnswer(answer)) throw Error(QStringLiteral("holds '%1', which no plate takes").arg(answer));
    fresh.push_back({number, participant, static_cast<int>(i), axisName(plates[i].axis), plates[i].numeral, answer,
                     answer == QString::number(plates[i].numeral)});
  }
  std::erase_if(rows, [&](const PlateRow& row) { return row.participant == participant; });
  rows.insert(rows.end(), fresh.begin(), fresh.end());
}

int platesRead(const std::vector<PlateRow>& rows, const QString& participant) {
  return static_cast<int>(std::count_if(rows.begin(), rows.end(), [&](const PlateRow& row) {
    return row.participant == participant && row.axis != axisName(ColourAxis::Control) && row.read;
  }));
}

QByteArray platesCsv(const std::vector<PlateRow>& rows) {
  QStringList header;
  for (const auto& [name, meaning] : kColumns) header << QLatin1String(name);
  QByteArray text = csvLine(header);
  for (const PlateRow& row : rows)
    text += csvLine({QString::number(row.record), row.participant, QString::number(row.plate), row.axis, QString::number(row.numeral), row.answer,
                     QString::number(row.read)});
  return text;
}

QByteArray platesCodebook() {
  QByteArray text;
  for (const auto& [name, meaning] : kColumns)
    text += csvLine({QStringLiteral("colour_vision.csv"), QLatin1String(name), QString::fromUtf8(meaning)});
  return text;
}

QJsonObject plateFigures(const Protocol& protocol, const std::vector<PlateRow>& rows) {
  std::map<QString, std::map<QString, int>> read;        // participant → axis → plates
  std::map<QString, int> sums, shown;
  for (const PlateRow& row : rows) {
    read[row.participant][row.axis] += row.read;
    sums[row.axis] += row.read, ++shown[row.axis];
  }
  QJsonArray axes, participants;
  for (const ColourAxis axis : kAxes) axes << QJsonObject{{"axis", axisName(axis)}, {"read", sums[axisName(axis)]}, {"shown", shown[axisName(axis)]}};
  for (auto& [participant, by] : read) {
    QJsonObject one{{"participant", participant}};
    for (const ColourAxis axis : kAxes) one[axisName(axis)] = by[axisName(axis)];
    participants << one;
  }
  return {{"plates_per_axis", protocol.colour_plates}, {"needed", protocol.exclusion.min_plates_read}, {"axes", axes},
          {"participants", participants}};
}

QStringList plateLines(const QJsonObject& figures) {
  QStringList parts, lines;
  for (const QJsonValue& axis : figures["axes"].toArray())
    parts << QStringLiteral("%1 %2 of %3").arg(axis["axis"].toString()).arg(axis["read"].toInt()).arg(axis["shown"].toInt());
  const QJsonArray people = figures["participants"].toArray();
  const QString who = counted(static_cast<int>(people.size()), "person", "people");
  lines << QStringLiteral("Plates read by %1: %2").arg(who, parts.join(QStringLiteral(", ")));
  const int each = figures["plates_per_axis"].toInt();
  for (const QJsonValue& one : people) {
    const auto read = [&](const char* axis) { return one[QLatin1String(axis)].toInt(); };
    if (read("control") == 1 && read("protan") == each && read("deutan") == each && read("tritan") == each) continue;
    lines << QStringLiteral("%1: control %2, protan %3 of %6, deutan %4 of %6, tritan %5 of %6").arg(one["participant"].toString(),
        read("control") ? QStringLiteral("read") : QStringLiteral("missed")).arg(read("protan")).arg(read("deutan")).arg(read("tritan")).arg(each);
  }
  return lines;
}

}  // namespace quantspot::study
