// quantspot-study: blind studies without a window. JSON goes to stdout, everything else to stderr.
#include "app/quantspot-study/stat.h"

#include <CLI/CLI.hpp>
#include <QCoreApplication>
#include <QJsonDocument>

#include <cstdio>
#include <functional>
#include <iostream>

using namespace quantspot;
using namespace quantspot::cli;

namespace {

struct Arguments {
  std::string name;
  std::vector<std::string> keys;
};

void print(const QJsonObject& json) { std::cout << QJsonDocument(json).toJson(QJsonDocument::Indented).constData(); }

QStringList list(const std::vector<std::string>& texts) {
  QStringList result;
  for (const std::string& text : texts) result << QString::fromStdString(text);
  return result;
}

void addCommands(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& s = *app.add_subcommand("stat", "One figure as JSON: " + statNames().join(", ").toStdString());
  s.add_option("name", a.name, "Which figure")->required();
  s.add_option("keys", a.keys, "key=value …, such as correct=12 trials=16 chance=0.25");
  s.callback([&] { run = [&] { print(stat(QString::fromStdString(a.name), Keys(list(a.keys)))); return 0; }; });
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  CLI::App app("Blind studies without a window: plan, collect, verify and analyze");
  app.set_version_flag("--version", QUANTSPOT_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  std::function<int()> run;
  addCommands(app, arguments, run);
  try {
    app.parse(argc, argv);
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "quantspot-study: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quantspot-study: %s\n", error.what());
    return 1;
  }
}
