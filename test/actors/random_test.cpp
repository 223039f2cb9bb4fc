#include "actors/log/rewriter.hpp"
#include "test/actors/broker_fixture.hpp"

// A broker in disorder: actors run in random order, the log answers when it likes, clients do anything at any time. Nothing may be
// lost, doubled, or come back after its acknowledgement, and the log must say the same as the queues wherever it stops.
namespace mqlite::test {
namespace {

using namespace std::chrono_literals;

/// Keeps what a rewriter writes.
class kept_records final : public record_sink {
 public:
  explicit kept_records(std::shared_ptr<std::vector<std::string>> records) : records_(std::move(records)) {}
  std::optional<failure> append(std::string framed) override {
    records_->push_back(std::move(framed));
    return std::nullopt;
  }
  std::optional<failure> finish() override { return std::nullopt; }

 private:
  std::shared_ptr<std::vector<std::string>> records_;
};

class disorder {
 public:
  /// What else may happen.
  struct troubles {
    bool log_fails = false;
    bool resizes = false;
    bool rewrites = false;
    bool buries = false;
  };

  disorder(std::uint64_t seed, troubles with, std::int64_t queues) : random_(seed), with_(with), queues_(queues) {
    topic_settings_patch settings;
    settings.ack_timeout = 10s;
    if (with.buries) settings.max_deliveries = 2;
    // Queues often have plenty, and what waits with the topic goes to them by the batch.
    f_.env().plenty = 1 + seed % 4;
    f_.env().arrival_batch = 2 + seed % 3;
    f_.start(queues, settings);
    f_.random_order(seed);
  }

  void act() {
    const auto q = static_cast<queue_number>(random_.below(static_cast<std::uint64_t>(queues_)));
    const auto any = random_.percent(20) ? any_queue : q;
    switch (random_.below(14)) {
      case 0:
      case 1:
      case 2:
        publish(any);
        break;
      case 3:
      case 4:
      case 5:
        consume(any);
        break;
      case 6:
      case 7:
        acknowledge(q);
        break;
      case 8:
        nack(q);
        break;
      case 9:
        confirm_or_drop();
        break;
      case 10:
        subscribe(any);
        break;
      case 11:
        unsubscribe();
        break;
      case 12:
        log();
        break;
      case 13:
        if (random_.percent(30)) f_.scheduler().advance_time(std::chrono::milliseconds(random_.below(4000)));
        if (with_.resizes && random_.percent(20))
          f_.request<resized>([&](auto then) {
            f_.front().resize_topic("n", "t", 1 + static_cast<std::int64_t>(random_.below(6)), then);
          });
        if (random_.percent(5)) f_.request<done>([&](auto then) { f_.front().rebalance_topic("n", "t", then); });
        if (with_.buries && random_.percent(30)) redrive();
        break;
    }
    if (with_.rewrites) rewrite();
    for (auto steps = random_.below(25); steps > 0; --steps) f_.step();
    look();
  }

