// What a rewrite of the log costs those who publish: throughput and the longest single publish, with a rewrite of many live messages
// under way and without one, in turns, in one run.
//
//   rewrite_bench BROKER [live messages] [rounds]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "bench/broker_under_test.hpp"

using namespace bench;

namespace {

constexpr std::size_t message_size = 256;
constexpr std::size_t batch = 100;
constexpr auto quiet_phase = std::chrono::seconds(4);

/// Publishes batches on some connections, and single messages on one more, which it times.
class load {
 public:
  load(int port, const std::string& topic, int connections) {
    for (int i = 0; i < connections; ++i) threads_.emplace_back([=, this] { publish_batches(port, topic); });
    threads_.emplace_back([=, this] { publish_singles(port, topic); });
  }
  ~load() {
    stop_ = true;
    for (auto& t : threads_) t.join();
  }

  struct reading {
    std::uint64_t published = 0;
    double longest = 0;
  };
  /// Since the last call.
  reading read() { return {published_.exchange(0), static_cast<double>(longest_.exchange(0)) * 1e-9}; }

 private:
  void publish_batches(int port, const std::string& topic) {
    http_client client(port);
    std::string body = "{\"messages\":[";
    for (std::size_t i = 0; i < batch; ++i)
      body += std::string(i == 0 ? "" : ",") + "{\"payload\":\"" + std::string(message_size - 2, 'y') + "\"}";
    body += "]}";
    while (!stop_) {
      const auto answer = client.request("POST", topic + "/publish_batch", body);
      if (answer.find("\"code\"") != std::string::npos) throw std::runtime_error("refused: " + answer.substr(0, 200));
      published_ += batch;
    }
  }
  void publish_singles(int port, const std::string& topic) {
    http_client client(port);
    const auto body = "{\"payload\":\"" + std::string(message_size - 2, 'z') + "\"}";
    while (!stop_) {
      const auto start = clock::now();
      client.request("POST", topic + "/publish", body);
      const auto took = std::chrono::nanoseconds(clock::now() - start).count();
      for (auto seen = longest_.load(); took > seen && !longest_.compare_exchange_weak(seen, took);) continue;
      ++published_;
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::int64_t> longest_{0};
  std::vector<std::thread> threads_;
};

std::string log_part(http_client& client, const char* from = "\"rewrite\":") {
  const auto stats = client.request("GET", "/v1/stats");
  return stats.substr(stats.find(from));
}

std::uint64_t number_in(const std::string& text, const std::string& name) {
  const auto at = text.find("\"" + name + "\":");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + name.size() + 3, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: rewrite_bench BROKER [live messages] [rounds]\n", stderr), 2;
  const std::size_t live = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  broker_under_test broker(argv[1],
                           {"--persistence.aof.fsync", "everysec", "--persistence.aof.rewrite_percentage", "0"});
  http_client client(broker.port());
  client.request("POST", "/v1/namespaces", R"({"name":"b"})");
  const std::string topics = "/v1/namespaces/b/topics";
  client.request("POST", topics, R"({"name":"live","queue_count":2})");
  client.request("POST", topics, R"({"name":"load"})");
  publish_many(client, topics + "/live", live, message_size - 2, "");
  std::printf("%zu live messages of %zu bytes, fsync everysec, batches of %zu on 2 connections, singles on 1\n", live,
              message_size, batch);

  std::vector<double> ratios;
  double longest = 0, longest_quiet = 0, size = 0;
  for (int round = 0; round < rounds; ++round) {
    load publishers(broker.port(), topics + "/load", 2);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    publishers.read();
    auto start = clock::now();
    std::this_thread::sleep_for(quiet_phase);
    const auto quiet = publishers.read();
    const auto quiet_rate = static_cast<double>(quiet.published) / seconds_since(start);

    const auto before = number_in(log_part(client), "succeeded");
    start = clock::now();
    client.request("POST", "/v1/admin/rewrite");
    while (number_in(log_part(client), "succeeded") == before)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto busy = publishers.read();
    const auto took = seconds_since(start);
    const auto busy_rate = static_cast<double>(busy.published) / took;
    ratios.push_back(busy_rate / quiet_rate);
    const auto base = static_cast<double>(number_in(log_part(client, "\"log\":"), "base_bytes"));
    size = base / static_cast<double>(number_in(log_part(client), "messages") * message_size);
    longest = std::max(longest, busy.longest);
    longest_quiet = std::max(longest_quiet, quiet.longest);
    const auto messages = number_in(log_part(client), "messages");
    std::printf(
        "round %d: without %.0f/s, longest publish %.1f ms; during %.0f/s, longest %.1f ms; rewrite of %llu messages "
        "%.2f s\n",
        round + 1, quiet_rate, quiet.longest * 1e3, busy_rate, busy.longest * 1e3,
        static_cast<unsigned long long>(messages), took);
    http_client purger(broker.port());
    purger.request("DELETE", topics + "/load/queues/0/messages");
  }
  std::sort(ratios.begin(), ratios.end());
  const auto ratio = ratios[ratios.size() / 2];
  std::printf(
      "throughput during / without: %.2f (at least 0.7); longest publish during: %.1f ms (below 100), without: %.1f "
      "ms\n",
      ratio, longest * 1e3, longest_quiet * 1e3);
  std::printf("bytes on disk after it, to bytes of payload: %.2f (at most 1.15)\n", size);
  return ratio >= 0.7 && longest < 0.1 && size <= 1.15 ? 0 : 1;
}
