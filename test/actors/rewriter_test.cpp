#include "actors/log/rewriter.hpp"

#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;

namespace {

/// Does something at one of the records that it gets.
class interrupting_sink final : public record_sink {
 public:
  interrupting_sink(std::size_t at, std::function<void()> interrupt, std::shared_ptr<bool> finished)
      : left_(at), interrupt_(std::move(interrupt)), finished_(std::move(finished)) {}

  std::optional<failure> append(std::string) override {
    if (left_-- == 0) interrupt_();
    return std::nullopt;
  }
  std::optional<failure> finish() override {
    *finished_ = true;
    return std::nullopt;
  }

 private:
  std::size_t left_;
  std::function<void()> interrupt_;
  std::shared_ptr<bool> finished_;
};

}  // namespace

TEST_CASE_FIXTURE(broker_fixture,
                  "a rewrite that fails leaves its topic before it says so: the next one may begin at once") {
  start(1);
  publish_many(10, 0);
  const auto link = request<topic_link>([&](auto then) {
    tell(broker(), command::resolve_topic{"n", "t", reply<topic_link>(then)});
  });
  run();
  REQUIRE(link->ok());
  const auto topic = (*link)->actor;
  class failing_sink final : public record_sink {
   public:
    std::optional<failure> append(std::string) override {
      if (left_-- > 0) return std::nullopt;
      return failure{error_code::unavailable, "no space left"};
    }
    std::optional<failure> finish() override { return std::nullopt; }

   private:
    int left_ = 3;  // until the topic has given its snapshot
  };
  count_anew();
  std::optional<std::uint64_t> told;
  reply<done> answer([&](const outcome<done>& how) {
    CHECK_FALSE(how);
    tell(topic, command::list_dead{1, reply<std::vector<peeked>>([&](const outcome<std::vector<peeked>>&) {
                                     told = received<event::snapshot_over>();
                                   })});
  });
  tell(spawn_state<rewriter_actor, rewriter_state>(system(), broker(), std::make_shared<failing_sink>(),
                                                   std::make_shared<rewrite_progress>(), std::move(answer)),
       event::begin_rewriting{});
  run();
  CHECK(told == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "a snapshot that is given up at any moment makes no base, or a whole one") {
  constexpr int messages = 9'000;
  start(2);
  publish_many(messages / 2, 0);
  publish_many(messages / 2, 1);
  const auto link = request<topic_link>([&](auto then) {
    tell(broker(), command::resolve_topic{"n", "t", reply<topic_link>(then)});
  });
  run();
  REQUIRE(link->ok());
  const auto topic = (*link)->actor;
  std::size_t given_up = 0;
  for (std::size_t at = 0;; ++at) {
    CAPTURE(at);
    bool interrupted = false;
    const auto finished = std::make_shared<bool>(false);
    auto progress = std::make_shared<rewrite_progress>();
    const auto how = request<done>([&](auto then) {
      auto sink = std::make_shared<interrupting_sink>(
          at,
          [&] {
            interrupted = true;
            tell(topic, event::snapshot_over{});
          },
          finished);
      tell(spawn_state<rewriter_actor, rewriter_state>(system(), broker(), sink, progress, reply<done>(then)),
           event::begin_rewriting{});
    });
    run();
    CHECK(how->came());
    CHECK(how->ok() == *finished);
    if (*finished) {
      CHECK(progress->messages == messages);
    } else {
      ++given_up;
      CHECK(interrupted);
      CHECK(how->code() == error_code::unavailable);
    }
    if (!interrupted) break;
  }
  CHECK(given_up > 0);
  CHECK(details().queues.at(0).ready + details().queues.at(1).ready == messages);
}
