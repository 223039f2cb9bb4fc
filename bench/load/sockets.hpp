#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mqlite::load {

/// A TCP connection without delays; closed with this object. Throws run_error.
class tcp_connection {
 public:
  tcp_connection(const std::string& host, std::uint16_t port);
  ~tcp_connection();
  tcp_connection(tcp_connection&& other) noexcept;
  tcp_connection(const tcp_connection&) = delete;
  tcp_connection& operator=(const tcp_connection&) = delete;
  int handle() const noexcept { return socket_; }

  /// Sends all of it, waiting as long as it takes (at most `patience`).
  void send(std::string_view bytes);
  /// Appends what comes next to `in`, waiting for it.
  void receive(std::string& in);

 private:
  int socket_;
};

/// How long a server may say nothing before it counts as gone.
inline constexpr std::chrono::seconds patience{30};

}  // namespace mqlite::load
