#include "engine/service/http/http_server.h"

#include "engine/model/sha256.h"
#include "engine/pipeline/recipe.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "engine/service/http/guarded_server.h"
#include "engine/service/models.h"

#include <arpa/inet.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace quantspot::service {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBodyBytes = 64 * 1024;
constexpr int kRetrySeconds = 5, kSpareThreads = 8;   // threads beside those that wait with a request in the queue

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void answer(httplib::Response& response, int code, const json& body) {
  response.status = code;
  response.set_content(body.dump(-1, ' ', false, json::error_handler_t::replace), "application/json");
}

void refuse(httplib::Response& response, int code, const std::string& why) {
  answer(response, code, {{"error", {{"message", why}, {"type", code < 500 ? "invalid_request_error" : "server_error"}, {"code", code}}}});
  if (code == 429 || code == 503) response.set_header("Retry-After", std::to_string(kRetrySeconds));
}

void refuse(httplib::Response& response, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const QueueFull& full) {
    return refuse(response, 429, full.what());
  } catch (const ShuttingDown& ending) {
    return refuse(response, 503, ending.what());
  } catch (...) {
    const protocol::RpcError told = describe(std::current_exception());
    const int code = told.code == protocol::InvalidParams ? 400
                     : told.code == protocol::Cancelled   ? 504
                     : told.code == protocol::OutOfMemory ? 503
                                                          : 500;
    refuse(response, code, code == 504 ? "the picture was not ready in time" : told.what());
  }
}

std::vector<std::uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

// Without the port; "[::1]:8000" → "::1".
std::string hostName(const std::string& header) {
  if (header.starts_with('[')) return header.substr(1, header.find(']') - 1);
  return header.substr(0, header.find(':'));
}

bool isJson(const std::string& type) { return type == "application/json" || type.starts_with("application/json;"); }

// The method by which a path is asked for; empty: there is no such path.
std::string_view methodOf(std::string_view path) {
  return path == "/generate" || path == "/v1/images/generations" ? "POST" : path == "/health" || path == "/metrics" ? "GET" : "";
}

std::string labelOf(const std::string& path) { return methodOf(path).empty() ? "other" : path; }

}  // namespace

