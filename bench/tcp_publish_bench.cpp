// How many publishes a second the TCP door takes, beside Redis Streams under the same load:
//   tcp_publish_bench BROKER [--connections 8] [--outstanding 64] [--seconds 3] [--payload 256] [--queues 1] [--redis redis-server]
//   tcp_publish_bench --port PORT ...    a broker that is running
// Both servers log with fsync once a second, in new folders; the load comes from one thread, in a closed loop: each connection
// keeps `outstanding` requests under way, and sends as many new ones as a read brought answers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proto/mqlite.pb.h"

namespace {

using clock_type = std::chrono::steady_clock;

struct load {
  std::size_t connections = 8;
  std::size_t outstanding = 64;
  double seconds = 3;
  std::size_t payload = 256;
  int queues = 1;
  std::string broker;
  std::string redis;
  int port = 0;
};

/// A server in a new folder; ended and removed with this object.
class server {
 public:
  explicit server(const std::function<std::vector<std::string>(const std::filesystem::path&)>& command) {
    char pattern[] = "/tmp/mqlite-bench-XXXXXX";
    folder_ = mkdtemp(pattern);
    auto words = command(folder_);
    pid_ = fork();
    if (pid_ != 0) return;
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const auto log = (folder_ / "log.txt").string();
    if (std::freopen(log.c_str(), "w", stderr) == nullptr || std::freopen(log.c_str(), "w", stdout) == nullptr)
      _exit(126);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ~server() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// The number behind `mark` in the server's log.
  int number_behind(const std::string& mark) const {
    for (int i = 0; i < 1000; ++i) {
      std::ifstream in(folder_ / "log.txt");
      for (std::string line; std::getline(in, line);)
        if (const auto at = line.find(mark); at != std::string::npos) return std::stoi(line.substr(at + mark.size()));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("the server did not start");
  }

  /// User and system time so far, in seconds.
  double cpu_seconds() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    unsigned long user = 0, system = 0;
    std::sscanf(text.c_str() + text.rfind(')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                &system);
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

 private:
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(int port) {
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  const auto to = loopback(port);
  for (int i = 0; connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0; ++i) {
    if (i == 500) throw std::runtime_error("cannot connect");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const int on = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

int free_port() {
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(s, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("no free port");
  getsockname(s, reinterpret_cast<sockaddr*>(&address), &size);
  close(s);
  return ntohs(address.sin_port);
}

/// Takes whole answers off the front: how many, and how many bytes they had. Throws when one is an error.
struct taken {
  std::size_t answers = 0;
  std::size_t bytes = 0;
};
using answer_parser = taken (*)(std::string_view);

taken take_frames(std::string_view in) {
  taken result;
  for (;;) {
    const auto rest = in.substr(result.bytes);
    if (rest.size() < 5) return result;
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
    if (rest.size() < 5 + length) return result;
    if (rest.substr(5, 4) != "\x0a\x02ok")
      throw std::runtime_error("the broker refuses: " + std::string(rest.substr(5, length)));
    result.bytes += 5 + length;
    ++result.answers;
  }
}

taken take_replies(std::string_view in) {
  taken result;
  for (;;) {
    const auto rest = in.substr(result.bytes);
    const auto line = rest.find("\r\n");
    if (line == std::string_view::npos) return result;
    if (rest.front() != '$') throw std::runtime_error("Redis refuses: " + std::string(rest.substr(0, line)));
    const auto size = line + 2 + static_cast<std::size_t>(std::atoi(rest.data() + 1)) + 2;
    if (rest.size() < size) return result;
    result.bytes += size;
    ++result.answers;
  }
}

struct connection {
  int socket = -1;
  std::size_t owed = 0;  // requests that are to be sent
  std::size_t part = 0;  // bytes of the first of them that were
  std::vector<char> input = std::vector<char>(256 * 1024);
  std::size_t held = 0;
};

/// Sends what is owed, as far as the socket takes it; `requests` is many of the same.
void send_owed(connection& c, const std::string& requests, std::size_t request_size) {
  while (c.owed > 0) {
    const auto size = std::min(c.owed * request_size, requests.size()) - c.part;
    const auto n = send(c.socket, requests.data() + c.part, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return;
    const auto all = c.part + static_cast<std::size_t>(n);
    c.owed -= all / request_size;
    c.part = all % request_size;
    if (static_cast<std::size_t>(n) < size) return;
  }
}

struct result {
  double per_second = 0;
  double seconds = 0;
  std::size_t answers = 0;
};

result run(const load& how, int port, const std::string& request, answer_parser parse) {
  std::string requests;
  for (std::size_t i = 0; i < how.outstanding; ++i) requests += request;
  const int poll = epoll_create1(0);
  std::vector<connection> connections(how.connections);
  for (auto& c : connections) {
    c.socket = connect_to(port);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &c;
    epoll_ctl(poll, EPOLL_CTL_ADD, c.socket, &event);
  }
  const auto begun = clock_type::now();
  for (auto& c : connections) {
    c.owed = how.outstanding;
    send_owed(c, requests, request.size());
  }
  std::size_t answers = 0;
  std::vector<epoll_event> events(how.connections);
  while (std::chrono::duration<double>(clock_type::now() - begun).count() < how.seconds) {
    const int n = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 100);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      for (;;) {
        const auto got = recv(c.socket, c.input.data() + c.held, c.input.size() - c.held, MSG_DONTWAIT);
        if (got == 0) throw std::runtime_error("the server closed a connection");
        if (got < 0) break;
        const auto room = c.input.size() - c.held;
        c.held += static_cast<std::size_t>(got);
        const auto done = parse({c.input.data(), c.held});
        std::memmove(c.input.data(), c.input.data() + done.bytes, c.held - done.bytes);
        c.held -= done.bytes;
        c.owed += done.answers;
        answers += done.answers;
        if (static_cast<std::size_t>(got) < room) break;
      }
      send_owed(c, requests, request.size());
    }
  }
  result r;
  r.seconds = std::chrono::duration<double>(clock_type::now() - begun).count();
  r.answers = answers;
  r.per_second = static_cast<double>(answers) / r.seconds;
  for (auto& c : connections) close(c.socket);
  close(poll);
  return r;
}

std::string frame(const mqlite::v1::TCPCommand& command) {
  const auto payload = command.SerializeAsString();
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  out += '\x01';
  return out + payload;
}

/// Sends one command and waits for its answer, which may be an error.
void prepare(int socket, const mqlite::v1::TCPCommand& command) {
  const auto bytes = frame(command);
  char answer[4096];
  if (send(socket, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()) ||
      recv(socket, answer, sizeof answer, 0) <= 0)
    throw std::runtime_error("the broker does not answer");
}

void create_topic(int port, int queues) {
  const int s = connect_to(port);
  mqlite::v1::TCPCommand command;
  command.set_action("create_namespace");
  command.mutable_create_namespace()->set_name("bench");
  prepare(s, command);
  command.set_action("create_topic");
  command.mutable_create_topic()->set_namespace_("bench");
  command.mutable_create_topic()->set_name("publish");
  command.mutable_create_topic()->set_queue_count(queues);
  prepare(s, command);
  close(s);
}

std::string publish_request(std::size_t payload) {
  mqlite::v1::TCPCommand command;
  command.set_action("publish");
  command.set_request_id(1000);
  command.mutable_publish()->set_namespace_("bench");
  command.mutable_publish()->set_topic("publish");
  command.mutable_publish()->set_payload(std::string(payload, 'x'));
  return frame(command);
}

std::string xadd_request(std::size_t payload) {
  return "*5\r\n$4\r\nXADD\r\n$7\r\npublish\r\n$1\r\n*\r\n$1\r\np\r\n$" + std::to_string(payload) + "\r\n" +
         std::string(payload, 'x') + "\r\n";
}

void print(const char* name, const result& r, double cpu) {
  std::printf("%-8s %10.0f answered publishes/s", name, r.per_second);
  if (cpu > 0 && r.answers > 0)
    std::printf("   server CPU %.2f s per million", cpu * 1e6 / static_cast<double>(r.answers));
  std::printf("\n");
  std::fflush(stdout);
}

double bench_broker(const load& how) {
  if (how.port != 0) {
    create_topic(how.port, how.queues);
    const auto r = run(how, how.port, publish_request(how.payload), take_frames);
    print("mqlite", r, 0);
    return r.per_second;
  }
  server broker([&](const std::filesystem::path& folder) {
    std::vector<std::string> words{how.broker, "--persistence.aof.dir", (folder / "data").string()};
    for (const auto* door : {"http", "tcp", "grpc", "caf"})
      words.insert(words.end(), {"--server." + std::string(door) + ".port", "0"});
    return words;
  });
  const int port = broker.number_behind("tcp: listening on 127.0.0.1:");
  create_topic(port, how.queues);
  const auto before = broker.cpu_seconds();
  const auto r = run(how, port, publish_request(how.payload), take_frames);
  print("mqlite", r, broker.cpu_seconds() - before);
  return r.per_second;
}

double bench_redis(const load& how) {
  const int port = free_port();
  server redis([&](const std::filesystem::path& folder) {
    return std::vector<std::string>{
        how.redis,      "--port", std::to_string(port), "--bind",   "127.0.0.1", "--dir", folder.string(),
        "--appendonly", "yes",    "--appendfsync",      "everysec", "--save",    ""};
  });
  close(connect_to(port));
  const auto before = redis.cpu_seconds();
  const auto r = run(how, port, xadd_request(how.payload), take_replies);
  print("redis", r, redis.cpu_seconds() - before);
  return r.per_second;
}

load read_arguments(int argc, char** argv) {
  load how;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      how.broker = word;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error("a value is missing behind " + std::string(word));
    const std::string value = argv[++i];
    if (word == "--connections")
      how.connections = std::stoul(value);
    else if (word == "--outstanding")
      how.outstanding = std::stoul(value);
    else if (word == "--seconds")
      how.seconds = std::stod(value);
    else if (word == "--payload")
      how.payload = std::stoul(value);
    else if (word == "--queues")
      how.queues = std::stoi(value);
    else if (word == "--redis")
      how.redis = value;
    else if (word == "--port")
      how.port = std::stoi(value);
    else
      throw std::runtime_error("unknown option " + std::string(word));
  }
  return how;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto how = read_arguments(argc, argv);
    std::printf("%zu connections x %zu outstanding, %zu bytes\n", how.connections, how.outstanding, how.payload);
    std::fflush(stdout);
    const double ours = how.broker.empty() && how.port == 0 ? 0 : bench_broker(how);
    const double theirs = how.redis.empty() ? 0 : bench_redis(how);
    if (ours > 0 && theirs > 0) std::printf("ratio %.2f\n", ours / theirs);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
