#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "actors/queue/queue_core.hpp"

// What one queue costs, without actors, log and network, on one core: queue_core_bench [cycles]
namespace {

using namespace mqlite;

constexpr std::size_t payload_size = 256;
constexpr std::size_t batch = 100;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t now() { return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::size_t allocated() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Messages made beforehand, so that only the queue is measured.
std::vector<message_ptr> make_messages(std::size_t count, id_source& ids) {
  const std::string payload(payload_size, 'x');
  std::vector<message_ptr> messages;
  messages.reserve(count);
  for (std::size_t i = 0; i < count; ++i) messages.push_back(message::make(payload, {}, 0, ids.next(now())));
  return messages;
}

void fill(queue_core& core, std::size_t depth, id_source& ids) {
  const std::string payload(payload_size, 'x');
  for (std::size_t i = 0; i < depth; ++i) core.arrive({message::make(payload, {}, 0, ids.next(now()))}, 0, 0);
}

/// Arrive, take, start the lease, acknowledge, in batches; cycles per second. With `fresh` every message is made and freed, too.
double cycles(std::size_t depth, std::size_t count, bool fresh) {
  id_source ids(1);
  queue_core core;
  fill(core, depth, ids);
  auto pool = make_messages(fresh ? 0 : batch, ids);
  const std::string payload(payload_size, 'x');
  std::int64_t at = now();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < count; done += batch) {
    ++at;
    if (fresh) {
      for (std::size_t i = 0; i < batch; ++i) core.arrive({message::make(payload, {}, 0, ids.next(at))}, 0, at);
    } else {
      for (auto& m : pool) m->assign(ids.next(at));
      for (auto& m : pool) core.arrive({std::move(m)}, 0, at);
      pool.clear();
    }
    for (const auto h : core.take(batch, UINT64_MAX, pulled, done)) {
      core.start_lease(h, at + 30'000'000'000);
      core.settle(h);
      auto gone = core.remove(h);
      if (!fresh) pool.push_back(std::move(gone.message));
    }
  }
  return static_cast<double>(count) / seconds_since(start);
}

/// The same with `outstanding` messages leased at any time, each acknowledged by its id, as clients do.
double cycles_by_id(std::size_t depth, std::size_t outstanding, std::size_t count) {
  id_source ids(2);
  queue_core core;
  fill(core, depth + outstanding, ids);
  auto pool = make_messages(batch, ids);
  std::vector<message_id> leased;
  std::int64_t at = now();
  for (const auto h : core.take(outstanding, UINT64_MAX, pulled, 1)) {
    core.start_lease(h, ++at + 30'000'000'000);
    leased.push_back(core[h].message->id());
  }
  std::size_t oldest = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < count; done += batch) {
    for (auto& m : pool) m->assign(ids.next(at));
    for (auto& m : pool) core.arrive({std::move(m)}, 0, at);
    pool.clear();
    for (const auto h : core.take(batch, UINT64_MAX, pulled, done)) {
      core.start_lease(h, ++at + 30'000'000'000);
      auto& slot = leased[oldest];
      oldest = (oldest + 1) % outstanding;
      const auto acked = core.find(std::exchange(slot, core[h].message->id()));
      core.settle(acked);
      pool.push_back(core.remove(acked).message);
    }
  }
  return static_cast<double>(count) / seconds_since(start);
}

double bytes_per_message(std::size_t depth) {
  id_source ids(3);
  const auto before = allocated();
  queue_core core;
  fill(core, depth, ids);
  return static_cast<double>(allocated() - before) / static_cast<double>(depth);
}

/// Half of `depth` goes from one queue to another; messages moved per second.
double stolen(std::size_t depth) {
  id_source ids(4);
  queue_core victim, thief;
  fill(victim, depth, ids);
  const auto start = std::chrono::steady_clock::now();
  auto moved = victim.give(depth / 2, 0);
  thief.arrive_stolen(moved);
  return static_cast<double>(moved.size()) / seconds_since(start);
}

/// The same number of messages made and put into a queue, for comparison.
double published(std::size_t depth) {
  id_source ids(5);
  queue_core core;
  const auto start = std::chrono::steady_clock::now();
  fill(core, depth / 2, ids);
  return static_cast<double>(depth / 2) / seconds_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : std::size_t{5'000'000};
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  std::printf("messages of %zu bytes, batches of %zu\n\n", payload_size, batch);
  std::printf("%-62s %8s\n", "", "millions/s");
  for (const std::size_t depth : {std::size_t{0}, std::size_t{1000}, std::size_t{1'000'000}}) {
    std::printf("arrive + take + lease + ack, %8zu waiting %22s %8.2f\n", depth, "", cycles(depth, count, false) / 1e6);
    std::printf("the same, messages made and freed, %8zu waiting %16s %8.2f\n", depth, "",
                cycles(depth, count, true) / 1e6);
    std::printf("ack by id, %8zu waiting, 10,000 leased %22s %8.2f\n", depth, "",
                cycles_by_id(depth, 10'000, count) / 1e6);
  }
  std::printf("ack by id, %8d waiting, 1,000,000 leased %19s %8.2f\n", 0, "", cycles_by_id(0, 1'000'000, count) / 1e6);
  std::printf("steal 100,000 of 200,000 %37s %8.2f\n", "", stolen(200'000) / 1e6);
  std::printf("publish 100,000 (made, named, put into a queue) %14s %8.2f\n", "", published(200'000) / 1e6);
  std::printf("\nbytes of memory per waiting message: %.0f at 1,000, %.0f at 1,000,000\n", bytes_per_message(1000),
              bytes_per_message(1'000'000));
}
