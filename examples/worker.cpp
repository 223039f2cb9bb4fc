// Takes messages and acknowledges them. Usage: worker HOST PORT NAMESPACE TOPIC COUNT
#include <cstdio>
#include <cstdlib>
#include <mqlite/client.hpp>

using namespace mqlite;

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: worker HOST PORT NAMESPACE TOPIC COUNT\n", stderr), 2;
  client::connect_options where;
  where.host = argv[1];
  where.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  client::connection broker(where);
  auto topic = broker.topic(argv[3], argv[4]);

  client::consume_options options;
  options.batch_size = 50;
  options.wait = std::chrono::seconds(5);
  options.queue = client::any_queue;
  for (int left = std::atoi(argv[5]); left > 0;) {
    const auto messages = topic.consume(options).value();
    std::vector<std::string> receipts;
    for (const auto& one : messages) {
      // Work on one.payload; what is not acknowledged within the topic's ack_timeout comes again.
      receipts.push_back(one.receipt());
    }
    if (receipts.empty()) continue;
    left -= static_cast<int>(topic.ack(std::move(receipts)).value().count);
  }
  std::printf("worked\n");
  return 0;
} catch (const client::error& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
