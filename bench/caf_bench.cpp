// Publishing over the CAF door: how much of a bare CAF actor's throughput is left when every batch is routed, recorded and answered.
// Usage: caf_bench BROKER [SECONDS] [OUTSTANDING]     (BROKER: path of the mqlite program)
// One client process sends batches of 100 messages of 256 bytes, OUTSTANDING at a time, in turn to an actor in another process that
// takes the same batches and only counts them, and to a broker (fsync everysec).
#include <algorithm>
#include <array>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "bench/server_process.hpp"
#include "mqlite/client.hpp"

namespace {

using namespace mqlite::client;
using clock_type = std::chrono::steady_clock;

constexpr int rounds = 5;
constexpr std::size_t batch_size = 100;
constexpr std::size_t payload_size = 256;

using counting_actor = caf::typed_actor<caf::result<counted>(publish)>;

class bench_config : public caf::actor_system_config {
 public:
  bench_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.logger.console.verbosity", "quiet");
    configure(*this);
  }
};

// -- servers, each in a process of its own ------------------------------------------------------------------------------------

counting_actor::behavior_type count(std::uint64_t* total) {
  return {[total](const publish& batch) { return counted{*total += batch.messages.size()}; }};
}

void serve_count(int out, const std::filesystem::path&) {
  caf::core::init_global_meta_objects();
  init_types();
  bench_config config;
  caf::actor_system system(config);
  std::uint64_t total = 0;
  const auto actor = system.spawn([&total] { return count(&total); });
  const auto port = system.middleman().publish(actor, 0, "127.0.0.1");
  dprintf(out, "count:%d\n", static_cast<int>(*port));
  for (;;) pause();
}

// -- load -----------------------------------------------------------------------------------------------------------------------

publish batch() {
  publish result;
  result.messages.resize(batch_size);
  for (auto& one : result.messages) one.payload.assign(payload_size, 'x');
  return result;
}

template <class Answer, class Handle>
class load {
 public:
  load(caf::event_based_actor* self, Handle to, clock_type::time_point until, std::promise<std::uint64_t>& done)
      : self_(self), to_(std::move(to)), until_(until), done_(done) {}

  void send() {
    ++under_way_;
    self_->request(to_, caf::infinite, batch())
        .then(
            [this](const Answer&) {
              ++answered_;
              --under_way_;
              if (clock_type::now() < until_) return send();
              if (under_way_ == 0) done_.set_value(answered_);
            },
            [](const caf::error& problem) {
              std::fprintf(stderr, "a batch failed: %s\n", to_string(problem).c_str());
              std::exit(1);
            });
  }

 private:
  caf::event_based_actor* self_;
  Handle to_;
  clock_type::time_point until_;
  std::promise<std::uint64_t>& done_;
  std::uint64_t under_way_ = 0;
  std::uint64_t answered_ = 0;
};

/// Messages a second.
template <class Answer, class Handle>
double run(caf::actor_system& system, const Handle& to, double seconds, int outstanding) {
  std::promise<std::uint64_t> done;
  auto answered = done.get_future();
  const auto begun = clock_type::now();
  const auto until = begun + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  system.spawn([&](caf::event_based_actor* self) {
    const auto state = std::make_shared<load<Answer, Handle>>(self, to, until, done);
    self->attach_functor([state] {});
    for (int i = 0; i < outstanding; ++i) state->send();
  });
  const auto batches = answered.get();
  return static_cast<double>(batches * batch_size) / std::chrono::duration<double>(clock_type::now() - begun).count();
}

double median(std::array<double, rounds> values) {
  std::sort(values.begin(), values.end());
  return values[rounds / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: caf_bench BROKER [SECONDS] [OUTSTANDING]\n", stderr);
    return 2;
  }
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  const int outstanding = argc > 3 ? std::atoi(argv[3]) : 16;
  const bench::server_process bare("count:", serve_count);
  const bench::server_process broker("caf: listening on", [&](int out, const std::filesystem::path& folder) {
    bench::become_broker(argv[1], out, folder, {});
  });

  caf::core::init_global_meta_objects();
  init_types();
  std::array<double, rounds> counting{};
  std::array<double, rounds> publishing{};
  {
    bench_config config;
    caf::actor_system system(config);
    const auto counter =
        system.middleman().remote_actor<counting_actor>("127.0.0.1", static_cast<std::uint16_t>(bare.port()));
    connect_options where;
    where.port = static_cast<std::uint16_t>(broker.port());
    connection to_broker(system, where);
    to_broker.create_namespace("bench").value();
    to_broker.create_topic("bench", "orders").value();
    for (int i = 0; i < rounds; ++i) {
      auto topic = to_broker.topic("bench", "orders");
      counting[static_cast<std::size_t>(i)] = run<counted>(system, counter.value(), seconds, outstanding);
      publishing[static_cast<std::size_t>(i)] =
          run<publish_results>(system, topic.handle().value(), seconds, outstanding);
      topic.purge(0).value();
    }
  }
  std::printf("batches of %zu, %d outstanding: bare actor %.0f messages/s, broker %.0f messages/s, ratio %.2f\n",
              batch_size, outstanding, median(counting), median(publishing), median(publishing) / median(counting));
  return 0;
}
