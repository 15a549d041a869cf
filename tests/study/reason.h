// Why something was refused.
#pragma once

#include "study/error.h"

#include <QString>

#include <functional>

namespace quantspot::study::test {

// The message of the Error that `body` throws; empty when it throws none.
inline QString reason(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return QString::fromStdString(error.what());
  }
  return {};
}

}  // namespace quantspot::study::test
