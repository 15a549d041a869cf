#include "app/quantspot-cli/metric_commands.h"

#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/scorer.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <memory>

namespace quantspot::cli {
namespace {

std::atomic<bool> interrupted = false;   // a signal handler reaches nothing else

int list() {
  printJson(service::listMetrics());
  return 0;
}

int download(const std::string& name) {
  std::signal(SIGINT, [](int) { interrupted = true; });
  ProgressBar bar(name + " (MiB)");
  service::Control control;
  control.cancel = &interrupted;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  printJson({{"name", name}, {"path", service::downloadMetric(name, control).string()}});
  return 0;
}

void addScore(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<ScoreOptions>();
  CLI::App& s = *app.add_subcommand("score", "Measure pictures");
  std::set<std::string> metrics = {"latent"};
  for (const service::MetricInfo& info : service::scoreMetrics()) metrics.emplace(info.id);
  s.add_option("--metric", a->metric)->required()->check(CLI::IsMember(metrics));
  s.add_option("--a", a->a, "Picture or folder; of fid and kid also a .npz file, of latent a .safetensors file");
  s.add_option("--b", a->b, "Reference of the same kind; folders are paired by file names, for fid, kid and cmmd with --paired");
  s.add_flag("--paired", a->paired, "Of fid, kid and cmmd: files of one name in both folders are of one prompt and seed, as a baseline's are");
  s.add_option("--baseline", a->baseline, "Other pictures of the same names (as --a or --images): also the paired difference to theirs");
  s.add_option("--clip", a->clip,
               "CLIPModel: folder, a name of 'metrics list', or owner/name of the hub's cache (default: what was downloaded for cmmd, else the "
               "embedded one)");
  s.add_option("--weights", a->weights,
               "Weight files (.safetensors, .pth, .pt) of fid, kid, lpips or dists (default: what 'metrics download' fetched)")->delimiter(',');
  s.add_option("--net", a->net, "Of lpips: alex, vgg or squeeze")->capture_default_str();
  s.add_option("--images", a->images, "Folder of pictures");
  s.add_option("--prompts", a->prompts, "A prompt per line, for the pictures in sorted order");
  s.add_option("--save-statistics", a->saveStatistics, "Of fid: writes mu and sigma of --a as .npz");
  s.callback([&run, a] { run = [a] { return score(*a); }; });
}

}  // namespace

void addMetrics(CLI::App& app, std::function<int()>& run) {
  addScore(app, run);
  const auto name = std::make_shared<std::string>();
  CLI::App& m = *app.add_subcommand("metrics", "Which real weights metrics can have ($QUANTSPOT_METRICS keeps them)")->require_subcommand(1);
  m.add_subcommand("list", "What there is and what is here")->callback([&run] { run = list; });
  CLI::App& d = *m.add_subcommand("download", "Fetch one of them");
  d.add_option("name", *name, "As 'metrics list' shows it")->required();
  d.callback([&run, name] { run = [name] { return download(*name); }; });
}

}  // namespace quantspot::cli
