// What the command lines of all programs share: checks of values, and what is wrong with a line of arguments in one line.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace quantspot::cli {

// Checks of options that hold numbers. Those of CLI11 tell the largest double as a bound, and let "nan" pass.
CLI::Validator positive();
CLI::Validator notNegative();
CLI::Validator within(double low, double high);
// 0 to 2^64 - 1: CLI11 takes -1 for the largest, and the largest for whatever lies beyond.
CLI::Validator seedNumber();
// 1 to 1024: beyond it, threads are a typing error, which OpenMP does not outlive.
CLI::Validator threadCount();
// cpu, cuda or cuda:N, as libtorch names devices; whether there is one is the engine's to say.
CLI::Validator deviceName();
// Of paths and names: "" is mostly a variable of a script that was never set.
CLI::Validator notEmpty();

// After a failed CLI::App::parse(): prints the help or version that was asked for on stdout, else one line on stderr. Returns the exit code, 0 or 2.
int endOfParsing(const CLI::App& app, const CLI::ParseError& error, const std::string& program);

}  // namespace quantspot::cli
