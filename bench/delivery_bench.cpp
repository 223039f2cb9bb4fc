// How deliveries do at their limits: latency to those who wait, many leases that expire at once, SSE at full speed, thousands of
// waiting consumers, a large steal.
// Usage: delivery_bench [path of mqlite]
#include <sys/epoll.h>

#include <algorithm>
#include <atomic>

#include "bench/broker_under_test.hpp"

namespace {

const std::string topics = "/v1/namespaces/b/topics";

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string make_topic(bench::http_client& client, const std::string& name, int queues,
                       const std::string& settings = {}) {
  client.request("POST", "/v1/namespaces", R"({"name":"b"})");
  client.request("POST", topics,
                 "{\"name\":\"" + name + "\",\"queue_count\":" + std::to_string(queues) + settings + "}");
  return topics + "/" + name;
}

void latency_of_long_poll(int port) {
  bench::http_client producer(port), consumer(port);
  const auto topic = make_topic(producer, "latency", 1);
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    consumer.send("POST", topic + "/queues/0/consume", R"({"wait_ms":10000,"auto_ack":true})");
    std::this_thread::sleep_for(std::chrono::microseconds(300));  // it waits by now
    const auto start = bench::clock::now();
    producer.send("POST", topic + "/publish", R"({"payload":"x"})");
    consumer.answer();
    times.push_back(bench::seconds_since(start) * 1e3);
    producer.answer();
  }
  std::printf("publish to a waiting long poll: median %.3f ms\n", median(times));
}

void latency_of_subscriber(int port) {
  bench::http_client producer(port), consumer(port);
  const auto topic = make_topic(producer, "pushed", 1);
  consumer.send("GET", topic + "/queues/0/subscribe?auto_ack=true");
  while (consumer.read_some().find("\r\n\r\n") == std::string::npos) {
  }
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    consumer.read_buffer().clear();
    const auto start = bench::clock::now();
    producer.send("POST", topic + "/publish", R"({"payload":"x"})");
    while (consumer.read_some().find("event: message") == std::string::npos) {
    }
    times.push_back(bench::seconds_since(start) * 1e3);
    producer.answer();
  }
  std::printf("publish to a waiting subscriber: median %.3f ms\n", median(times));
}

void expiry(int port) {
  constexpr std::size_t count = 100'000;
  bench::http_client client(port), other(port);
  const auto topic = make_topic(client, "expiring", 1);
  const auto beside = make_topic(client, "beside", 1);
  bench::publish_many(client, topic, count, 256, "");
  for (std::size_t taken = 0; taken < count; taken += 10'000)
    client.request("POST", topic + "/queues/0/consume", R"({"batch_size":10000,"lease_ms":3000})");
  double longest = 0;
  const auto begin = bench::clock::now();
  while (bench::seconds_since(begin) < 5) {
    const auto start = bench::clock::now();
    other.request("POST", beside + "/publish", R"({"payload":"x"})");
    longest = std::max(longest, bench::seconds_since(start) * 1e3);
  }
  const auto details = client.request("GET", topic);
  std::printf(
      "%zu leases expired at once (ready again: %s): the longest publish to another queue meanwhile took %.1f ms\n",
      count, details.find("\"ready\":100000") != std::string::npos ? "all" : details.c_str(), longest);
}

void sse(int port) {
  constexpr std::size_t count = 500'000;
  bench::http_client client(port), reader(port);
  const auto topic = make_topic(client, "stream", 1);
  bench::publish_many(client, topic, count, 254, "");
  const auto start = bench::clock::now();
  reader.send("GET", topic + "/queues/0/subscribe?auto_ack=true&max_in_flight=10000");
  std::size_t seen = 0;
  double bytes = 0;
  while (seen < count) {
    auto& buffer = reader.read_some();
    const auto whole = buffer.rfind("\n\n");
    if (whole == std::string::npos) continue;
    seen += bench::count_of(buffer.substr(0, whole), "event: message");
    bytes += static_cast<double>(whole);
    buffer.erase(0, whole);
  }
  const auto took = bench::seconds_since(start);
  std::printf("SSE, one subscriber, 256-byte messages: %.0f messages/s (%.0f MB/s)\n",
              static_cast<double>(count) / took, bytes / took / 1e6);
}

void large_steal(int port) {
  constexpr std::size_t count = 200'000;
  bench::http_client client(port);
  const auto topic = make_topic(client, "large", 2);
  auto start = bench::clock::now();
  bench::publish_many(client, topic, count, 254, R"(,"queue_id":0)");
  const auto publishing = bench::seconds_since(start) / 2;
  start = bench::clock::now();
  const auto answer = client.request("POST", topic + "/queues/1/consume", "{}");
  const auto stealing = bench::seconds_since(start);
  std::printf("stealing %zu messages: %.1f ms; publishing as many, in batches of 5000: %.1f ms (%s)\n", count / 2,
              stealing * 1e3, publishing * 1e3,
              answer.find("\"receipt\"") != std::string::npos ? "delivered" : "NOT delivered");
}

void idle(int port, const bench::broker_under_test& broker) {
  constexpr int count = 10'000;
  bench::http_client client(port);
  std::vector<bench::http_client> waiting;
  for (int t = 0; t < 10; ++t) make_topic(client, "idle" + std::to_string(t), count / 10);
  for (int i = 0; i < count - 100; ++i) {
    waiting.emplace_back(port);
    waiting.back().send("POST",
                        topics + "/idle" + std::to_string(i % 10) + "/queues/" + std::to_string(i / 10) + "/consume",
                        R"({"wait_ms":60000})");
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const auto before = broker.cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(10));
  std::printf("%zu waiting long polls on %d queues: %.2f %% of a core\n", waiting.size(), count,
              (broker.cpu_seconds() - before) * 10);
}

}  // namespace

int main(int argc, char** argv) {
  bench::raise_file_limit();
  const bench::broker_under_test broker(argc > 1 ? argv[1] : "build/release/bin/mqlite",
                                        {"--limits.max_connections", "20000"});
  latency_of_long_poll(broker.port());
  latency_of_subscriber(broker.port());
  expiry(broker.port());
  large_steal(broker.port());
  sse(broker.port());
  idle(broker.port(), broker);
}
