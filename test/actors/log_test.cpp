#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <caf/init_global_meta_objects.hpp>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "actors/broker/broker_actor.hpp"
#include "actors/log/persistence_actor.hpp"
#include "actors/log/records.hpp"
#include "persistence/recovery.hpp"
#include "test/actors/log_image.hpp"
#include "test/persistence/faulty_file_system.hpp"

// The log as the daemon has it, with its threads, on a disk that fails when it is told to.
namespace mqlite::test {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path folder = "data";

/// Waits for the answer of a request, without bound: the test command has one.
template <class T, class Send>
outcome<T> wait_for(Send send) {
  struct shared {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<outcome<T>> value;
  };
  auto s = std::make_shared<shared>();
  send(reply<T>([s](outcome<T> how) {
    std::lock_guard guard(s->mutex);
    s->value.emplace(std::move(how));
    s->came.notify_all();
  }));
  std::unique_lock lock(s->mutex);
  s->came.wait(lock, [&] { return s->value.has_value(); });
  return std::move(*s->value);
}

struct sharing_config : caf::actor_system_config {
  sharing_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", std::size_t{2});
  }
};

void init_types() {
  static const bool once = [] {
    caf::core::init_global_meta_objects();
    caf::init_global_meta_objects<caf::id_block::mqlite>();
    return true;
  }();
  (void)once;
}

class running_broker {
 public:
  running_broker(faulty_file_system& files, sync_rules sync, rewrite_rules rules = {}, thread_sharing sharing = {}) {
    init_types();
    spdlog::set_level(spdlog::level::off);
    system_ = std::make_unique<caf::actor_system>(config_);
    auto lock = folder_lock::take(files, folder);
    REQUIRE(lock);
    const auto time = std::make_shared<system_clock>();
    replay visitor(time->now());
    auto found = recover(files, folder, visitor);
    REQUIRE(found);
    auto writer = log_writer::open(files, std::move(*lock), *found, {.preallocate = 0});
    REQUIRE(writer);
    auto env = std::make_shared<environment>();
    env->clock = time;
    env->seed = 1;
    env->log = spawn_state<persistence_actor, persistence_state>(
        *system_, std::make_shared<log_writer>(std::move(*writer)), sync, time, rules, std::move(sharing));
    log_ = env->log;
    broker_ = start_broker(*system_, std::move(env), visitor.take());
  }
  ~running_broker() {
    if (broker_) shut_down();
  }

  /// `meanwhile` runs when the broker has been told.
  outcome<done> shut_down(const std::function<void()>& meanwhile = [] {}) {
    auto how = wait_for<done>([&](auto r) {
      tell(broker_, command::shut_down{r});
      meanwhile();
    });
    broker_ = nullptr;
    log_ = nullptr;
    system_.reset();
    return how;
  }
  /// Ends everything without closing the log.
  void die() {
    stop(std::exchange(log_, nullptr), caf::exit_reason::kill);
    stop(std::exchange(broker_, nullptr), caf::exit_reason::kill);
    topic_ = nullptr;
    system_.reset();
  }

