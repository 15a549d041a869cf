// What the headless parts of study/ throw: one line that says what failed, where, and what to do.
#pragma once

#include <QString>

#include <stdexcept>

namespace quantspot::study {

class Error : public std::runtime_error {
 public:
  explicit Error(const QString& message) : std::runtime_error(message.toStdString()) {}
};

// What trying again cannot help.
class Refused : public Error {
 public:
  using Error::Error;
};

}  // namespace quantspot::study
