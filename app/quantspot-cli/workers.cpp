#include "app/quantspot-cli/workers.h"
#include "app/quantspot-cli/progress_bar.h"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace quantspot::cli {
namespace {

// Without these options and what follows them, in both forms: "--workers 2", "--workers=2".
std::vector<std::string> without(const std::vector<std::string>& command, const std::vector<std::string>& options) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string name = command[i].substr(0, command[i].find('='));
    if (std::ranges::find(options, name) == options.end()) kept.push_back(command[i]);
    else if (name == command[i]) ++i;
  }
  return kept;
}

bool gives(const std::vector<std::string>& command, const std::string& option) {
  return std::ranges::any_of(command, [&](const std::string& word) { return word == option || word.starts_with(option + "="); });
}

struct Child {
  pid_t pid = 0;
  bool running = true;
};

pid_t start(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(fmt::format("cannot start a worker: {}", std::strerror(error)));
  return pid;
}

void buryKilled(pid_t pid, int status, const evaluation::Plan& plan, evaluation::Store& store, const evaluation::Claims& claims, const std::string& run) {
  if (!WIFSIGNALED(status)) return;
  const auto held = claims.of(pid);
  for (const evaluation::Cell& cell : plan.cells()) {
    if (!held.contains(cell.key) || store.finished(cell.key)) continue;
    const std::string why = fmt::format("the worker that drew it was ended by signal {} ({}){}", WTERMSIG(status), ::strsignal(WTERMSIG(status)),
                                        WTERMSIG(status) == SIGKILL ? ": perhaps the memory was not enough" : "");
    std::fprintf(stderr, "quantspot-cli: %s, seed %llu: %s\n", plan.request().precisions[cell.precision].c_str(),
                 static_cast<unsigned long long>(plan.request().seeds[cell.seed]), why.c_str());
    store.fail(cell.key, run, why);
  }
}

}  // namespace

std::vector<std::string> workerCommand(const CompareOptions& options, const std::string& run, std::size_t index, unsigned cores) {
  std::vector<std::string> command = without(options.command, {"--workers", "--devices", "--run"});
  if (!options.devices.empty()) {
    command = without(command, {"--device"});
    command.insert(command.end(), {"--device", options.devices[index % options.devices.size()]});
  }
  if (!gives(command, "--threads")) command.insert(command.end(), {"--threads", std::to_string(std::max<std::size_t>(1, cores / options.workers))});
  command.insert(command.end(), {"--run", run});
  return command;
}

void runWorkers(const CompareOptions& options, const std::string& run, const evaluation::Plan& plan, evaluation::Store& store, evaluation::Claims& claims,
                evaluation::Work& work) {
  std::vector<Child> children;
  for (std::size_t i = 0; i < options.workers; ++i) children.push_back({start(workerCommand(options, run, i, std::thread::hardware_concurrency()))});
  ProgressBar bar(fmt::format("{} workers", options.workers));
  while (std::ranges::any_of(children, &Child::running)) {
    for (Child& child : children) {
      int status = 0;
      if (!child.running || ::waitpid(child.pid, &status, WNOHANG) == 0) continue;
      child.running = false;
      buryKilled(child.pid, status, plan, store, claims, run);
    }
    work.complete();
    bar.show("pictures", static_cast<int>(work.state().finished + work.state().failed), static_cast<int>(work.state().cells));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace quantspot::cli
