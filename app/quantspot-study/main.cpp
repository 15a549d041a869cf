// quantspot-study: blind studies without a window. JSON goes to stdout, everything else to stderr.
#include "app/quantspot-study/commands.h"
#include "app/quantspot-study/import_images.h"
#include "app/quantspot-study/stat.h"
#include "app/usage.h"

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
  StudyArguments study;
};

void print(const QJsonObject& json) { std::cout << QJsonDocument(json).toJson(QJsonDocument::Indented).constData(); }

QStringList list(const std::vector<std::string>& texts) {
  QStringList result;
  for (const std::string& text : texts) result << QString::fromStdString(text);
  return result;
}

void addText(CLI::App& command, const char* name, QString& value, const char* help, bool required = false) {
  command.add_option_function<std::string>(name, [&value](const std::string& text) { value = QString::fromStdString(text); },
      help)->required(required);
}

using Command = QJsonObject (*)(const StudyArguments&);
CLI::App& addStudyCommand(CLI::App& app, Arguments& a, std::function<int()>& run, const char* name, const char* help, Command command) {
  CLI::App& c = *app.add_subcommand(name, help);
  addText(c, "--store", a.study.store, "A file, or postgresql://USER:PASSWORD@HOST/DATABASE (default: the window's file)");
  addText(c, "--study", a.study.study, "Hash of the study, or its beginning (default: the only one)");
  addText(c, "--passphrase-file", a.study.passphrase_file, "File with the experimenter's passphrase (default: QUANTSPOT_PASSPHRASE)");
  c.callback([&a, &run, command] { run = [&a, command] {
    const QJsonObject result = command(a.study);
    print(result);
    return result["ok"].toBool(true) ? 0 : 1;
  }; });
  return c;
}

void addStudyCommands(CLI::App& app, Arguments& a, std::function<int()>& run) {
  const auto add = [&](const char* name, const char* help, Command command) -> CLI::App& { return addStudyCommand(app, a, run, name, help,
      command); };
  CLI::App& n = add("new", "Freeze a protocol with its pictures", newStudy);
  addText(n, "--protocol", a.study.protocol, "The protocol (JSON)", true);
  addText(n, "--images", a.study.images, "Folder: COMPARISON/VARIANT.png", true);
  n.add_flag("--overrule-gate", a.study.overrule_gate, "Also pictures that look broken; the study says so");
  CLI::App& g = add("ablation", "Write a protocol in which each group of layers is low in turn", ablation);
  addText(g, "--protocol", a.study.protocol, "The protocol whose variants are replaced (JSON)", true);
  addText(g, "--groups", a.study.groups, "Patterns of layers: attn,ff+proj_out", true);
  addText(g, "--low", a.study.low, "The lower precision, such as bnb-nf4", true);
  addText(g, "--out", a.study.out, "The new protocol", true);
  CLI::App& i =
      add("import-images", "Pictures made elsewhere as a study's folder: COMPARISON/VARIANT.png and a protocol to begin with", importImages);
  addText(i, "path", a.study.file, "A folder of folders named by precision, or a .csv or .json list: prompt, seed, precision, file", true);
  i.add_option_function<std::string>("--out", [&a](const std::string& path) { a.study.out = QString::fromStdString(path); },
      "A folder that is not there yet (study-images)");
  addText(add("import", "Take in a bundle, or answers as CSV", importFile), "file", a.study.file, "The bundle or the CSV file", true);
  CLI::App& e = add("export", "Print the head hash; with --out, write the bundle", exportBundle);
  addText(e, "--out", a.study.out, "The bundle (ZIP)");
  addText(e, "--participant", a.study.participant, "Instead: every record that is kept of this random id, as JSON");
  e.add_flag("--sealed", a.study.sealed, "Without the mapping: before the reveal");
  add("close", "End a study: nobody answers any more", closeStudy);
  CLI::App& v = add("verify", "Check a bundle by itself", verify);
  addText(v, "file", a.study.file, "The bundle", true);
  addText(v, "--head", a.study.head, "The head hash as exported before");
  CLI::App& y = add("analyze", "Every figure and the decisions, from a store or a bundle", analyzeStudy);
  addText(y, "file", a.study.file, "A bundle (default: the store)");
  addText(y, "--metrics", a.study.metrics, "CSV: comparison, variant, metrics …, category; which of them predicts people");
  addText(y, "--save-policy", a.study.save_policy, "Of an ablation: keep the most visible groups until the rest is not noticeable (JSON)");
  addText(y, "--head", a.study.head, "The head hash as exported before");
  CLI::App& r = add("report", "The report of a store's closed study or of a bundle", report);
  addText(r, "file", a.study.file, "A bundle (default: the store)");
  addText(r, "--out", a.study.out, "HTML");
  addText(r, "--pdf", a.study.pdf, "PDF");
  add("status", "How far a running study is, without scores", status);
  addText(add("erase", "Destroy a participant's records; the chain stays valid", erase), "--participant", a.study.participant, "The random id", true);
  CLI::App& p = add("power", "Trials needed, and the curve", power);
  p.add_option("--rate", a.study.rate, "True share of right answers")->check(within(0, 1))->required();
  p.add_option("--chance", a.study.chance, "Share right by guessing")->check(within(0, 0.999))->capture_default_str();
  p.add_option("--power", a.study.power)->check(within(0.001, 0.999999))->capture_default_str();
  p.add_option("--alpha", a.study.alpha, "One-sided")->check(within(1e-9, 0.999))->capture_default_str();
  p.add_option("--margin", a.study.margin, "Of equivalence, corrected for guessing")->check(within(0.001, 0.999))->capture_default_str();
  p.add_option("--trials", a.study.trials, "Power of this many instead")->check(CLI::Range(1, 1000000));
}

void addCommands(CLI::App& app, Arguments& a, std::function<int()>& run) {
  addStudyCommands(app, a, run);
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
    return endOfParsing(app, error, "quantspot-study");
  } catch (const UsageError& error) {
    std::fprintf(stderr, "quantspot-study: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quantspot-study: %s\n", error.what());
    return 1;
  }
}
