#include <deque>

#include "actors/queue/arrival_line.hpp"
#include "test/actors/support.hpp"

using namespace mqlite;
using namespace mqlite::test;

namespace {

/// A line, and beside it a plain list of who should stand there.
class line_model {
 public:
  explicit line_model(std::uint64_t seed) : random(seed) {}

  chance random;
  arrival_line line;

  std::size_t size() const { return standing_.size(); }

  void push_back_alone() { push_back(newest_ += 1 + random.below(3)); }
  void push_front_alone() { push_front(oldest_ -= 1 + random.below(3)); }
  /// As an entry it may come in any order.
  void push_back_entry() { standing_.push_back({line.push_back(++last_handle_), {}, last_handle_}); }
  void push_front_entry() { standing_.push_front({line.push_front(++last_handle_), {}, last_handle_}); }

  void remove_first() { remove(0); }
  void remove_last() { remove(standing_.size() - 1); }
  void remove_any() { remove(random.below(standing_.size())); }

  void remove_neighbours(std::size_t most) {
    const auto from = random.below(standing_.size() + 1);
    for (auto left = random.below(most); left > 0 && from < standing_.size(); --left) remove(from);
  }

  void give_entry_to_any() {
    auto& s = standing_[random.below(standing_.size())];
    if (!s.message) return;
    REQUIRE(line.replace(s.at, ++last_handle_) == s.message);
    s = {s.at, {}, last_handle_};
  }

  void check_ends() {
    REQUIRE(line.size() == standing_.size());
    if (standing_.empty()) {
      REQUIRE(line.begin() == line.end());
      return;
    }
    REQUIRE(line.begin() == standing_.front().at);
    REQUIRE(line.end() == standing_.back().at + 1);
  }

  void check_all() {
    check_ends();
    auto p = line.begin();
    std::size_t alone = 0;
    for (const auto& s : standing_) {
      REQUIRE(p == s.at);
      REQUIRE(line.entry_at(p) == s.entry);
      if (s.message) {
        ++alone;
        REQUIRE(line.message_at(p) == s.message);
        REQUIRE(line.find(s.message->id()) == p);
      }
      p = line.next(p + 1);
    }
    REQUIRE(p == line.end());
    REQUIRE(line.alone() == alone);
    for (int i = 0; i < 20; ++i) check_absent();
  }

 private:
  struct one {
    arrival_line::position at;
    message_ptr message;
    entry_handle entry;
  };

  // Empty lines begin anew: then any message is in order.
  void push_back(std::uint64_t number) {
    auto m = numbered(number);
    REQUIRE(line.in_order_last(m->id()));
    line.push_back(m);
    standing_.push_back({line.end() - 1, std::move(m), no_entry});
  }
  void push_front(std::uint64_t number) {
    auto m = numbered(number);
    REQUIRE(line.in_order_first(m->id()));
    line.push_front(m);
    standing_.push_front({line.begin(), std::move(m), no_entry});
  }
  void remove(std::size_t i) {
    const auto s = standing_[i];
    gone_ = s.message;
    standing_.erase(standing_.begin() + static_cast<std::ptrdiff_t>(i));
    REQUIRE(line.remove(s.at) == s.message);
  }
  void check_absent() {
    if (gone_) REQUIRE(line.find(gone_->id()) == arrival_line::nowhere);
    const auto id = numbered(oldest_ - 5 + random.below(newest_ - oldest_ + 10))->id();
    bool there = false;
    for (const auto& s : standing_) there = there || (s.message && s.message->id() == id);
    REQUIRE((line.find(id) != arrival_line::nowhere) == there);
  }

  std::deque<one> standing_;
  message_ptr gone_;
  std::uint64_t newest_ = 1'000'000;
  std::uint64_t oldest_ = 1'000'000;
  entry_handle last_handle_ = 0;
};

}  // namespace

TEST_CASE("a line has everybody where he stands, whatever comes and goes") {
  for (const auto seed : seeds(6)) {
    CAPTURE(seed);
    line_model model(seed);
    for (int step = 0; step < 12'000; ++step) {
      CAPTURE(step);
      const auto& random = model.random.below(100);
      const auto growing = step / 2'000 % 2 == 0;
      if (model.size() == 0 || random < (growing ? 60U : 30U)) {
        const auto how = model.random.below(20);
        how < 12   ? model.push_back_alone()
        : how < 15 ? model.push_back_entry()
        : how < 18 ? model.push_front_alone()
                   : model.push_front_entry();
      } else if (random < 70) {
        model.remove_first();
      } else if (random < 80) {
        model.remove_last();
      } else if (random < 92) {
        model.remove_any();
      } else {
        model.give_entry_to_any();
      }
      if (step % 1'000 == 999) model.remove_neighbours(400);
      model.check_ends();
      if (step % 200 == 0) model.check_all();
    }
    while (model.size() > 0) {
      model.remove_any();
      model.check_ends();
    }
  }
}

TEST_CASE("a line tells who would break the order of ids") {
  arrival_line line;
  CHECK(line.in_order_last(numbered(5)->id()));
  CHECK(line.in_order_first(numbered(5)->id()));
  line.push_back(numbered(5));
  line.push_back(numbered(7));
  CHECK_FALSE(line.in_order_last(numbered(6)->id()));
  CHECK_FALSE(line.in_order_last(numbered(7)->id()));
  CHECK(line.in_order_last(numbered(8)->id()));
  CHECK_FALSE(line.in_order_first(numbered(5)->id()));
  CHECK(line.in_order_first(numbered(4)->id()));
  // Who was there is forgotten with the last of them.
  line.push_back(entry_handle{1});
  line.remove(line.begin());
  line.remove(line.begin());
  CHECK_FALSE(line.in_order_last(numbered(6)->id()));
  line.remove(line.begin());
  CHECK(line.in_order_last(numbered(1)->id()));
}

TEST_CASE("messages that stand in a line when it ends are let go") {
  const auto m = numbered(1);
  const auto before = message::memory();
  {
    arrival_line line;
    for (std::uint64_t i = 2; i < 1'000; ++i) line.push_back(numbered(i));
    line.push_front(m);
    CHECK(message::memory() > before);
  }
  CHECK(message::memory() == before);
}