  /// Everything that is in the broker is in the log, and what was acknowledged is not, whichever queue it is in.
  void look_for_losses_in_log() {
    settle_down();
    rewrite();  // should one have ended
    std::set<message_id> logged;
    const auto birth = replayed(f_.script->records, f_.now());
    const auto& topic = birth.namespaces.at("n").at(0);
    for (const auto& core : topic.cores)
      for (const auto& [id, m] : queue_image(*core).all) REQUIRE(logged.insert(id).second);
    for (const auto& id : topic.dead->ids()) logged.insert(id);
    std::set<message_id> live;
    for (const auto& q : f_.details().queues)
      for (const auto state : {peek_state::ready, peek_state::leased, peek_state::delayed}) {
        auto a = f_.request<std::vector<peeked>>(
            [&](auto then) { f_.front().peek("n", "t", q.queue, state, 100'000, then); });
        f_.run();
        REQUIRE(a->ok());
        for (const auto& p : **a) live.insert(p.message->id());
      }
    for (const auto& letter : f_.dead()) live.insert(letter.message->id());
    for (const auto& id : live) {
      CAPTURE(id.text());
      REQUIRE(logged.contains(id));
    }
    for (const auto& id : acked_) REQUIRE_FALSE(logged.contains(id));
    if (!with_.log_fails) REQUIRE(logged.size() == live.size());
  }
  /// Rewrites that came to their end.
  std::uint64_t rewrites() const { return rewrites_; }

  /// Everything that is under way comes to its end.
  void settle_down() {
    f_.script->holding = false;
    f_.script->syncing_later = false;
    f_.script->release();
    f_.script->sync();
    f_.run();
    // Who waits for a message has got what there is: to ask the queues changes nothing.
    const auto before = deliveries();
    f_.details();
    REQUIRE(deliveries() == before);
    look();
  }

  /// What the log says is what the queues say.
  void compare_with_log() {
    settle_down();
    rewrite();  // should one have ended
    struct seen {
      queue_number queue;
      char place;
      std::uint32_t deliveries;
    };
    std::map<message_id, seen> live;
    for (queue_number q = 0; q < queues_; ++q)
      for (const auto& [state, place] :
           {std::pair{peek_state::ready, 'r'}, {peek_state::leased, 'l'}, {peek_state::delayed, 'd'}}) {
        auto a = f_.request<std::vector<peeked>>(
            [&, state = state](auto then) { f_.front().peek("n", "t", q, state, 100'000, then); });
        f_.run();
        REQUIRE(a->ok());
        for (const auto& p : **a) REQUIRE(live.emplace(p.message->id(), seen{q, place, p.deliveries}).second);
      }
    auto birth = replayed(f_.script->records, f_.now());
    auto& cores = birth.namespaces.at("n").at(0).cores;
    std::size_t count = 0;
    for (std::size_t q = 0; q < cores.size(); ++q) {
      REQUIRE(cores[q]->due(f_.now()).burials.empty());
      for (const auto& [id, m] : queue_image(*cores[q]).all) {
        ++count;
        CAPTURE(id.text());
        const auto found = live.find(id);
        REQUIRE(found != live.end());
        REQUIRE(found->second.queue == static_cast<queue_number>(q));
        // The clock of a recorded lease runs from the record on, a real one's from the hand-over on; auto_ack records no lease.
        if (found->second.place == 'l') {
          REQUIRE(m.deliveries <= found->second.deliveries);
        } else {
          REQUIRE(m.place == found->second.place);
          REQUIRE(m.deliveries == found->second.deliveries);
        }
      }
    }
    REQUIRE(count == live.size());
  }

  /// In the end each message that was published, and not acknowledged, is there once; no other is.
  void end() {
    lines_.clear();
    settle_down();
    f_.pass(10s);  // long polls end
    settle_down();
    held_.clear();
    f_.pass(100s);  // leases and delays end
    look();
    REQUIRE(held_.empty());
    redrive();
    f_.run();
    std::map<message_id, int> left;
    for (int empty = 0; empty < 2;) {
      const auto a = f_.consume(any_queue, 1000, 0s, true);
      f_.run();
      REQUIRE(a->ok());
      empty = (*a)->deliveries.empty() ? empty + 1 : 0;
      for (const auto& d : (*a)->deliveries) ++left[d.message->id()];
      (*a)->confirm();
      f_.run();
    }
    for (const auto& [id, times] : left) {
      REQUIRE(times == 1);
      REQUIRE(published_.contains(id));
      REQUIRE_FALSE(acked_.contains(id));
    }
    for (const auto& id : published_) {
      if (acked_.contains(id) || perhaps_acked_.contains(id) || left.contains(id)) continue;
      std::string where = "nowhere";
      for (const auto& q : f_.details().queues)
        if (q.ready + q.leased + q.delayed > 0)
          where = "perhaps in queue " + std::to_string(q.queue) + ": ready " + std::to_string(q.ready) + ", leased " +
                  std::to_string(q.leased) + ", delayed " + std::to_string(q.delayed);
      FAIL("message " << id.text() << " cannot be consumed; it is " << where);
    }
    for (const auto& a : all_published_) REQUIRE(a->count == 1);
    for (const auto& a : all_consumed_) REQUIRE(a->count == 1);
    for (const auto& [id, a] : all_acked_) REQUIRE(a->count == 1);
    for (const auto& q : f_.details().queues) {
      REQUIRE(q.ready == 0);
      REQUIRE(q.leased == 0);
      REQUIRE(q.delayed == 0);
      REQUIRE(q.bytes == 0);
      REQUIRE(q.consumers == 0);
    }
  }

 private:
  void redrive() {
    f_.request<std::uint64_t>([&](auto then) { f_.front().redrive_dead("n", "t", std::nullopt, then); });
  }
  void publish(queue_number q) {
    const auto not_before = random_.percent(10) ? f_.now() + static_cast<std::int64_t>(random_.below(5 * second)) : 0;
    all_published_.push_back(f_.publish(std::to_string(all_published_.size()), q, not_before));
  }
  void consume(queue_number q) {
    const bool auto_ack = random_.percent(10);
    const auto a = f_.consume(q, 1 + random_.below(5),
                              random_.percent(50) ? 0s : std::chrono::seconds(random_.below(8)), auto_ack);
    all_consumed_.push_back(a);
    asked_.emplace_back(a, auto_ack);
    if (random_.percent(10)) f_.front().cancel(f_.last_token);
  }
  void acknowledge(queue_number q) {
    if (known_.empty()) return;
    const auto which = random_.one_of(known_);
    perhaps_acked_.insert(which.id);
    all_acked_.emplace_back(which.id,
                            f_.settle(settlement::ack, q, {{which.id, random_.percent(50) ? 0 : which.deliveries}}));
  }
  void nack(queue_number q) {
    if (known_.empty()) return;
    f_.settle(random_.percent(70) ? settlement::nack : settlement::extend, q, {random_.one_of(known_)},
              random_.percent(50) ? 0ns : std::chrono::nanoseconds(random_.below(3 * second) + 1));
  }
  void confirm_or_drop() {
    if (held_.empty()) return;
    std::swap(random_.one_of(held_), held_.back());
    auto& [batch, auto_ack] = held_.back();
    if (random_.percent(60)) {
      batch.confirm();
      if (auto_ack)
        for (const auto& d : batch.deliveries) perhaps_acked_.insert(d.message->id());
    }
    held_.pop_back();
  }
  void subscribe(queue_number q) {
    if (lines_.size() > 3) return;
    lines_.push_back(f_.subscribe(q, 1 + random_.below(4)));
    lines_.back().sink->confirming = random_.percent(70);
  }
  void unsubscribe() {
    if (lines_.empty()) return;
    std::swap(random_.one_of(lines_), lines_.back());
    lines_.pop_back();
  }
  /// Begins a rewrite of the log, or does what its owner does when it has ended: the base takes the place of the records before it.
  void rewrite() {
    auto& log = f_.script->records;
    if (!rewriter_) {
      if (f_.script->tree == nullptr || !random_.percent(15)) return;
      spoiled_ = false;
      base_ = std::make_shared<std::vector<std::string>>();
      from_ = log.size();
      rewritten_ = std::make_shared<answer<done>>();
      std::shared_ptr<record_sink> sink = std::make_shared<kept_records>(base_);
      reply<done> told([a = rewritten_](outcome<done> how) {
        ++a->count;
        a->value.emplace(std::move(how));
      });
      rewriter_ = spawn_state<rewriter_actor, rewriter_state>(f_.system(), f_.script->tree, std::move(sink),
                                                              std::make_shared<rewrite_progress>(), std::move(told));
      tell(rewriter_, event::begin_rewriting{});
    } else if (rewritten_->came()) {
      rewriter_ = nullptr;
      if (!rewritten_->ok() || std::exchange(spoiled_, false)) return;
      ++rewrites_;
      base_->insert(base_->end(), log.begin() + static_cast<std::ptrdiff_t>(from_), log.end());
      log = std::move(*base_);
    } else if (random_.percent(2)) {
      tell(rewriter_, event::abandon{});
    }
  }
  void log() {
    if (with_.log_fails && random_.percent(30)) {
      spoiled_ = true;
      if (rewriter_) tell(rewriter_, event::abandon{});
      return f_.script->fail_waiting();
    }
    f_.script->holding = random_.percent(60);
    f_.script->syncing_later = random_.percent(40);
    f_.script->release(f_.script->holding ? random_.below(5) : SIZE_MAX);
    f_.script->sync(f_.script->syncing_later ? random_.below(5) : SIZE_MAX);
  }

  /// What was delivered since the last look.
  std::size_t deliveries() const {
    std::size_t count = 0;
    for (const auto& line : lines_) count += line.sink->got.size();
    for (const auto& [a, auto_ack] : asked_)
      if (a && a->came() && a->ok()) count += (*a)->deliveries.size();
    return count;
  }

  /// Takes note of what was answered and delivered.
  void look() {
    for (const auto& a : all_published_)
      if (a->ok()) published_.insert((*a)->id);
    for (auto& [a, auto_ack] : asked_)
      if (a && a->came()) {
        if (a->ok()) {
          for (const auto& d : (*a)->deliveries) delivered(d);
          held_.emplace_back(std::move(**a), auto_ack);
        }
        a = nullptr;
      }
    std::erase_if(asked_, [](const auto& a) { return a.first == nullptr; });
    for (auto& line : lines_) {
      for (const auto& d : line.sink->got) delivered(d);
      line.sink->got.clear();
    }
    for (const auto& [id, a] : all_acked_)
      if (a->ok() && (*a)->count == 1) acked_.insert(id);
  }

  void delivered(const delivery& d) {
    REQUIRE(d.deliveries > 0);
    known_.push_back({d.message->id(), d.deliveries});
    if (known_.size() > 30) known_.erase(known_.begin());
  }

  broker_fixture f_;
  chance random_;
  troubles with_;
  std::int64_t queues_;
  std::vector<answer_ptr<published>> all_published_;
  std::vector<answer_ptr<consumed>> all_consumed_;
  std::vector<std::pair<message_id, answer_ptr<settled>>> all_acked_;
  std::vector<std::pair<answer_ptr<consumed>, bool>> asked_;
  std::vector<std::pair<consumed, bool>> held_;  ///< delivered, not yet confirmed; and whether with auto_ack
  std::vector<broker_fixture::subscribed> lines_;
  std::vector<receipt> known_;
  rewriter_actor rewriter_;
  std::shared_ptr<answer<done>> rewritten_;
  std::shared_ptr<std::vector<std::string>> base_;
  std::size_t from_ = 0;  ///< the records that follow the base
  bool spoiled_ = false;  ///< the log has failed since the rewrite began
  std::uint64_t rewrites_ = 0;
  std::set<message_id> published_;
  std::set<message_id> acked_;
  std::set<message_id> perhaps_acked_;
};

}  // namespace

TEST_CASE("in disorder nothing is lost or doubled, and the log agrees wherever it stops") {
  for (const auto seed : seeds(60)) {
    CAPTURE(seed);
    disorder d(seed, {}, 1 + static_cast<std::int64_t>(seed % 5));
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      d.act();
      if (i % 100 == 99) d.compare_with_log();
    }
    d.end();
  }
}

TEST_CASE("in disorder with a log that fails now and then nothing that was answered is lost, doubled, or comes back") {
  for (const auto seed : seeds(60)) {
    CAPTURE(seed);
    disorder d(seed, {.log_fails = true}, 1 + static_cast<std::int64_t>(seed % 5));
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      d.act();
    }
    d.end();
  }
}

TEST_CASE("in disorder with rewrites of the log nothing is lost or doubled, and the log agrees wherever it stops") {
  std::uint64_t rewrites = 0;
  for (const auto seed : seeds(80)) {
    CAPTURE(seed);
    disorder d(seed, {.rewrites = true}, 1 + static_cast<std::int64_t>(seed % 5));
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      d.act();
      if (i % 60 == 59) d.compare_with_log();
    }
    d.end();
    rewrites += d.rewrites();
  }
  CHECK(rewrites > 0);
}

TEST_CASE(
    "in disorder with rewrites, a log that fails and a topic that grows and shrinks nothing is lost from the log") {
  std::uint64_t rewrites = 0;
  for (const auto seed : seeds(80)) {
    CAPTURE(seed);
    disorder d(seed, {.log_fails = seed % 3 == 0, .resizes = seed % 2 == 0, .rewrites = true, .buries = true}, 4);
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      d.act();
      if (i % 60 == 59) d.look_for_losses_in_log();
    }
    d.end();
    rewrites += d.rewrites();
  }
  CHECK(rewrites > 0);
}

TEST_CASE("in disorder with a topic that grows and shrinks nothing is lost or doubled") {
  for (const auto seed : seeds(60)) {
    CAPTURE(seed);
    disorder d(seed, {.resizes = true}, 6);
    for (int i = 0; i < 300; ++i) {
      CAPTURE(i);
      d.act();
    }
    d.end();
  }
}

}  // namespace mqlite::test
