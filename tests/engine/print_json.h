// QCOMPARE of JSON values: without this QTest tries to convert them to everything it can print.
#pragma once

#include <QTest>

#include <nlohmann/json.hpp>

namespace QTest {

template <>
inline char* toString(const nlohmann::json& value) {
  return qstrdup(value.dump().substr(0, 200).c_str());
}

}  // namespace QTest