  void create() {
    REQUIRE(wait_for<done>([&](auto r) { tell(broker_, command::create_namespace{"n", r}); }).ok());
    REQUIRE(wait_for<done>([&](auto r) { tell(broker_, command::create_topic{0, "n", "t", 2, {}, r}); }).ok());
  }
  outcome<std::vector<outcome<published>>> publish(int count, const std::string& payload = "payload") {
    if (!topic_) {
      auto link = wait_for<topic_link>([&](auto r) { tell(broker_, command::resolve_topic{"n", "t", r}); });
      REQUIRE(link.ok());
      topic_ = link->actor;
    }
    return wait_for<std::vector<outcome<published>>>([&](auto r) {
      command::publish c;
      for (int i = 0; i < count; ++i) {
        c.drafts.emplace_back();
        c.drafts.back().message = message::make(payload);
      }
      c.answer = r;
      tell(topic_, std::move(c));
    });
  }
  /// Empties both queues.
  void purge() {
    for (queue_number q = 0; q < 2; ++q)
      REQUIRE(wait_for<std::uint64_t>([&](auto r) { tell(topic_, command::purge{q, r}); }).ok());
  }
  /// Publishes one message; its id if that was answered.
  std::optional<message_id> publish_one() {
    auto all = publish(1);
    if (!all.ok() || !all->front().ok()) return std::nullopt;
    return all->front()->id;
  }
  /// Publishes one message, again and again while the log has yet to find out that it has failed, or is not well again.
  message_id publish_surely() {
    for (;;) {
      if (const auto id = publish_one()) return *id;
      wait_until([](const log_status& s) { return s.healthy; });
    }
  }
  /// Leases one message, which must be there: the record of it has to be written, no more.
  void consume_one() {
    auto found = wait_for<consumed>([&](auto r) { tell(topic_, command::consume{any_queue, {}, 1, r}); });
    REQUIRE(found.ok());
    REQUIRE(found->deliveries.size() == 1);
    found->confirm();
  }
  outcome<done> rewrite() {
    return wait_for<done>([&](auto r) { tell(broker_, command::rewrite{r}); });
  }
  outcome<backed_up> backup(const std::string& target) {
    return wait_for<backed_up>([&](auto r) { tell(broker_, command::backup{target, r}); });
  }
  log_status status() {
    auto how = wait_for<log_status>([&](auto r) { tell(log_, command::log{r}); });
    REQUIRE(how.ok());
    return *how;
  }
  template <class Condition>
  log_status wait_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (;;) {
      auto s = status();
      if (condition(s)) return s;
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  log_status rewrite_to_the_end() {
    const auto before = status().rewrite;
    REQUIRE(rewrite().ok());
    return wait_until([&](const log_status& s) {
      return s.rewrite.succeeded + s.rewrite.failed > before.succeeded + before.failed && !s.rewrite.running;
    });
  }

 private:
  sharing_config config_;
  std::unique_ptr<caf::actor_system> system_;
  persistence_actor log_;
  broker_actor broker_;
  topic_actor topic_;
};

/// Ids of all messages in the log.
std::set<message_id> ids_in(faulty_file_system& files) {
  replay visitor(0);
  const auto found = recover(files, folder, visitor);
  REQUIRE(found);
  std::set<message_id> ids;
  const auto birth = visitor.take();
  if (!birth.namespaces.contains("n")) return ids;
  for (const auto& topic : birth.namespaces.at("n"))
    for (const auto& core : topic.cores)
      for (const auto h : core->all()) REQUIRE(ids.insert((*core)[h].message->id()).second);
  return ids;
}

}  // namespace

TEST_CASE("a rewrite that fails at any step leaves a log that holds all that was answered, and the next one succeeds") {
  for (const auto policy : {fsync_policy::always, fsync_policy::no}) {
    for (std::uint64_t steps = 0;; ++steps) {
      CAPTURE(steps);
      faulty_file_system files;
      std::set<message_id> answered;
      bool complete = false;
      {
        running_broker broker(files, policy);
        broker.create();
        for (int i = 0; i < 3; ++i) answered.insert(broker.publish_surely());
        files.plan({.steps = steps});
        const auto how = broker.rewrite_to_the_end();
        complete = how.rewrite.succeeded == 1 && files.steps() <= steps;
        files.plan({});
        broker.wait_until([](const log_status& s) { return s.healthy; });
        answered.insert(broker.publish_surely());
        CHECK(ids_in(files) == answered);
        if (steps % 4 == 0) CHECK(broker.rewrite_to_the_end().rewrite.last_problem == "");
        answered.insert(broker.publish_surely());
        CHECK(broker.shut_down().ok());
      }
      // Without fsyncs nothing is promised of a power cut.
      if (policy == fsync_policy::always) files.lose_power();
      CHECK(ids_in(files) == answered);
      if (complete) break;
    }
  }
}

/// Holds back every fsync that begins from now on, until it is released.
class held_fsyncs {
 public:
  explicit held_fsyncs(faulty_file_system& files) {
    files.plan({.before_sync = [open = gate_.get_future().share()](const std::string&) { open.wait(); }});
  }
  void release() { gate_.set_value(); }

 private:
  std::promise<void> gate_;
};

