#include <algorithm>
#include <map>
#include <unordered_map>

#include "actors/queue/entry_store.hpp"
#include "actors/queue/id_index.hpp"
#include "actors/queue/timer_heap.hpp"
#include "test/actors/support.hpp"

using namespace mqlite;
using namespace mqlite::test;

// -- entry_store --------------------------------------------------------------------------------------------------------------

TEST_CASE("handles stay valid while an entry store grows and shrinks") {
  for (const auto seed : seeds(3)) {
    CAPTURE(seed);
    chance random(seed);
    entry_store store;
    std::unordered_map<entry_handle, message_id> expected;
    std::vector<entry_handle> handles;
    std::uint64_t number = 0;
    for (int step = 0; step < 60'000; ++step) {
      const bool growing = step / 10'000 % 2 == 0;
      if (handles.empty() || random.percent(growing ? 70 : 30)) {
        const auto h = store.add(numbered(++number));
        store[h].place(place::arrived);
        REQUIRE(expected.emplace(h, store[h].message->id()).second);
        handles.push_back(h);
      } else {
        std::swap(random.one_of(handles), handles.back());
        REQUIRE(store[handles.back()].message->id() == expected.at(handles.back()));
        store.remove(handles.back());
        expected.erase(handles.back());
        handles.pop_back();
      }
      REQUIRE(store.size() == expected.size());
    }
    std::size_t seen = 0;
    store.each([&](entry_handle h, const entry& e) {
      ++seen;
      REQUIRE(expected.at(h) == e.message->id());
    });
    CHECK(seen == expected.size());
  }
}

TEST_CASE("a new entry has nothing of the one that was in its slot before") {
  entry_store store;
  const auto first = store.add(numbered(1));
  store[first].deliveries = 7;
  store[first].position(std::uint64_t{3} << 32 | 4);
  store[first].place(place::leased);
  store.remove(first);
  const auto second = store.add(numbered(2));
  REQUIRE(first == second);
  CHECK(store[second].deliveries + 0 == 0);
  CHECK(store[second].position() == 0);
  CHECK(store[second].place() == place::none);
}

