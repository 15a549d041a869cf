#include "engine/model/prompt_weights.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace quantspot::model {
namespace {

constexpr double kRound = 1.1, kSquare = 1 / 1.1;

// A number that a colon leads in and a bracket ends: ":1.2)".
struct Explicit {
  double weight;
  std::size_t length;                    // with colon and bracket
};

std::optional<Explicit> explicitWeight(std::string_view rest) {
  const std::size_t end = rest.find(')');
  if (rest.empty() || rest.front() != ':' || end == std::string_view::npos) return {};
  std::string_view number = rest.substr(1, end - 1);
  while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
  while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  if (number.starts_with('+')) number.remove_prefix(1);
  double weight = 0;
  const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), weight);
  if (error != std::errc() || stop != number.data() + number.size() || !std::isfinite(weight)) return {};
  return Explicit{weight, end + 1};
}

class Parser {
 public:
  std::vector<WeightedText> run(std::string_view prompt);

 private:
  void multiply(std::size_t from, double by) {
    for (std::size_t i = from; i < parts_.size(); ++i) parts_[i].weight *= by;
  }
  void close(std::vector<std::size_t>& open, double by) {
    if (!open.empty()) multiply(open.back(), by), open.pop_back();
  }
  std::size_t take(std::string_view rest);   // how many characters it was

  std::vector<WeightedText> parts_;
  std::vector<std::size_t> round_, square_;   // where open brackets began
};

std::size_t Parser::take(std::string_view rest) {
  constexpr std::string_view special = "()[]\\";
  const char c = rest.front();
  if (c == '\\' && rest.size() > 1 && special.find(rest[1]) != std::string_view::npos) {
    parts_.push_back({std::string(1, rest[1]), 1});
    return 2;
  }
  if (const auto given = explicitWeight(rest); given && !round_.empty()) {
    close(round_, given->weight);
    return given->length;
  }
  if (c == '(') round_.push_back(parts_.size());
  else if (c == '[') square_.push_back(parts_.size());
  else if (c == ')' && !round_.empty()) close(round_, kRound);
  else if (c == ']' && !square_.empty()) close(square_, kSquare);
  else parts_.push_back({std::string(1, c), 1});
  return 1;
}

std::vector<WeightedText> Parser::run(std::string_view prompt) {
  while (!prompt.empty()) prompt.remove_prefix(take(prompt));
  while (!round_.empty()) close(round_, kRound);
  while (!square_.empty()) close(square_, kSquare);
  std::vector<WeightedText> joined;
  for (WeightedText& part : parts_) {
    if (!joined.empty() && joined.back().weight == part.weight) joined.back().text += part.text;
    else joined.push_back(std::move(part));
  }
  if (joined.empty()) joined.push_back({});
  return joined;
}

}  // namespace

std::vector<WeightedText> parseWeights(std::string_view prompt) { return Parser().run(prompt); }

}  // namespace quantspot::model
