// The one place where exceptions become error codes and lines for people.
#pragma once

#include "engine/protocol/rpc.h"

#include <exception>

namespace quantspot::service {

// Cancelled → -32800, what the caller got wrong → -32602, memory → -32001, anything else → -32603.
protocol::RpcError describe(const std::exception_ptr& error);

}  // namespace quantspot::service