TEST_CASE("an entry store that was deep gives its memory back, and its messages at once") {
  const auto memory = message::memory();
  entry_store store;
  std::vector<entry_handle> handles;
  for (std::uint64_t i = 0; i < 100'000; ++i) handles.push_back(store.add(numbered(i)));
  const auto deep = store.footprint();
  CHECK(deep >= 100'000 * sizeof(entry));
  CHECK(deep <= 101'000 * (sizeof(entry) + 1));
  for (const auto h : handles) store.remove(h);
  CHECK(store.footprint() < 10'000);
  CHECK(message::memory() == memory);
  for (auto& h : handles) h = store.add(numbered(h));
  CHECK(store.footprint() == deep);
}

// -- id_index -----------------------------------------------------------------------------------------------------------------

TEST_CASE("an id index agrees with std::unordered_map while it grows and shrinks") {
  for (const auto seed : seeds(5)) {
    CAPTURE(seed);
    chance random(seed);
    entry_store store;
    id_index index(store);
    struct hash {
      std::size_t operator()(const message_id& id) const { return id.hash(); }
    };
    std::unordered_map<message_id, entry_handle, hash> expected;
    std::vector<message_id> ids;
    std::vector<message_id> gone;
    std::uint64_t number = 0;
    for (int step = 0; step < 60'000; ++step) {
      const bool growing = step / 15'000 % 2 == 0;
      if (ids.empty() || random.percent(growing ? 75 : 20)) {
        const auto h = store.add(numbered(++number));
        index.insert(h);
        ids.push_back(store[h].message->id());
        expected.emplace(ids.back(), h);
      } else {
        std::swap(random.one_of(ids), ids.back());
        const auto h = expected.at(ids.back());
        index.remove(h);
        store.remove(h);
        expected.erase(ids.back());
        gone.push_back(ids.back());
        ids.pop_back();
      }
      if (!ids.empty()) {
        const auto& id = random.one_of(ids);
        REQUIRE(index.find(id) == expected.at(id));
      }
      if (!gone.empty()) REQUIRE(index.find(random.one_of(gone)) == no_entry);
    }
    for (const auto& [id, h] : expected) REQUIRE(index.find(id) == h);
    for (const auto& id : ids) index.remove(expected.at(id));
    for (const auto& id : ids) REQUIRE(index.find(id) == no_entry);
  }
}

TEST_CASE("an id index finds each of several entries whose hashes are the same") {
  entry_store store;
  id_index index(store);
  std::vector<entry_handle> handles;
  for (std::uint64_t i = 0; i < 40; ++i) {
    handles.push_back(store.add(message::make("x", {}, 0, message_id{7, i})));
    index.insert(handles.back());
  }
  for (std::uint64_t i = 0; i < 40; i += 2) index.remove(handles[i]);
  for (std::uint64_t i = 0; i < 40; ++i) CHECK(index.find(message_id{7, i}) == (i % 2 == 0 ? no_entry : handles[i]));
}

TEST_CASE("an id index copes with a clock that shows every 16th step alone") {
  entry_store store;
  id_index index(store);
  std::vector<entry_handle> handles;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    handles.push_back(store.add(message::make("x", {}, 0, message_id{(i / 256) << 16 | 0x7000 | (i % 256) << 4, 1})));
    index.insert(handles.back());
  }
  for (std::uint64_t i = 0; i < 20'000; ++i)
    REQUIRE(index.find(message_id{(i / 256) << 16 | 0x7000 | (i % 256) << 4, 1}) == handles[i]);
}

// -- timer_heap ---------------------------------------------------------------------------------------------------------------

TEST_CASE("a timer heap agrees with std::multimap") {
  for (const auto seed : seeds(5)) {
    CAPTURE(seed);
    chance random(seed);
    timer_heap<std::uint64_t> heap;
    struct expected_item {
      timer_heap<std::uint64_t>::slot slot;
      std::uint64_t value;
      std::int64_t when;
    };
    std::vector<expected_item> items;
    std::multimap<std::int64_t, std::uint64_t> expected;
    const auto forget = [&](const expected_item& item) {
      if (item.when == heap.never) return;
      auto [i, end] = expected.equal_range(item.when);
      while (i != end && i->second != item.value) ++i;
      REQUIRE(i != end);
      expected.erase(i);
    };
    const auto some_time = [&] {
      return random.percent(10) ? heap.never : static_cast<std::int64_t>(random.below(500));
    };
    for (std::uint64_t step = 0; step < 60'000; ++step) {
      const bool growing = step / 6'000 % 2 == 0;
      const auto what = random.below(100);
      if (items.empty() || what < (growing ? 50U : 20U)) {
        const auto when = some_time();
        items.push_back({heap.add(when, step), step, when});
        if (when != heap.never) expected.emplace(when, step);
      } else if (what < 70) {
        auto& item = random.one_of(items);
        forget(item);
        item.when = some_time();
        heap.move(item.slot, item.when);
        if (item.when != heap.never) expected.emplace(item.when, item.value);
      } else {
        std::swap(random.one_of(items), items.back());
        forget(items.back());
        REQUIRE(heap.remove(items.back().slot) == items.back().value);
        items.pop_back();
      }
      REQUIRE(heap.size() == items.size());
      REQUIRE(heap.next() == (expected.empty() ? heap.never : expected.begin()->first));
      if (!expected.empty()) {
        REQUIRE(heap.when(heap.first()) == heap.next());
        auto [i, end] = expected.equal_range(heap.next());
        REQUIRE(std::any_of(i, end, [&](const auto& e) { return e.second == heap[heap.first()]; }));
      }
    }
    while (heap.next() != heap.never) {
      REQUIRE(heap.next() == expected.begin()->first);
      const auto value = heap.remove(heap.first());
      auto [i, end] = expected.equal_range(expected.begin()->first);
      while (i != end && i->second != value) ++i;
      REQUIRE(i != end);
      expected.erase(i);
    }
    CHECK(expected.empty());
  }
}
