// JSON-RPC over any transport: one table of methods, one worker thread for what takes long.
#pragma once

#include "engine/protocol/rpc.h"
#include "engine/service/service.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace quantspot::service {

// receive() is called by one reader thread. Quick methods, `cancel` among them, are answered in it at once; the others wait in
// line for the worker. `send` is called from both threads, never by two at a time.
class Server {
 public:
  using Send = std::function<void(const std::string& message)>;
  Server(Service& service, Send send);
  ~Server();                              // cancels what runs and waits for it

  void receive(std::string_view message);   // never throws: errors are answered
  void reportBroken(const std::string& why);   // a frame that could not be read
  bool stopped() const { return stopped_; }   // after `shutdown`: read no more

 private:
  struct Method {
    bool quick;
    std::function<nlohmann::json(const nlohmann::json& params, const Control& control)> run;
  };
  struct Job {
    protocol::Call call;
    const Method* method;
  };

  void addMethods();
  void dispatch(protocol::Call call);
  void answer(const Job& job, const Control& control);
  void work(const std::stop_token& stop);
  void cancel(std::int64_t id);
  void cancelAll();
  void send(const protocol::Reply& reply);
  void notify(const std::string& method, nlohmann::json params);
  void logTruncated(const nlohmann::json& report);

  Service& service_;
  Send send_;
  std::map<std::string, Method> methods_;
  std::mutex sendMutex_, jobsMutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;                  // under jobsMutex_, as running_
  std::optional<std::int64_t> running_;
  std::atomic<bool> cancel_ = false, stopped_ = false;
  std::jthread worker_;                   // last: it uses the others
};

}  // namespace quantspot::service