TEST_CASE("what comes while an fsync runs is one write behind it") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::always);
  broker.create();
  broker.publish_surely();
  held_fsyncs held(files);
  const auto before = broker.status();
  std::vector<std::future<std::optional<message_id>>> all;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return broker.publish_one(); }));
    broker.wait_until([&](const log_status& s) { return s.records == before.records + i && s.writes > before.writes; });
  }
  CHECK(broker.status().writes == before.writes + 1);
  files.plan({});
  held.release();
  for (auto& one : all) CHECK(one.get());
  CHECK(broker.status().writes == before.writes + 2);
  CHECK(broker.status().fsyncs == before.fsyncs + 2);
}

/// Rules under which a group waits until it is as large as the last one, however long that takes.
sync_rules patient() {
  sync_rules rules(fsync_policy::always);
  rules.gathering = 1e8;
  return rules;
}

/// Several who publish at the same time.
class publishers {
 public:
  explicit publishers(running_broker& broker) : broker_(broker) {}

  /// One more, whose record waits in the log when this returns.
  void add(const std::string& payload) {
    const auto before = broker_.status().records;
    all_.push_back(std::async(std::launch::async, [this, payload] {
      const auto answer = broker_.publish(1, payload);
      return answer.ok() && answer->front().ok();
    }));
    broker_.wait_until([&](const log_status& s) { return s.records > before; });
  }
  bool all_answered() {
    bool good = true;
    for (auto& one : all_) good = one.get() && good;
    all_.clear();
    return good;
  }

 private:
  running_broker& broker_;
  std::vector<std::future<bool>> all_;
};

/// Makes the log's last group one of three appends.
void write_three_at_once(running_broker& broker, faulty_file_system& files) {
  publishers several(broker);
  held_fsyncs held(files);
  const auto before = broker.status();
  several.add("alone");
  broker.wait_until([&](const log_status& s) { return s.writes > before.writes; });
  for (int i = 0; i < 3; ++i) several.add("one of three");
  files.plan({});
  held.release();
  REQUIRE(several.all_answered());
  REQUIRE(broker.status().writes == before.writes + 2);
}

TEST_CASE("a group that is smaller than the last one waits until it is as large") {
  faulty_file_system files;
  running_broker broker(files, patient());
  broker.create();
  broker.publish_surely();
  write_three_at_once(broker, files);
  const auto before = broker.status();
  publishers several(broker);
  for (int i = 0; i < 2; ++i) several.add("one of three");
  CHECK(broker.status().writes == before.writes);
  several.add("one of three, the last one");
  CHECK(several.all_answered());
  CHECK(broker.status().writes == before.writes + 1);
  CHECK(broker.status().fsyncs == before.fsyncs + 1);
}

TEST_CASE(
    "a group that nobody joins is written after about half an fsync, and then one who comes alone waits for nobody") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::always);
  broker.create();
  broker.publish_surely();
  write_three_at_once(broker, files);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto before = broker.status();
    broker.publish_surely();
    CHECK(broker.status().writes == before.writes + 1);
  }
}

