#pragma once

#include <string>

#include "protocols/net/sockets.hpp"

namespace mqlite {

/// Tells the peer of a connection that is not served why, and closes it. For a moment it reads what the peer sends, which else
/// would take the words away from it; where too many do so at once, it closes right away. Runs in the socket's loop.
void say_and_close(tcp_socket socket, const std::string& words);

}  // namespace mqlite
