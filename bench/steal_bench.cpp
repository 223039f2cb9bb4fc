// What stealing gains: messages of 1 ms of work each, a worker per queue. Three drains of the same number of messages: dealt evenly
// beforehand, all in one queue, and all in one queue with steal = off.
// Usage: steal_bench [path of mqlite]
#include <atomic>
#include <cstring>
#include <mutex>

#include "bench/broker_under_test.hpp"

namespace {

constexpr std::size_t batch = 4;

// Seconds until `count` messages were worked on.
double drain(int port, const std::string& topic, std::size_t queues, std::size_t count) {
  std::atomic<std::size_t> left{count};
  std::vector<std::thread> workers;
  const auto start = bench::clock::now();
  for (std::size_t q = 0; q < queues; ++q)
    workers.emplace_back([&, q] {
      bench::http_client client(port);
      const auto queue = topic + "/queues/" + std::to_string(q);
      const auto wanted = R"({"batch_size":)" + std::to_string(batch) + R"(,"wait_ms":200})";
      while (left > 0) {
        const auto answer = client.request("POST", queue + "/consume", wanted);
        const auto n = bench::count_of(answer, "\"receipt\":");
        if (n == 0) continue;
        std::this_thread::sleep_for(std::chrono::milliseconds(n));
        client.request("POST", queue + "/ack", "{\"message_ids\":" + bench::receipts_of(answer) + "}");
        left -= n;
      }
    });
  while (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto took = bench::seconds_since(start);
  for (auto& w : workers) w.join();
  return took;
}

double run(int port, std::size_t queues, std::size_t count, bool even, bool steal) {
  bench::http_client client(port);
  client.request("POST", "/v1/namespaces", R"({"name":"b"})");
  const std::string topic = "/v1/namespaces/b/topics/t";
  client.request("DELETE", topic);
  client.request(
      "POST", "/v1/namespaces/b/topics",
      R"({"name":"t","queue_count":)" + std::to_string(queues) + R"(,"steal":")" + (steal ? "half" : "off") + "\"}");
  bench::publish_many(client, topic, count, 64, even ? "" : R"(,"queue_id":0)");
  return drain(port, topic, queues, count);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::broker_under_test broker(argc > 1 ? argv[1] : "build/release/bin/mqlite", {});
  std::printf("1 ms of work per message, a worker per queue, %zu messages per consume\n\n", batch);
  std::printf(
      "| queues | messages | even, s | all in one queue, s | ratio | the same, steal = off, s |\n| --- | --- | --- | "
      "--- | --- | --- |\n");
  for (const std::size_t queues : {2, 8, 64}) {
    const std::size_t count = queues * 500;
    const auto even = run(broker.port(), queues, count, true, true);
    const auto skewed = run(broker.port(), queues, count, false, true);
    // Without stealing one worker does everything: a part of it is measured, and scaled.
    const auto part = std::min<std::size_t>(count, 2000);
    const auto off =
        run(broker.port(), queues, part, false, false) * static_cast<double>(count) / static_cast<double>(part);
    std::printf("| %zu | %zu | %.2f | %.2f | %.2f | %.2f |\n", queues, count, even, skewed, skewed / even, off);
    std::fflush(stdout);
  }
}
