// Messages pushed to an actor of one's own. Usage: subscriber HOST PORT NAMESPACE TOPIC COUNT
#include <caf/all.hpp>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mqlite/client.hpp>

using namespace mqlite;

// Acknowledges what it is sent; the broker sends more as long as fewer than max_in_flight messages are not acknowledged.
client::subscriber_actor::behavior_type take(client::subscriber_actor::pointer self, client::remote_topic topic,
                                             int left, std::promise<void>* done) {
  auto count = std::make_shared<int>(left);
  return {
      [=](const client::delivered& event) {
        client::ack finished;
        finished.queue = client::any_queue;
        for (const auto& message : event.messages) finished.ids.push_back(message.receipt());
        self->request(topic, caf::infinite, std::move(finished))
            .then(
                [=](const client::settled& how) {
                  const bool before = *count > 0;
                  *count -= static_cast<int>(how.count);
                  if (before && *count <= 0) done->set_value();
                },
                [](const caf::error&) { /* the connection broke: what was not acknowledged comes again */ });
      },
      [](const client::closed& event) { std::fprintf(stderr, "closed: %s\n", event.text.c_str()); },
  };
}

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: subscriber HOST PORT NAMESPACE TOPIC COUNT\n", stderr), 2;
  caf::core::init_global_meta_objects();
  client::init_types();
  caf::actor_system_config config;
  client::configure(config);
  caf::actor_system system(config);

  client::connect_options where;
  where.host = argv[1];
  where.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  client::connection broker(system, where);
  auto topic = broker.topic(argv[3], argv[4]);
  std::promise<void> done;
  const auto actor = system.spawn(take, topic.handle().value(), std::atoi(argv[5]), &done);
  client::subscribe_options options;
  options.queue = client::any_queue;
  options.max_in_flight = 100;
  auto subscription = topic.subscribe(actor, options).value();
  done.get_future().wait();
  subscription.end().value();
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  std::printf("taken\n");
  return 0;
} catch (const client::error& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
