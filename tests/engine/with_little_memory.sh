#!/bin/sh
# quantspot-engine with 6 GiB of address space, so that a large request fails at once instead of filling the machine.
ulimit -v 6291456
exec "$QUANTSPOT_TEST_ENGINE" "$@"
