#include "bench/load/sockets.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "bench/load/plan.hpp"

namespace mqlite::load {
namespace {

using address_list = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

address_list resolve(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (problem != 0) throw run_error(host + " cannot be found: " + gai_strerror(problem));
  return {found, &freeaddrinfo};
}

void set_patience(int socket) {
  timeval limit{};
  limit.tv_sec = patience.count();
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

tcp_connection::tcp_connection(const std::string& host, std::uint16_t port) : socket_(-1) {
  const auto addresses = resolve(host, port);
  int why = 0;
  for (const auto* one = addresses.get(); one != nullptr && socket_ < 0; one = one->ai_next) {
    const int s = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s >= 0) set_patience(s);
    if (s >= 0 && connect(s, one->ai_addr, one->ai_addrlen) == 0) {
      socket_ = s;
    } else {
      why = errno;
      if (s >= 0) ::close(s);
    }
  }
  if (socket_ < 0)
    throw run_error("cannot connect to " + host + ":" + std::to_string(port) + ": " + std::strerror(why));
}

tcp_connection::~tcp_connection() {
  if (socket_ >= 0) ::close(socket_);
}

tcp_connection::tcp_connection(tcp_connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

void tcp_connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) throw run_error(std::string("the server takes no more: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void tcp_connection::receive(std::string& in) {
  char part[65536];
  const auto n = recv(socket_, part, sizeof part, 0);
  if (n == 0) throw run_error("the server closed a connection");
  if (n < 0) throw run_error(std::string("the server does not answer: ") + std::strerror(errno));
  in.append(part, static_cast<std::size_t>(n));
}

}  // namespace mqlite::load
