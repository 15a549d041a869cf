#include "app/quantspot-cli/model_commands.h"

#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/hub/settings.h"
#include "engine/service/models.h"
#include "engine/service/service.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <memory>
#include <stdexcept>

namespace quantspot::cli {
namespace {

struct ModelArguments {
  std::vector<std::filesystem::path> folders;
  std::string name = "default";
  protocol::DownloadParams download;
};

std::atomic<bool> interrupted = false;   // a signal handler reaches nothing else

int showPath(const std::string& name) {
  nlohmann::json folders = nlohmann::json::array();
  for (const auto& folder : service::modelFolders()) folders.push_back(folder.string());
  printJson({{"name", name}, {"path", service::resolveModel(name).string()}, {"folders", folders},
             {"hub_cache", hub::settingsFromEnvironment().cache.string()}});
  return 0;
}

int download(protocol::DownloadParams params) {
  if (const std::size_t at = params.repo.find('@'); at != params.repo.npos) {
    params.revision = params.repo.substr(at + 1);
    params.repo.resize(at);
  }
  std::signal(SIGINT, [](int) { interrupted = true; });
  ProgressBar bar(params.repo + " (MiB)");
  service::Control control;
  control.cancel = &interrupted;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  printJson(service::downloadModel(params, control));
  return 0;
}

}  // namespace

void addModels(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<ModelArguments>();
  CLI::App& m = *app.add_subcommand("models", "Which models there are")->require_subcommand(1);

  CLI::App& l = *m.add_subcommand("list", "The models that are found, with what is missing of them");
  l.add_option("folders", a->folders, "Look here, too: a model or a folder of models");
  l.callback([&run, a] {
    run = [a] {
      for (const auto& folder : a->folders)
        if (!std::filesystem::exists(folder)) throw std::runtime_error(folder.string() + ": is not there");
      printJson(service::listModels(a->folders));
      return 0;
    };
  });

  CLI::App& p = *m.add_subcommand("path", "Where a model lies");
  p.add_option("name", a->name, "default, a path, a name that 'models list' shows, owner/name or owner/name@revision")->capture_default_str();
  p.callback([&run, a] { run = [a] { return showPath(a->name); }; });

  CLI::App& d = *m.add_subcommand("download", "Fetch a model from a Hugging Face hub (HF_ENDPOINT, HF_TOKEN) into its cache (HF_HOME, HF_HUB_CACHE)");
  d.add_option("repo", a->download.repo, "owner/name")->required();
  d.add_option("--revision", a->download.revision, "Branch, tag or commit")->capture_default_str();
  d.add_option("--include", a->download.include, "Only files that one of these globs matches (default: what the pipeline needs)");
  d.callback([&run, a] { run = [a] { return download(a->download); }; });
}

}  // namespace quantspot::cli