// Not by its beginning: 127.0.0.1.example.org is a name that anybody may own.
bool isLoopback(const std::string& host) {
  in_addr address{};
  return host == "localhost" || host == "::1" || (::inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

bool sameSecret(const std::string& given, const std::string& wanted) {
  const std::string a = model::sha256Hex(given.data(), given.size()), b = model::sha256Hex(wanted.data(), wanted.size());
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

struct HttpServer::State {
  State(const ServiceOptions& service, protocol::GenerateParams params, HttpOptions given)
      : options(std::move(given)), base(prepared(std::move(params))),
        rules{base.recipe, &model::familyOf(resolveModel(base.model)).info(), options.limits} {
    if (options.token.empty() && !isLoopback(options.host))
      throw std::invalid_argument(fmt::format("--host {}: others can reach this address; give a --token-file, or serve 127.0.0.1", options.host));
    bind();
    ServiceOptions resident = service;
    resident.resident = true;
    queue = std::make_unique<PictureQueue>(resident, base, options.queue);
    addRoutes();
  }

  // The recipe as every request starts from it; throws for what the model does not know.
  static protocol::GenerateParams prepared(protocol::GenerateParams params) {
    const auto folder = resolveModel(params.model);
    if (params.precision == "auto" || quant::parseSchedule(params.precision).size() > 1)
      throw std::invalid_argument("serve takes one precision, neither auto nor a schedule");
    params.recipe = pipeline::completeRecipe(params.recipe, folder);
    pipeline::checkRecipe(params.recipe, model::familyOf(folder).info());
    return params;
  }

  void bind() {
    const std::size_t threads = options.queue + 1 + kSpareThreads;
    http.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };   // httplib owns it
    http.set_payload_max_length(kBodyBytes);
    socket_t listening = INVALID_SOCKET;
    http.set_socket_options([&listening](socket_t socket) {   // not SO_REUSEPORT, httplib's own, with which two servers share a port
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listening = socket;
    });
    const bool bound = options.port == 0 ? (port = http.bind_to_any_port(options.host)) > 0 : http.bind_to_port(options.host, port = options.port);
    if (!bound)
      throw std::runtime_error(fmt::format("{}:{} cannot be served: the address is taken or not this machine's; choose another --port or --host",
                                           options.host, options.port));
    http.set_socket_options(nullptr);
    // httplib lets 5 connections wait to be accepted; of more that come at once, the kernel resets some without an answer.
    ::listen(listening, SOMAXCONN);
  }

  void addRoutes() {
    http.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (mayPass(request, response) && isReadable(request, response)) return httplib::Server::HandlerResponse::Unhandled;
      count(request, response, 0);
      return httplib::Server::HandlerResponse::Handled;
    });
    http.set_error_handler([](const httplib::Request& request, httplib::Response& response) {   // what httplib itself answers
      if (!response.body.empty()) return;
      const int code = response.status;
      refuse(response, code, code == 413 ? "the body is larger than 64 KiB" : code == 404 ? nothingAt(request) : "the request cannot be read");
    });
    http.Get("/health", [this](const auto& request, auto& response) { health(response, isTrusted(request)); count(request, response, 0); });
    http.Get("/metrics", [this](const auto& request, auto& response) { scrape(response); count(request, response, 0); });
    http.Post("/generate", [this](const httplib::Request& request, httplib::Response& response) {
      const auto start = Clock::now();
      draw(response, [&] { return std::vector{generateRequest(request.body, rules)}; }, [](const auto& pictures) {
        return json{{"image", protocol::toBase64(bytesOf(pictures.front().png))}, {"report", pictures.front().report}};
      });
      count(request, response, since(start));
    });
    http.Post("/v1/images/generations", [this](const httplib::Request& request, httplib::Response& response) {
      const auto start = Clock::now();
      draw(response, [&] { return imagesRequest(request.body, rules); }, [](const auto& pictures) {
        json data = json::array();
        for (const auto& picture : pictures)
          data.push_back({{"b64_json", protocol::toBase64(bytesOf(picture.png))}, {"seed", picture.report["recipe"]["seed"]}});
        return json{{"created", std::time(nullptr)}, {"data", std::move(data)}};
      });
      count(request, response, since(start));
    });
  }

  // Whether the client may ask at all; answers when not.
  bool mayPass(const httplib::Request& request, httplib::Response& response) const {
    if (options.token.empty()) {
      // A page in the user's browser reaches loopback addresses, too, under any name that it owns.
      const bool ours = isLoopback(hostName(request.get_header_value("Host")));
      if (!ours) refuse(response, 403, "this server answers to localhost only");
      return ours;
    }
    if (request.path == "/health" || isTrusted(request)) return true;
    refuse(response, 401, "a bearer token is needed: Authorization: Bearer …");
    response.set_header("WWW-Authenticate", "Bearer");
    return false;
  }

  bool isTrusted(const httplib::Request& request) const {
    const std::string given = request.get_header_value("Authorization");
    constexpr std::string_view scheme = "bearer ";       // in any case: RFC 9110, 11.1
    const auto alike = [](char lower, unsigned char any) { return lower == std::tolower(any); };
    const bool bears = given.size() >= scheme.size() && std::equal(scheme.begin(), scheme.end(), given.begin(), alike);
    return options.token.empty() || (bears && sameSecret(given.substr(scheme.size()), options.token));
  }

  // Told before the body is read: httplib would also take it from paths that are not there, unpack it, or send a thousand copies of one range.
  static bool isReadable(const httplib::Request& request, httplib::Response& response) {
    const std::string_view method = methodOf(request.path);
    if (method.empty()) refuse(response, 404, nothingAt(request));
    else if (request.method != method && !(request.method == "HEAD" && method == "GET")) {   // HEAD: as GET, whose body httplib keeps back
      refuse(response, 405, nothingAt(request) + "; use " + std::string(method));
      response.set_header("Allow", method == "GET" ? "GET, HEAD" : "POST");
    } else if (!request.ranges.empty()) refuse(response, 400, "parts of an answer are not sent: leave Range out");
    else if (request.has_header("Content-Encoding")) refuse(response, 415, "send the body as it is, without Content-Encoding");
    else if (method == "POST" && !isJson(request.get_header_value("Content-Type")))
      refuse(response, 415, typeRefused(request.get_header_value("Content-Type")));
    else return true;
    return false;
  }

  // A page in the user's browser may post forms and plain text anywhere without asking, but not with this header.
  static std::string typeRefused(const std::string& type) {
    return "send JSON with the header 'Content-Type: application/json'; this body came " +
           (type.empty() ? "without a type" : "as '" + type.substr(0, 80) + "'");
  }

  static std::string nothingAt(const httplib::Request& request) { return "there is no " + request.method + " " + request.path; }

  template <class Parse, class Format>
  void draw(httplib::Response& response, Parse&& parse, Format&& format) {
    try {
      const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.timeout));
      auto waiting = queue->submit(parse(), deadline);
      // What is drawn ends itself a step after its time.
      if (waiting.wait_until(deadline + std::chrono::seconds(1)) == std::future_status::timeout)
        return refuse(response, 504, "the picture was not ready in time");
      const std::vector<PictureQueue::Picture> pictures = waiting.get();
      for (const auto& picture : pictures) metrics.picture(picture.report["recipe"]["steps"], picture.report["seconds"]["total"]);
      answer(response, 200, format(pictures));
    } catch (...) {
      refuse(response, std::current_exception());
    }
  }

  // A client without the token hears whether it is worth to ask, and no more.
  void health(httplib::Response& response, bool trusted) const {
    const std::string failure = queue->failure();
    const char* status = queue->draining() ? "stopping" : !failure.empty() ? "failed" : queue->ready() ? "ready" : "loading";
    json body = {{"status", status}};
    if (trusted) body.update({{"precision", base.precision}, {"waiting", queue->occupancy().waiting}});
    if (trusted && !failure.empty()) body["error"] = failure;
    answer(response, std::string_view(status) == "ready" ? 200 : 503, body);
  }

  void scrape(httplib::Response& response) const {
    const PictureQueue::Occupancy now = queue->occupancy();
    response.set_content(metrics.text({now.waiting, options.queue, queue->ready(), now.drawing, base.precision, QUANTSPOT_VERSION, peakResidentBytes()}),
                         "text/plain; version=0.0.4");
  }

  void count(const httplib::Request& request, const httplib::Response& response, double seconds) {
    metrics.request(labelOf(request.path), response.status < 0 ? 200 : response.status, seconds);
  }

  const HttpOptions options;
  const protocol::GenerateParams base;
  const PictureRules rules;
  int port = 0;
  ServerMetrics metrics;
  GuardedServer http;
  std::atomic<bool> stopping = false;
  std::unique_ptr<PictureQueue> queue;
};

HttpServer::HttpServer(const ServiceOptions& service, protocol::GenerateParams base, HttpOptions options)
    : state_(std::make_unique<State>(service, std::move(base), std::move(options))) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return state_->port; }
std::string HttpServer::failure() const { return state_->queue->failure(); }
void HttpServer::run() {
  state_->http.listen_after_bind();
  if (!state_->stopping) throw std::runtime_error(fmt::format("port {} takes no connections any more: {}", state_->port, std::strerror(errno)));
}

void HttpServer::stop() {
  state_->stopping = true;
  state_->queue->drain();
  state_->http.stop();                   // answers on their way are sent first
}

}  // namespace quantspot::service
