// JSON-RPC 2.0: what stands around the messages. Both sides use it; ids are integers.
#pragma once

#include "engine/protocol/messages.h"

#include <stdexcept>
#include <string>
#include <string_view>

namespace quantspot::protocol {

// An error that is an answer: of the engine to a bad message, or as the caller meets it.
struct RpcError : std::runtime_error {
  RpcError(int code, const std::string& message) : std::runtime_error(message), code(code) {}
  int code;
};

struct Call {
  std::optional<std::int64_t> id;       // absent: a notification, to which nobody answers
  std::string method;
  nlohmann::json params = nlohmann::json::object();
};

struct Reply {
  std::optional<std::int64_t> id;       // absent when the request could not be read
  nlohmann::json result;
  std::optional<RpcError> error;
};

std::string encode(const Call& call);
std::string encode(const Reply& reply);

// Whether the text is a call (it has a method); otherwise it is a reply. Throws RpcError ParseError when it is no JSON object.
bool isCall(const nlohmann::json& message);
nlohmann::json parseMessage(std::string_view text);
// Throw RpcError InvalidRequest on a missing or ill-typed part.
Call toCall(const nlohmann::json& message);
Reply toReply(const nlohmann::json& message);

}  // namespace quantspot::protocol
