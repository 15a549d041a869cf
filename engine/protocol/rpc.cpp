#include "engine/protocol/rpc.h"

#include "engine/protocol/broken_json.h"
#include "engine/protocol/fields.h"
#include "engine/protocol/read.h"

namespace quantspot::protocol {
namespace {

using nlohmann::json;

std::optional<std::int64_t> idOf(const json& message) {
  const auto id = message.find("id");
  if (id == message.end() || id->is_null()) return {};
  const auto read = readId(message);
  if (!read) throw RpcError(InvalidRequest, "the id of a request is an integer of 64 bits");
  return read;
}

struct ErrorPart { int code = InternalError; std::string message = "no message"; };
QUANTSPOT_READS_FIELDS(ErrorPart, code, message)

// A broken byte in a path or a log line must not kill the connection.
std::string dump(const json& message) { return message.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string encode(const Call& call) {
  json message = {{"jsonrpc", "2.0"}, {"method", call.method}, {"params", call.params}};
  if (call.id) message["id"] = *call.id;
  return dump(message);
}

std::string encode(const Reply& reply) {
  json message = {{"jsonrpc", "2.0"}, {"id", reply.id ? json(*reply.id) : json(nullptr)}};
  if (reply.error)
    message["error"] = {{"code", reply.error->code}, {"message", reply.error->what()}};
  else
    message["result"] = reply.result;
  return dump(message);
}

bool isCall(const json& message) { return message.contains("method"); }

json parseMessage(std::string_view text) {
  json message = json::parse(text, nullptr, false);
  if (message.is_discarded()) throw RpcError(ParseError, "the message is no JSON" + whereBroken(text));
  if (!message.is_object()) throw RpcError(InvalidRequest, "a message is one JSON object; batches are not supported");
  return message;
}

Call toCall(const json& message) {
  const auto method = message.find("method");
  if (message.value("jsonrpc", json()) != "2.0") throw RpcError(InvalidRequest, "\"jsonrpc\" must be \"2.0\"");
  if (method == message.end() || !method->is_string()) throw RpcError(InvalidRequest, "\"method\" must be a string");
  Call call{idOf(message), method->get<std::string>(), message.value("params", json::object())};
  if (call.params.is_null()) call.params = json::object();
  if (!call.params.is_object()) throw RpcError(InvalidRequest, "\"params\" must be an object");
  return call;
}

Reply toReply(const json& message) {
  Reply reply{idOf(message), {}, {}};
  const auto error = message.find("error");
  if (error != message.end()) {
    ErrorPart part;
    try {
      readField(message, "error", part);
    } catch (const FieldError& wrong) {
      throw RpcError(InvalidRequest, wrong.what());
    }
    reply.error = RpcError(part.code, part.message);
  } else if (message.contains("result")) {
    reply.result = message["result"];
  } else {
    throw RpcError(InvalidRequest, "a reply holds \"result\" or \"error\"");
  }
  return reply;
}

}  // namespace quantspot::protocol
