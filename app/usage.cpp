#include "app/usage.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>
#include <string_view>

namespace quantspot::cli {
namespace {

constexpr int kMostThreads = 1024;

// The whole text as one finite number.
template <class T>
std::optional<T> numberOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(static_cast<double>(value)) ? std::optional(value) : std::nullopt;
}

template <class Accepts>
CLI::Validator number(Accepts accepts, const std::string& wanted, const std::string& shown) {
  const auto check = [accepts, wanted](const std::string& text) {
    const std::optional<double> value = numberOf<double>(text);
    return value && accepts(*value) ? std::string() : "'" + text + "' is not " + wanted;
  };
  return {check, shown};
}

std::string shortly(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// The command that the arguments belong to, as far as they name one: "quantspot-cli models list".
const CLI::App& commandOf(const CLI::App& app, std::string& name) {
  const CLI::App* command = &app;
  for (auto chosen = command->get_subcommands(); !chosen.empty() && !chosen.front()->get_name().empty(); chosen = command->get_subcommands()) {
    command = chosen.front();
    name += " " + command->get_name();
  }
  return *command;
}

// CLI11 says the same of an unknown command and of none.
std::string aboutCommands(const CLI::App& command) {
  const std::vector<std::string> given = command.remaining();
  std::string text = given.empty() ? "a command is missing" : "there is no command '" + given.front() + "'";
  std::string known;
  for (const CLI::App* one : command.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); }))
    known += (known.empty() ? "" : ", ") + one->get_name();
  return text + "; commands: " + known;
}

std::string what(const CLI::App& command, const CLI::ParseError& error) {
  std::string text = error.what();
  if (text == "A subcommand is required") return aboutCommands(command);
  constexpr std::string_view conversion = "Could not convert: ";   // and then "--steps = many"
  if (text.starts_with(conversion)) text = text.substr(conversion.size()) + " is no number, or too large a one";
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

CLI::Validator positive() { return number([](double value) { return value > 0; }, "a number above 0", "POSITIVE"); }
CLI::Validator notNegative() { return number([](double value) { return value >= 0; }, "a number from 0", "NONNEGATIVE"); }

CLI::Validator within(double low, double high) {
  const std::string range = shortly(low) + " to " + shortly(high);
  return number([=](double value) { return value >= low && value <= high; }, "a number from " + range, "[" + range + "]");
}

CLI::Validator seedNumber() {
  return {[](const std::string& text) {
    return numberOf<std::uint64_t>(text) ? std::string() : "'" + text + "' is no whole number from 0 below 2^64";
  }, "UINT64"};
}

CLI::Validator deviceName() {
  return {[](const std::string& text) {
    const bool numbered = text.starts_with("cuda:") && numberOf<std::uint8_t>(text.substr(5));
    return text == "cpu" || text == "cuda" || numbered ? std::string() : "'" + text + "' is no device; give cpu or cuda:0";
  }, "DEVICE"};
}

CLI::Validator threadCount() {
  return {[](const std::string& text) {
    const std::optional<int> count = numberOf<int>(text);
    return count && *count >= 1 && *count <= kMostThreads ? std::string()
                                                          : "'" + text + "' is no whole number from 1 to " + std::to_string(kMostThreads);
  }, "THREADS"};
}

CLI::Validator notEmpty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, ""};
}

int endOfParsing(const CLI::App& app, const CLI::ParseError& error, const std::string& program) {
  if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);
  std::string name = program;
  const CLI::App& command = commandOf(app, name);
  std::fprintf(stderr, "%s: %s (see %s --help)\n", program.c_str(), what(command, error).c_str(), name.c_str());
  return 2;
}

}  // namespace quantspot::cli
