// JSON values in QCOMPARE go through text: QTest would try to convert them to everything that it can print.
#pragma once

#include <QString>

#include <nlohmann/json.hpp>

namespace quantspot::test {

inline QString text(const nlohmann::json& value) { return QString::fromStdString(value.dump()); }

}  // namespace quantspot::test
