#include "engine/service/server.h"

#include "engine/protocol/read.h"
#include "engine/service/crash_hook.h"
#include "engine/service/errors.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/metric_offer.h"
#include "engine/service/traits.h"

#include <algorithm>

namespace quantspot::service {
namespace {

using nlohmann::json;
using protocol::RpcError;

}  // namespace

Server::Server(Service& service, Send send) : service_(service), send_(std::move(send)) {
  addMethods();
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

Server::~Server() { cancelAll(); }

void Server::addMethods() {
  methods_["initialize"] = {true, [this](const json&, const Control&) { return json(service_.initialize()); }};
  methods_["models/list"] = {true, [this](const json&, const Control&) { return json(service_.listModels()); }};
  methods_["models/traits"] = {true, [](const json& params, const Control&) {
                                 return json(modelTraits(protocol::readMessage<protocol::TraitsParams>(params)));
                               }};
  methods_["precisions/fit"] = {true, [](const json& params, const Control&) {
                                  return json(fittingPrecisions(protocol::readMessage<protocol::FitParams>(params)));
                                }};
  methods_["models/inspect"] = {false, [this](const json& params, const Control& control) {
                                  return json(service_.inspect(protocol::readMessage<protocol::InspectParams>(params), control));
                                }};
  methods_["models/download"] = {false, [this](const json& params, const Control& control) {
                                   return json(service_.download(protocol::readMessage<protocol::DownloadParams>(params), control));
                                 }};
  methods_["samples/generate"] = {false, [this](const json& params, const Control& control) {
                                    const auto wanted = protocol::readMessage<protocol::GenerateParams>(params);
                                    Control watched = control;
                                    watched.progress = crashHook(wanted.precision, control.progress);
                                    const protocol::GenerateResult made = service_.generate(wanted, watched);
                                    logTruncated(made.report);
                                    return json(made);
                                  }};
  methods_["policies/scan"] = {false, [this](const json& params, const Control& control) {
                                 return json(service_.scan(protocol::readMessage<protocol::ScanParams>(params), control));
                               }};
  methods_["exports/write"] = {false, [this](const json& params, const Control& control) {
                                 return json(service_.exportVariant(protocol::readMessage<protocol::ExportParams>(params), control));
                               }};
  methods_["metrics/list"] = {true, [](const json&, const Control&) { return json(listMetrics()); }};
  methods_["metrics/offered"] = {false, [](const json& params, const Control&) {
                                   return json(offeredMetrics(protocol::readMessage<protocol::OfferedParams>(params)));
                                 }};
  methods_["metrics/download"] = {false, [](const json& params, const Control& control) {
                                    const auto wanted = protocol::readMessage<protocol::MetricDownloadParams>(params);
                                    return json(protocol::MetricDownloadResult{wanted.name, downloadMetric(wanted.name, control).string()});
                                  }};
  methods_["metrics/score"] = {false, [this](const json& params, const Control&) {
                                 return json(service_.score(protocol::readMessage<protocol::ScoreParams>(params)));
                               }};
  methods_["memory/estimate"] = {false, [this](const json& params, const Control& control) {
                                   return json(service_.estimate(protocol::readMessage<protocol::EstimateParams>(params), control));
                                 }};
  methods_["cancel"] = {true, [this](const json& params, const Control&) {
                          cancel(protocol::readMessage<protocol::CancelParams>(params).id);
                          return json(nullptr);
                        }};
  methods_["shutdown"] = {true, [this](const json&, const Control&) {
                            cancelAll();
                            return json(nullptr);
                          }};
}

void Server::receive(std::string_view message) {
  std::optional<std::int64_t> id;
  try {
    const json parsed = protocol::parseMessage(message);
    id = protocol::readId(parsed);
    dispatch(protocol::toCall(parsed));
  } catch (...) {
    send({id, {}, describe(std::current_exception())});
  }
}

void Server::reportBroken(const std::string& why) { send({{}, {}, RpcError(protocol::ParseError, why)}); }

void Server::dispatch(protocol::Call call) {
  const auto found = methods_.find(call.method);
  if (found == methods_.end()) {
    std::string known;
    for (const auto& [name, method] : methods_) known += (known.empty() ? "" : ", ") + name;
    if (!call.id) return;                // an unknown notification is ignored, as JSON-RPC says
    throw RpcError(protocol::MethodNotFound, "method '" + call.method + "' is not known; known: " + known);
  }
  if (found->second.quick) {
    answer({call, &found->second}, {});
    if (call.method == "shutdown") stopped_ = true;
    return;
  }
  const std::lock_guard lock(jobsMutex_);
  jobs_.push_back({std::move(call), &found->second});
  wake_.notify_one();
}

void Server::answer(const Job& job, const Control& control) {
  protocol::Reply reply{job.call.id, {}, {}};
  try {
    reply.result = job.method->run(job.call.params, control);
  } catch (...) {
    reply.error = describe(std::current_exception());
  }
  if (job.call.id) send(reply);
}

void Server::work(const std::stop_token& stop) {
  service_.useThreads();
  while (true) {
    std::unique_lock lock(jobsMutex_);
    if (!wake_.wait(lock, stop, [this] { return !jobs_.empty(); })) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    running_ = job.call.id;
    cancel_ = false;
    lock.unlock();
    Control control;
    control.cancel = &cancel_;
    control.progress = [&](const std::string& stage, int step, int steps) {
      if (job.call.id) notify("progress", protocol::Progress{*job.call.id, stage, step, steps});
    };
    answer(job, control);
    lock.lock();
    running_.reset();
  }
}

void Server::cancel(std::int64_t id) {
  std::optional<Job> waiting;
  {
    const std::lock_guard lock(jobsMutex_);
    if (running_ == id) cancel_ = true;
    const auto found = std::ranges::find_if(jobs_, [&](const Job& job) { return job.call.id == id; });
    if (found != jobs_.end()) {
      waiting = std::move(*found);
      jobs_.erase(found);
    }
  }
  if (waiting) send({waiting->call.id, {}, RpcError(protocol::Cancelled, "cancelled")});
}

void Server::cancelAll() {
  std::deque<Job> waiting;
  {
    const std::lock_guard lock(jobsMutex_);
    std::swap(waiting, jobs_);
    cancel_ = true;
  }
  for (const Job& job : waiting)
    if (job.call.id) send({job.call.id, {}, RpcError(protocol::Cancelled, "cancelled")});
}

void Server::send(const protocol::Reply& reply) {
  const std::string text = encode(reply);
  const std::lock_guard lock(sendMutex_);
  send_(text);
}

void Server::notify(const std::string& method, json params) {
  const std::string text = encode(protocol::Call{{}, method, std::move(params)});
  const std::lock_guard lock(sendMutex_);
  send_(text);
}

void Server::logTruncated(const json& report) {
  for (const auto& line : report.value("truncated", json::array())) notify("log", protocol::LogLine{"warning", line.get<std::string>()});
}

}  // namespace quantspot::service
