#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

/// A broker on a free port of loopback, with its log in a new folder; killed and removed with this object.
class broker_under_test {
 public:
  explicit broker_under_test(const std::string& binary, std::vector<std::string> flags = {}) {
    char pattern[] = "/tmp/mqlite-bench-XXXXXX";
    folder_ = mkdtemp(pattern);
    const auto log = folder_ / "log.txt";
    std::vector<std::string> words{binary, "--persistence.aof.dir", (folder_ / "data").string()};
    for (const auto* door : {"http", "tcp", "grpc", "caf"})
      words.insert(words.end(), {"--server." + std::string(door) + ".port", "0"});
    words.insert(words.end(), flags.begin(), flags.end());
    pid_ = fork();
    if (pid_ == 0) {
      std::vector<char*> arguments;
      for (auto& w : words) arguments.push_back(w.data());
      arguments.push_back(nullptr);
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // it never outlives the benchmark
      if (std::freopen(log.c_str(), "w", stderr) == nullptr || std::freopen("/dev/null", "w", stdout) == nullptr)
        _exit(126);
      execv(binary.c_str(), arguments.data());
      _exit(127);
    }
    const std::string mark = "http: listening on 127.0.0.1:";
    for (int i = 0; i < 1000 && port_ == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      std::ifstream in(log);
      for (std::string line; std::getline(in, line);)
        if (const auto at = line.find(mark); at != std::string::npos) port_ = std::stoi(line.substr(at + mark.size()));
    }
    if (port_ == 0) throw std::runtime_error("the broker did not start: see " + log.string());
  }
  ~broker_under_test() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  broker_under_test(const broker_under_test&) = delete;
  broker_under_test& operator=(const broker_under_test&) = delete;

  int port() const { return port_; }

  /// User and system time of the broker so far, in seconds.
  double cpu_seconds() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    unsigned long user = 0, system = 0;
    std::sscanf(text.c_str() + text.rfind(')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                &system);
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

 private:
  std::filesystem::path folder_;
  pid_t pid_ = 0;
  int port_ = 0;
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
