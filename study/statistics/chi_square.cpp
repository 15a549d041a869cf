#include "study/statistics/chi_square.h"

#include <boost/math/special_functions/gamma.hpp>

#include <numeric>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

ChiSquare finish(double statistic, int freedom) { return {statistic, boost::math::gamma_q(freedom / 2.0, statistic / 2), freedom}; }

}  // namespace

ChiSquare evenness(const std::vector<int>& counts) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (counts.size() < 2 || all <= 0) throw std::invalid_argument("a test of evenness needs two cells and a count");
  const double expected = all / static_cast<double>(counts.size());
  double statistic = 0;
  for (int count : counts) statistic += (count - expected) * (count - expected) / expected;
  return finish(statistic, static_cast<int>(counts.size()) - 1);
}

ChiSquare independence(const std::vector<std::vector<int>>& table) {
  std::vector<double> rows, columns(table.empty() ? 0 : table[0].size());
  double all = 0;
  for (const auto& row : table) {
    if (row.size() != columns.size()) throw std::invalid_argument("the rows of the table have unequal lengths");
    rows.push_back(std::accumulate(row.begin(), row.end(), 0.0));
    for (std::size_t j = 0; j < row.size(); ++j) columns[j] += row[j];
    all += rows.back();
  }
  double statistic = 0;
  int used_rows = 0, used_columns = 0;
  for (double sum : rows) used_rows += sum > 0;
  for (double sum : columns) used_columns += sum > 0;
  if (used_rows < 2 || used_columns < 2) throw std::invalid_argument("a test of independence needs two rows and two columns with counts");
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double expected = rows[i] * columns[j] / all;
      if (expected > 0) statistic += (table[i][j] - expected) * (table[i][j] - expected) / expected;
    }
  return finish(statistic, (used_rows - 1) * (used_columns - 1));
}

}  // namespace quantspot::statistics
