// What group commit makes of fsync `always`: publishes for each fsync with many connections that wait for their answer, and the rate
// of one connection beside a bare loop of write and fdatasync into a preallocated file of the same file system.
// The bare loop has no client; what the round trip alone costs shows a bare server that does the same behind a socket.
// Usage: fsync_bench <mqlite> [seconds a run] [rounds]

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>

#include "bench/broker_under_test.hpp"

namespace {

constexpr std::size_t payload_size = 256;
constexpr std::size_t record_size = 320;  // what a publish of that payload makes of a log
constexpr off_t preallocated = 64 << 20;
constexpr int turns = 10;
constexpr double least_per_fsync = 20;
constexpr double least_of_bare = 0.8;

/// A preallocated file that is written and synced record by record.
class bare_file {
 public:
  bare_file() : file_(mkstemp(path_)) {
    if (file_ < 0 || posix_fallocate(file_, 0, preallocated) != 0) throw std::runtime_error("cannot make a file");
    fsync(file_);
  }
  ~bare_file() {
    close(file_);
    unlink(path_);
  }
  bare_file(const bare_file&) = delete;
  bare_file& operator=(const bare_file&) = delete;

  void write_one() {
    if (at_ + static_cast<off_t>(record_.size()) > preallocated) throw std::runtime_error("the file is too short");
    if (pwrite(file_, record_.data(), record_.size(), at_) < 0 || fdatasync(file_) != 0)
      throw std::runtime_error("cannot write");
    at_ += static_cast<off_t>(record_.size());
  }

  /// How many records a second.
  double rate_for(double seconds) {
    const auto begin = at_;
    const auto start = bench::clock::now();
    while (bench::seconds_since(start) < seconds) write_one();
    return static_cast<double>(at_ - begin) / record_size / bench::seconds_since(start);
  }

 private:
  char path_[27] = "/tmp/mqlite-bench-f-XXXXXX";
  int file_;
  off_t at_ = 0;
  const std::string record_ = std::string(record_size, 'x');
};

/// The least that a server can do: a client's request over loopback, write, fdatasync, answer; both sides block. How many a second.
double bare_server_rate(bare_file& file, double seconds) {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (bind(listening, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listening, 1) != 0 ||
      getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    throw std::runtime_error("cannot listen");
  std::thread server([&] {
    const int peer = accept(listening, nullptr, nullptr);
    const int on = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char request[record_size];
    while (recv(peer, request, sizeof request, MSG_WAITALL) == static_cast<ssize_t>(sizeof request)) {
      file.write_one();
      if (send(peer, request, 1, MSG_NOSIGNAL) != 1) break;
    }
    close(peer);
  });
  std::uint64_t answered = 0;
  const auto start = bench::clock::now();
  {
    bench::http_client client(ntohs(at.sin_port));
    const std::string request(record_size, 'x');
    char answer = 0;
    while (bench::seconds_since(start) < seconds) {
      if (send(client.descriptor(), request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
          recv(client.descriptor(), &answer, 1, 0) != 1)
        throw std::runtime_error("the bare server is gone");
      ++answered;
    }
  }
  const auto took = bench::seconds_since(start);
  server.join();
  close(listening);
  return static_cast<double>(answered) / took;
}

/// Publishes over `connections` connections, each with one request under way: how many were answered.
std::uint64_t publish_for(double seconds, int port, std::size_t connections) {
  std::vector<bench::http_client> clients;
  const int waiting = epoll_create1(EPOLL_CLOEXEC);
  const std::string body = "{\"payload\":\"" + std::string(payload_size - 2, 'x') + "\"}";
  const std::string path = "/v1/namespaces/bench/topics/fsync/publish";
  for (std::size_t i = 0; i < connections; ++i) clients.emplace_back(port);
  for (std::size_t i = 0; i < connections; ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(waiting, EPOLL_CTL_ADD, clients[i].descriptor(), &event);
    clients[i].send("POST", path, body);
  }
  std::uint64_t answered = 0;
  std::size_t under_way = connections;
  const auto start = bench::clock::now();
  while (under_way > 0) {
    std::array<epoll_event, 64> events{};
    const auto count = epoll_wait(waiting, events.data(), events.size(), 10'000);
    if (count <= 0) throw std::runtime_error("no answer");
    const bool more = bench::seconds_since(start) < seconds;
    for (int i = 0; i < count; ++i) {
      auto& client = clients[events[static_cast<std::size_t>(i)].data.u64];
      if (client.answer().find("message_id") == std::string::npos) throw std::runtime_error("a publish was refused");
      ++answered;
      if (more)
        client.send("POST", path, body);
      else
        --under_way;
    }
  }
  close(waiting);
  return answered;
}

std::uint64_t fsyncs_of(bench::http_client& client) {
  const auto stats = client.request("GET", "/v1/stats");
  const std::string key = "\"fsyncs\":";
  const auto at = stats.find(key);
  if (at == std::string::npos) throw std::runtime_error("no count of fsyncs in " + stats);
  return std::stoull(stats.substr(at + key.size()));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: fsync_bench <mqlite> [seconds a run] [rounds]\n", stderr), 2;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  std::vector<double> ratios, batches;
  for (int round = 0; round < rounds; ++round) {
    bench::broker_under_test broker(argv[1], {"--persistence.aof.fsync", "always"});
    bench::http_client admin(broker.port());
    admin.request("POST", "/v1/namespaces", R"({"name":"bench"})");
    admin.request("POST", "/v1/namespaces/bench/topics", R"({"name":"fsync"})");
    publish_for(0.2, broker.port(), 1);
    // In turns, so that whatever else the disk does meets both.
    bare_file file;
    double bare = 0;
    double one = 0;
    double server = 0;
    for (int turn = 0; turn < turns; ++turn) {
      bare += file.rate_for(seconds / turns) / turns;
      server += bare_server_rate(file, seconds / turns) / turns;
      one += static_cast<double>(publish_for(seconds / turns, broker.port(), 1)) / seconds;
    }
    const auto before = fsyncs_of(admin);
    const auto many = static_cast<double>(publish_for(seconds, broker.port(), 64));
    const auto fsyncs = static_cast<double>(fsyncs_of(admin) - before);
    ratios.push_back(one / bare);
    batches.push_back(many / fsyncs);
    std::printf(
        "bare write + fdatasync %.0f a second, behind a bare socket %.0f; 1 connection %.0f publishes/s (%.2f and %.2f "
        "of "
        "them); 64 connections %.0f publishes/s, %.1f for each fsync\n",
        bare, server, one, ratios.back(), one / server, many / seconds, batches.back());
    std::fflush(stdout);  // the next broker is a fork of this process
  }
  const bool enough = median(ratios) >= least_of_bare && median(batches) >= least_per_fsync;
  std::printf("median: %.2f of the bare loop (at least %.1f), %.1f publishes for each fsync (at least %.0f): %s\n",
              median(ratios), least_of_bare, median(batches), least_per_fsync, enough ? "reached" : "NOT REACHED");
  return enough ? 0 : 1;
}
