// One variant behind HTTP: POST /generate, POST /v1/images/generations, GET /health, GET /metrics.
#pragma once

#include "engine/service/http/picture_queue.h"
#include "engine/service/http/picture_request.h"
#include "engine/service/http/server_metrics.h"

#include <memory>
#include <string>

namespace quantspot::service {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8000;                       // 0: any that is free
  std::string token;                     // empty: none is asked for, which only a loopback address may do
  std::size_t queue = 16;
  double timeout = 300;                  // seconds for a request, waiting included
  PictureLimits limits;
};

// "127.0.0.1", "::1", "localhost".
bool isLoopback(const std::string& host);
// Whether both are equal, in a time that does not tell where they differ.
bool sameSecret(const std::string& given, const std::string& wanted);

class HttpServer {
 public:
  // Binds at once and begins to load the variant (`base`: model, precision, and the recipe that requests start from). Throws
  // std::invalid_argument (no token for an open address, a recipe or precision that this model does not know), model::ModelError,
  // std::runtime_error (the port is taken).
  HttpServer(const ServiceOptions& service, protocol::GenerateParams base, HttpOptions options);
  ~HttpServer();

  int port() const;
  // Serves until stop() was called; what is drawn then is finished and answered. Throws std::runtime_error when the address is lost before.
  void run();
  void stop();                           // from any thread, not from a signal handler
  std::string failure() const;           // why the variant could not be loaded; empty when it could

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantspot::service
