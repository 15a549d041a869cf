// The transport of `quantspot-engine`: frames on stdin and stdout.
#pragma once

#include "engine/service/service.h"

namespace quantspot::service {

// Serves until `shutdown` or the end of stdin; then what runs is cancelled. Keeps a private copy of stdout for the frames and
// points stdout at stderr, so that no library can print between them. Returns the exit code: 1 when stdin ended inside a message.
int serveStdio(Service& service);

}  // namespace quantspot::service
