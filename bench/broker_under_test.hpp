#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/load/process_usage.hpp"
#include "bench/server_process.hpp"

// What benchmarks of the whole broker share: the broker as a child process in a folder of its own, and a plain HTTP client.
namespace bench {

using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// Lets this process and its children open as many sockets as the system allows.
inline void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// A broker on free ports of loopback; `port` is that of HTTP.
class broker_under_test {
 public:
  explicit broker_under_test(const std::string& binary, const std::vector<std::string>& flags = {})
      : process_("http: listening on",
                 [&](int out, const std::filesystem::path& folder) { become_broker(binary, out, folder, flags); }) {}

  int port() const { return process_.port(); }

  /// User and system time of the broker so far, in seconds.
  double cpu_seconds() const { return mqlite::load::usage_of(process_.pid()).cpu_seconds; }

 private:
  server_process process_;
};

/// One keep-alive connection.
class http_client {
 public:
  explicit http_client(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("cannot connect");
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~http_client() {
    if (socket_ >= 0) close(socket_);
  }
  http_client(http_client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Sends a request and returns the answer's body.
  std::string request(const char* method, const std::string& path, const std::string& body = {}) {
    send(method, path, body);
    return answer();
  }

  void send(const char* method, const std::string& path, const std::string& body = {}) {
    const auto text = std::string(method) + " " + path +
                      " HTTP/1.1\r\nHost: b\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    for (std::size_t sent = 0; sent < text.size();) {
      const auto n = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) throw std::runtime_error("cannot send");
      sent += static_cast<std::size_t>(n);
    }
  }

  std::string answer() {
    std::size_t head = 0;
    while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) read_some();
    const auto at = buffer_.find("Content-Length: ");
    const auto length = std::stoul(buffer_.substr(at + 16, 20));
    while (buffer_.size() < head + 4 + length) read_some();
    auto body = buffer_.substr(head + 4, length);
    buffer_.erase(0, head + 4 + length);
    return body;
  }

  /// For streams: whatever comes next is appended to the buffer.
  std::string& read_some() {
    char part[65536];
    const auto n = recv(socket_, part, sizeof part, 0);
    if (n <= 0) throw std::runtime_error("the broker closed the connection");
    buffer_.append(part, static_cast<std::size_t>(n));
    return buffer_;
  }
  std::string& read_buffer() { return buffer_; }
  int descriptor() const { return socket_; }

 private:
  int socket_;
  std::string buffer_;
};

inline std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}

/// The receipts of a consume's answer, as a JSON array.
inline std::string receipts_of(const std::string& answer) {
  std::string list = "[";
  const std::string key = "\"receipt\":";
  for (auto at = answer.find(key); at != std::string::npos; at = answer.find(key, at + 1)) {
    const auto from = at + key.size();
    if (list.size() > 1) list += ',';
    list += answer.substr(from, answer.find('"', from + 1) + 1 - from);
  }
  return list + "]";
}

/// Publishes `count` messages of `size` bytes, each as `extra` says (for example ,"queue_id":0).
inline void publish_many(http_client& client, const std::string& topic, std::size_t count, std::size_t size,
                         const std::string& extra) {
  const auto one = "{\"payload\":\"" + std::string(size, 'x') + "\"" + extra + "}";
  for (std::size_t left = count; left > 0;) {
    const auto n = std::min<std::size_t>(left, 5000);
    std::string body = "{\"messages\":[";
    for (std::size_t i = 0; i < n; ++i) body += (i == 0 ? "" : ",") + one;
    const auto answer = client.request("POST", topic + "/publish_batch", body + "]}");
    if (answer.find("\"code\"") != std::string::npos)
      throw std::runtime_error("publish failed: " + answer.substr(0, 200));
    left -= n;
  }
}

}  // namespace bench
