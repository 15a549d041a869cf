#include "ui/models/auto_choice.h"

#include <QCoreApplication>

namespace quantspot::ui {
namespace {

const QString kAuto = QStringLiteral("auto"), kMemory = QStringLiteral("auto?memory="), kUnit = QStringLiteral("GiB"),
    kError = QStringLiteral("auto?error=");

constexpr double kMost = 1e6;            // GiB: bytes that an integer holds

QString tr(const char* text) { return QCoreApplication::translate("AutoChoice", text); }

}  // namespace

QString AutoChoice::id() const {
  if (error > 0) return kError + QString::number(error, 'g', 6);
  return gibibytes > 0 ? kMemory + QString::number(gibibytes, 'g', 6) + kUnit : kAuto;
}

QString AutoChoice::label() const {
  if (error > 0) return tr("Auto: error up to %1").arg(error);
  return gibibytes > 0 ? tr("Auto: up to %1\u2009GiB").arg(gibibytes) : tr("Auto: what is free");
}

std::optional<AutoChoice> parseAuto(const QString& id) {
  if (id == kAuto) return AutoChoice{};
  const bool memory = id.startsWith(kMemory) && id.endsWith(kUnit);
  if (!memory && !id.startsWith(kError)) return std::nullopt;
  bool number = false;
  const double value = (memory ? id.mid(kMemory.size()).chopped(kUnit.size()) : id.mid(kError.size())).toDouble(&number);
  if (!number || !(value > 0 && value <= kMost)) return std::nullopt;
  return memory ? AutoChoice{value, 0} : AutoChoice{0, value};
}

}  // namespace quantspot::ui
