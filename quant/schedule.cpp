#include "quant/schedule.h"

#include "quant/quantizer.h"

#include <charconv>
#include <optional>
#include <stdexcept>

namespace quantspot::quant {
namespace {

[[noreturn]] void fail(std::string_view text, const std::string& why) {
  throw std::invalid_argument("steps \"" + std::string(text) + "\": " + why);
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0 ? std::optional(value) : std::nullopt;
}

// "bf16@0-3"
StepSpan parseSpan(std::string_view text, std::string_view span) {
  const std::size_t at = span.rfind('@'), dash = at == std::string_view::npos ? at : span.find('-', at);
  if (dash == std::string_view::npos) fail(text, "\"" + std::string(span) + "\" is not precision@first-last");
  const std::optional<int> first = number(span.substr(at + 1, dash - at - 1));
  const bool open = dash + 1 == span.size();
  const std::optional<int> last = open ? std::optional(-1) : number(span.substr(dash + 1));
  if (!first || !last || (!open && *last < *first)) fail(text, "\"" + std::string(span.substr(at)) + "\" is no range of steps; write @0-3 or @4-");
  return {parsePolicy(span.substr(0, at)), *first, *last};
}

// Where the span that begins the text ends: a comma after its "@", because those before belong to its policy.
std::size_t spanEnd(std::string_view text) {
  const std::size_t at = text.find('@');
  return at == std::string_view::npos ? text.size() : std::min(text.find(',', at), text.size());
}

}  // namespace

std::vector<StepSpan> parseSchedule(std::string_view text) {
  if (text.find('@') == std::string_view::npos) return {{parsePolicy(text), 0, -1}};
  std::vector<StepSpan> spans;
  int next = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view span = rest.substr(0, spanEnd(rest));
    spans.push_back(parseSpan(text, span));
    if (next < 0 || spans.back().first != next) fail(text, "\"" + std::string(span) + "\" should begin with step " + std::to_string(std::max(0, next)));
    next = spans.back().last < 0 ? -1 : spans.back().last + 1;
    rest.remove_prefix(std::min(rest.size(), span.size() + 1));
  }
  for (const StepSpan& span : spans)
    if (quantizer(span.policy.precision).computeType() != quantizer(spans.front().policy.precision).computeType())
      fail(text, span.policy.precision + " computes in another type than " + spans.front().policy.precision);
  return spans;
}

std::string text(const std::vector<StepSpan>& schedule) {
  if (schedule.size() == 1 && schedule[0].first == 0 && schedule[0].last < 0) return schedule[0].policy.text();
  std::string line;
  for (const StepSpan& span : schedule)
    line += (line.empty() ? "" : ",") + span.policy.text() + "@" + std::to_string(span.first) + "-" + (span.last < 0 ? "" : std::to_string(span.last));
  return line;
}

std::vector<StepSpan> spansFor(std::vector<StepSpan> schedule, int steps) {
  std::erase_if(schedule, [steps](const StepSpan& span) { return span.first >= steps; });
  StepSpan& end = schedule.back();
  if (end.last >= 0 && end.last < steps - 1)
    throw std::invalid_argument("steps: the schedule ends with step " + std::to_string(end.last) + ", but " + std::to_string(steps) + " are asked for; end it with @" +
                                std::to_string(end.first) + "-");
  end.last = steps - 1;
  return schedule;
}

}  // namespace quantspot::quant
