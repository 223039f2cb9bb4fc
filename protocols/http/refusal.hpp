#pragma once

#include <cstdint>

#include "protocols/net/sockets.hpp"

namespace mqlite {

/// Answers a connection over the limit with 429 and closes it. Does not block; a peer that does not close its side within two
/// seconds is cut off.
void refuse_connection(tcp_socket socket, std::uint64_t most_connections);

}  // namespace mqlite
