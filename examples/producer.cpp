// Publishes numbered messages in batches. Usage: producer HOST PORT NAMESPACE TOPIC COUNT
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mqlite/client.hpp>

using namespace mqlite;

// What is there already is as good as made.
void want(const client::result<client::done>& outcome) {
  if (!outcome && outcome.why().code != client::errc::already_exists) outcome.value();
}

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: producer HOST PORT NAMESPACE TOPIC COUNT\n", stderr), 2;
  client::connect_options where;
  where.host = argv[1];
  where.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  client::connection broker(where);
  want(broker.create_namespace(argv[3]));
  want(broker.create_topic(argv[3], argv[4], 3));

  auto topic = broker.topic(argv[3], argv[4]);
  const int count = std::atoi(argv[5]);
  for (int next = 0; next < count;) {
    std::vector<client::draft> batch;
    for (const int end = std::min(count, next + 100); next < end; ++next) {
      client::draft message;
      message.payload = "{\"number\":" + std::to_string(next) + "}";
      message.headers["from"] = "producer";
      batch.push_back(std::move(message));
    }
    // Each message of a batch has a result of its own.
    for (const auto& one : topic.publish(std::move(batch)).value())
      if (!one.ok()) throw client::error({one.code, one.text});
  }
  std::printf("published %d\n", count);
  return 0;
} catch (const client::error& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
