#include "app/quantspot-cli/serve_command.h"

#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/recipe_options.h"
#include "app/usage.h"
#include "engine/service/http/http_server.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

namespace quantspot::cli {
namespace {

struct ServeArguments {
  service::ServiceOptions service;
  service::HttpOptions http;
  protocol::GenerateParams params{.model = "default", .precision = "bf16", .recipe = {}};
  std::string parts, tokenFile;
};

std::string readToken(const std::string& file) {
  if (file.empty()) return {};
  const std::vector<std::string> lines = readLines(file);
  if (lines.empty() || lines.front().size() < 16) throw std::runtime_error(file + ": its first line is the token, of 16 characters at least");
  return lines.front();
}

sigset_t endingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM}) sigaddset(&signals, one);
  return signals;
}

int serve(ServeArguments a) {
  a.http.token = readToken(a.tokenFile);
  const sigset_t signals = endingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);   // inherited by every thread from here on: one of them waits for these
  service::HttpServer server(a.service, a.params, a.http);
  std::atomic<bool> lost = false;
  std::thread waiter([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    if (!lost) std::fprintf(stderr, "quantspot-cli: finishing what is drawn; a second signal ends at once\n");
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    server.stop();
  });
  printJson({{"url", "http://" + a.http.host + ":" + std::to_string(server.port())}, {"precision", a.params.precision}, {"pid", ::getpid()}});
  std::fflush(stdout);
  std::exception_ptr error;
  try {
    server.run();
  } catch (...) {
    error = std::current_exception();
    lost = true;
    pthread_kill(waiter.native_handle(), SIGTERM);
  }
  waiter.join();
  if (error) std::rethrow_exception(error);
  return server.failure().empty() ? 0 : 1;
}

}  // namespace

void addServe(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<ServeArguments>();
  protocol::Recipe& r = a->params.recipe;
  CLI::App& s = *app.add_subcommand("serve",
      "Draw with one variant over HTTP: POST /generate, POST /v1/images/generations, GET /health, GET /metrics");
  s.add_option("--model", a->params.model, "As for generate")->check(notEmpty())->capture_default_str();
  s.add_option("--parts", a->parts, "As for generate");
  s.add_option("--precision", a->params.precision, "Id or policy")->capture_default_str();
  s.add_option("--port", a->http.port, "0: any that is free")->check(CLI::Range(0, 65535))->capture_default_str();
  s.add_option("--host", a->http.host, "Address to listen on; any but a loopback one needs --token-file")->capture_default_str();
  s.add_option("--token-file", a->tokenFile, "File whose first line is the bearer token that clients must send");
  s.add_option("--queue", a->http.queue, "Requests that may wait; the next gets 429")->check(CLI::Range(1, 1024))->capture_default_str();
  s.add_option("--timeout", a->http.timeout, "Seconds for a request, waiting included")->check(within(0.001, 86400))->capture_default_str();
  s.add_option("--max-steps", a->http.limits.steps)->check(CLI::Range(1, 1000))->capture_default_str();
  s.add_option("--max-side", a->http.limits.side, "Pixels")->check(CLI::Range(8, 8192))->capture_default_str();
  s.add_option("--steps", r.steps, "Where a request names none; so for width, height and guidance")->capture_default_str();
  addSize(s, r);
  s.add_option("--guidance", r.guidance);
  s.add_option("--max-sequence-length", r.max_sequence_length);
  s.add_option("--threads", a->service.threads, "CPU threads (default: all cores)")->check(threadCount());
  s.add_option("--device", a->service.device, "cpu or cuda:0")->check(deviceName())->capture_default_str();
  s.callback([&run, a] {
    run = [a] {
      lendParts(a->params.model, a->parts);
      return serve(*a);
    };
  });
}

}  // namespace quantspot::cli