TEST_CASE("one who publishes and waits never waits for others") {
  faulty_file_system files;
  running_broker broker(files, patient());
  broker.create();
  for (std::size_t i = 0; i < 20; ++i) CHECK(broker.publish(1, std::string(2'000 - i * 100, 'x'))->front().ok());
}

TEST_CASE("a lease and a shutdown end the wait for more, and what waited is answered") {
  faulty_file_system files;
  running_broker broker(files, patient());
  broker.create();
  for (int i = 0; i < 2; ++i) broker.publish_surely();
  write_three_at_once(broker, files);
  {
    publishers one(broker);
    one.add("waits");
    broker.consume_one();  // the lease has to be written, and the publish with it
    CHECK(one.all_answered());
  }
  write_three_at_once(broker, files);
  publishers last(broker);
  last.add("waits");
  CHECK(broker.shut_down().ok());
  CHECK(last.all_answered());
  files.lose_power();
  CHECK(ids_in(files).size() == 2 + 4 + 1 + 4 + 1);
}

TEST_CASE("a disk that fails while a group waits for more refuses it, and the log goes on") {
  faulty_file_system files;
  running_broker broker(files, patient());
  broker.create();
  broker.publish_surely();
  write_three_at_once(broker, files);
  publishers several(broker);
  several.add("one of three");
  files.plan({.writable_bytes = 0});
  for (int i = 0; i < 2; ++i) several.add("one of three, and longer");
  CHECK_FALSE(several.all_answered());
  files.plan({});
  broker.wait_until([](const log_status& s) { return s.healthy; });
  for (int i = 0; i < 3; ++i) several.add("one of three, and longer");
  CHECK(several.all_answered());
  CHECK(broker.shut_down().ok());
  files.lose_power();
  CHECK(ids_in(files).size() == 1 + 4 + 3);
}

/// A thread that waits for the disk behind the log's actor.
class waiting_thread {
 public:
  thread_sharing sharing(std::chrono::nanoseconds longest_behind = std::chrono::hours(1)) {
    return {{},
            [this](std::function<void()> job) {
              {
                const std::lock_guard guard(mutex_);
                jobs_.push_back(std::move(job));
                ++taken_;
              }
              changed_.notify_all();
              return true;
            },
            longest_behind};
  }
  ~waiting_thread() {
    {
      const std::lock_guard guard(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  int taken() {
    const std::lock_guard guard(mutex_);
    return taken_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ends_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  int taken_ = 0;
  bool ends_ = false;
  std::thread thread_{[this] { run(); }};
};

TEST_CASE("for one who publishes and waits the disk is waited for behind the log's actor, for several it is not") {
  faulty_file_system files;
  waiting_thread behind;
  running_broker broker(files, fsync_policy::always, {}, behind.sharing());
  broker.create();
  for (int i = 0; i < 20; ++i) broker.publish_surely();
  CHECK(behind.taken() > 0);
  CHECK(behind.taken() < 20);
  held_fsyncs held(files);
  const auto before = broker.status();
  const auto taken = behind.taken();
  std::vector<std::future<std::optional<message_id>>> all;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return broker.publish_one(); }));
    broker.wait_until([&](const log_status& s) { return s.records == before.records + i && s.writes > before.writes; });
  }
  files.plan({});
  held.release();
  for (auto& one : all) CHECK(one.get());
  broker.publish_surely();
  CHECK(behind.taken() == taken + 1);  // the one that nobody had company with yet
}

TEST_CASE("nothing waits behind the log's actor where the disk is slower than that is worth") {
  faulty_file_system files;
  waiting_thread behind;
  running_broker broker(files, fsync_policy::always, {}, behind.sharing(1ns));
  broker.create();
  for (int i = 0; i < 30; ++i) broker.publish_surely();
  CHECK(behind.taken() == 0);
}

TEST_CASE("an fsync that fails behind the log's actor is a failure as any other") {
  faulty_file_system files;
  waiting_thread behind;
  std::set<message_id> answered;
  {
    running_broker broker(files, fsync_policy::always, {}, behind.sharing());
    broker.create();
    for (int i = 0; i < 20; ++i) answered.insert(broker.publish_surely());
    files.plan({.sync_error = std::make_error_code(std::errc::io_error)});
    const auto taken = behind.taken();
    CHECK_FALSE(broker.publish_one());
    CHECK(behind.taken() == taken + 1);
    files.plan({});
    answered.insert(broker.publish_surely());
    CHECK(broker.shut_down().ok());
  }
  files.lose_power();
  CHECK(ids_in(files) == answered);
}

TEST_CASE("of what waits for the disk nothing is refused when a later write fails") {
  faulty_file_system files;
  std::set<message_id> answered;
  {
    running_broker broker(files, fsync_policy::always);
    broker.create();
    for (int i = 0; i < 2; ++i) answered.insert(broker.publish_surely());
    held_fsyncs held(files);
    const auto before = broker.status();
    const auto publish = [&](std::uint64_t records) {
      auto answer = std::async(std::launch::async, [&] { return broker.publish_one(); });
      broker.wait_until([&](const log_status& s) { return s.records == before.records + records; });
      return answer;
    };
    auto first = publish(1);
    broker.wait_until([&](const log_status& s) { return s.writes == before.writes + 1; });
    auto second = publish(2);
    broker.consume_one();  // the lease has to be written, and the second message with it
    CHECK(broker.status().writes > before.writes + 1);
    files.plan({.writable_bytes = 0});
    auto third = publish(4);
    broker.consume_one();  // goes on without its record
    CHECK_FALSE(third.get());
    files.plan({});
    held.release();
    for (auto* one : {&first, &second}) {
      const auto id = one->get();
      REQUIRE(id);
      answered.insert(*id);
    }
    answered.insert(broker.publish_surely());
    CHECK(broker.shut_down().ok());
  }
  files.lose_power();
  CHECK(ids_in(files) == answered);
}

TEST_CASE("a rewrite that a failed fsync has made necessary is made after a restart, too") {
  faulty_file_system files;
  {
    auto lock = folder_lock::take(files, folder);
    REQUIRE(lock);
    replay nothing(0);
    const auto found = recover(files, folder, nothing);
    REQUIRE(found);
    auto writer = log_writer::open(files, std::move(*lock), *found, {.preallocate = 0});
    REQUIRE(writer);
    writer->append(records::namespace_created("n"));
    REQUIRE_FALSE(writer->flush());
    CHECK_FALSE(writer->has_unvouched());
    writer->sync_failed(writer->current(), std::make_error_code(std::errc::io_error));
    REQUIRE_FALSE(writer->begin_new_file());
    CHECK(writer->has_unvouched());
  }
  running_broker broker(files, fsync_policy::everysec);
  broker.wait_until([](const log_status& s) { return s.rewrite.succeeded == 1; });
  CHECK(broker.shut_down().ok());
}

TEST_CASE("an fsync of everysec that fails is made up for by a rewrite, without being asked") {
  faulty_file_system files;
  std::set<message_id> answered;
  const auto live = message::make(std::string(100'000, 'x'));  // so that it would not shrink the log
  running_broker broker(files, fsync_policy::everysec, {.percentage = 100, .large = 1});
  broker.create();
  for (int i = 0; i < 5; ++i) answered.insert(broker.publish_surely());
  files.plan({.sync_error = std::make_error_code(std::errc::io_error)});
  broker.wait_until([](const log_status& s) { return !s.healthy; });
  CHECK_FALSE(broker.publish_one());
  files.plan({});
  const auto after = broker.wait_until([](const log_status& s) { return s.rewrite.succeeded == 1; });
  CHECK(after.healthy);
  files.lose_power();  // whatever the file whose fsync failed held
  const auto left = ids_in(files);
  for (const auto& id : answered) CHECK(left.contains(id));
  broker.die();
}

TEST_CASE("an fsync of everysec does not wait for its time when there is much to sync") {
  faulty_file_system files;
  sync_rules often(fsync_policy::everysec);
  often.interval = 1h;
  often.most_unsynced = 1'000;
  running_broker broker(files, often);
  broker.create();
  const std::string payload(700, 'x');
  for (std::uint64_t i = 1; i < 20; ++i) {
    broker.publish(2, payload);
    broker.wait_until([&](const log_status& s) { return s.fsyncs >= i; });
  }
  const auto before = broker.status().fsyncs;
  for (int i = 0; i < 5; ++i) broker.publish(1);  // so little may wait
  broker.publish(2, payload);
  broker.wait_until([&](const log_status& s) { return s.fsyncs > before; });
  CHECK(broker.status().fsyncs == before + 1);
  CHECK(files.releases() > 0);
  CHECK_FALSE(files.released_unsynced());
}

TEST_CASE("a rewrite of a large log has to free a quarter of it") {
  const rewrite_rules rules{.min_size = 10, .percentage = 100, .large = 100};
  CHECK(rules.would_shrink(99, 99));
  CHECK_FALSE(rules.would_shrink(100, 76));
  CHECK(rules.would_shrink(100, 75));
  CHECK_FALSE(rules.would_shrink(100, 1'000));
}

TEST_CASE("a log that grows is rewritten by itself, and not again after each flush when that fails") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::no, {.min_size = 20'000, .percentage = 100});
  broker.create();
  std::uint64_t published = 0;
  while (broker.status().bytes < 20'000) published += (*broker.publish(20)).size();
  auto s = broker.wait_until([](const log_status& now) { return now.rewrite.succeeded == 1; });
  CHECK(s.rewrite.messages >= published - 20);
  files.plan({.rename_error = std::make_error_code(std::errc::io_error)});
  while (broker.status().rewrite.failed == 0) broker.publish(20);
  for (int i = 0; i < 50; ++i) broker.publish(5);
  s = broker.status();
  CHECK(s.rewrite.failed == 1);
  CHECK(s.healthy);
  CHECK(s.rewrite.last_problem.find("rename") != std::string::npos);
  files.plan({});
}

TEST_CASE("a large log that is live is not rewritten before a quarter of it can go") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::no, {.min_size = 20'000, .percentage = 100, .large = 60'000});
  broker.create();
  const std::string ballast(1 << 20, 'x');  // live messages of a megabyte, wherever they are
  {
    const auto live = message::make(ballast);
    while (broker.status().bytes < 60'000) broker.publish(20);
    const auto small = broker.wait_until([](const log_status& s) { return !s.rewrite.running; });
    CHECK(small.rewrite.succeeded > 0);
    while (broker.status().bytes < 600'000) broker.publish(50);
    CHECK_FALSE(broker.status().rewrite.running);
    CHECK(broker.status().rewrite.succeeded == small.rewrite.succeeded);
  }
  const auto rewrites = broker.status().rewrite.succeeded;
  broker.purge();  // after that nothing is written any more
  broker.wait_until([&](const log_status& s) { return s.rewrite.succeeded > rewrites; });
}

/// Holds the log's own fsync of the ended file and the new one back, not those of whoever makes the new file or the copy.
class held_fsync {
 public:
  explicit held_fsync(faulty_file_system& files) {
    files.create_folders("/backups");
    auto times = std::make_shared<std::atomic<int>>(0);
    files.plan({.before_sync = [times, open = gate_.get_future().share()](const std::string& name) {
      if (name == incr_name(2) && ++*times > 1) open.wait();
    }});
  }
  void release() { gate_.set_value(); }

 private:
  std::promise<void> gate_;
};

TEST_CASE("a rewrite behind a backup waits for the fsync of the file that the backup has ended") {
  for (const bool fails : {false, true}) {
    CAPTURE(fails);
    faulty_file_system files;
    running_broker broker(files, fsync_policy::everysec);
    broker.create();
    std::set<message_id> answered{broker.publish_surely()};
    held_fsync held(files);
    CHECK(broker.backup("/backups/copy").ok());
    CHECK(broker.rewrite().ok());
    CHECK(broker.status().rewrite.running);
    CHECK_FALSE(broker.backup("/backups/other").ok());
    answered.insert(broker.publish_surely());
    if (fails) files.plan({.sync_error = std::make_error_code(std::errc::io_error)});
    held.release();
    auto ended = broker.wait_until([](const log_status& s) { return !s.rewrite.running; });
    CHECK(ended.rewrite.failed == (fails ? 1 : 0));
    files.plan({});
    if (fails) {
      broker.wait_until([](const log_status& s) { return s.healthy; });
      ended = broker.rewrite_to_the_end();
    }
    CHECK(ended.rewrite.succeeded == 1);
    answered.insert(broker.publish_surely());
    CHECK(broker.shut_down().ok());
    CHECK(ids_in(files) == answered);
  }
}

TEST_CASE("a rewrite that waits for an fsync is given up when the broker ends") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::everysec);
  broker.create();
  const auto id = broker.publish_surely();
  held_fsync held(files);
  CHECK(broker.backup("/backups/copy").ok());
  CHECK(broker.rewrite().ok());
  const auto how = broker.shut_down([&] {
    broker.wait_until([](const log_status& s) { return !s.healthy; });
    held.release();
  });
  CHECK(how.ok());
  CHECK(ids_in(files) == std::set{id});
}

TEST_CASE("two rewrites at once are one too many") {
  faulty_file_system files;
  running_broker broker(files, fsync_policy::no);
  broker.create();
  broker.publish(10'000);
  REQUIRE(broker.rewrite().ok());
  const auto second = broker.rewrite();
  REQUIRE_FALSE(second.ok());
  CHECK(second.why().code == error_code::failed_precondition);
  broker.wait_until([](const log_status& s) { return s.rewrite.succeeded == 1; });
}

}  // namespace mqlite::test
