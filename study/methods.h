// How each figure of an analysis is obtained, and what it was checked against: said on the page, in the report and in the documentation.
#pragma once

#include <QString>

#include <vector>

namespace quantspot::study {

struct Method {
  QString figure;                 // key of analysis.json, or of its part
  QString title, how, oracle;     // oracle: the independent program or source whose values the tests hold
  QString line() const;           // "HOW Checked against ORACLE."
};

const std::vector<Method>& methods();
// The method of a figure. Throws Error for a key without one.
const Method& methodOf(const QString& figure);

}  // namespace quantspot::study
