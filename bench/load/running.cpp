#include "bench/load/running.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <thread>
#include <utility>

#include "bench/load/sockets.hpp"

namespace mqlite::load {
namespace {

std::atomic<bool> interruption = false;
/// Messages that may be pushed to a consumer ahead of its acks.
constexpr std::size_t window = 1000;
static_assert(std::atomic<bool>::is_always_lock_free);

/// A thread that sleeps until a time is woken late (by 90 us on a virtual machine, where brokers answer in 30), and what it sends late
/// counts against the server: before a message is due it is awake, unless the server has no other processor.
std::chrono::microseconds sleepless() {
  static const bool alone = std::thread::hardware_concurrency() == 1;
  return std::chrono::microseconds(alone ? 0 : 200);
}

clock::duration seconds(double s) {
  return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(s));
}

}  // namespace

void interrupt() noexcept { interruption = true; }

// -- running --------------------------------------------------------------------------------------------------------------------

bool running::interrupted() noexcept {
  if (interruption) result_.interrupted = true;
  return result_.interrupted;
}

void running::poll(clock::time_point until, bool owed) {
  const auto before = result_.published + result_.acknowledged;
  door_.poll(*this, std::min(until, clock::now() + std::chrono::milliseconds(100)));
  const auto now = clock::now();
  if (!owed || result_.published + result_.acknowledged != before) heard_ = now;
  if (now - heard_ > patience)
    throw run_error("the server has not answered for " + std::to_string(patience.count()) + " s");
}

void running::begin_measuring() {
  measuring_ = true;
  if (plan_.server_pid != 0) before_ = usage_of(plan_.server_pid);
  own_before_ = own_cpu_seconds();
  begun_ = clock::now();
}

void running::end_measuring(std::uint64_t messages) {
  if (!std::exchange(measuring_, false)) return;
  result_.seconds = std::chrono::duration<double>(clock::now() - begun_).count();
  result_.messages = messages;
  result_.client_cpu_seconds = own_cpu_seconds() - own_before_;
  if (plan_.server_pid == 0) return;
  const auto after = usage_of(plan_.server_pid);
  result_.server_cpu_seconds = after.cpu_seconds - before_.cpu_seconds;
  result_.server_bytes = after.resident_bytes;
}

// -- publishing -----------------------------------------------------------------------------------------------------------------

publishing::publishing(const plan& what, door& through)
    : running(what, through),
      batch_(what.what == workload::drain ? 1 : what.batch),
      bursts_(through.publishing_lanes()),
      first_(through.publishing_lanes()) {}

void publishing::send(std::size_t lane, std::size_t requests, clock::time_point now) {
  const auto allowed = (may_send_ + batch_ - 1) / batch_;
  if (requests > allowed) requests = static_cast<std::size_t>(allowed);
  if (requests == 0) return;
  const auto messages = requests * batch_;
  may_send_ -= std::min<std::uint64_t>(may_send_, messages);
  sent_ += messages;
  bursts_[lane].push_back({now, messages});
  door_.publish(lane, requests);
}

void publishing::start_all() {
  for (std::size_t lane = 0; lane < bursts_.size(); ++lane) send(lane, door_.lane_depth(), clock::now());
}

void publishing::on_published(std::size_t lane, std::size_t messages) {
  const auto now = clock::now();
  result_.published += messages;
  auto& bursts = bursts_[lane];
  auto& first = first_[lane];
  for (auto left = messages; left > 0;) {
    if (first == bursts.size()) throw run_error("the server answers what was not asked");
    auto& burst = bursts[first];
    const auto n = std::min(left, burst.messages);
    if (measuring()) result_.latency.record(nanoseconds(now - burst.sent), n / batch_);
    left -= n;
    if ((burst.messages -= n) == 0) ++first;
  }
  if (first == bursts.size()) {
    bursts.clear();
    first = 0;
  } else if (first > 1000) {
    bursts.erase(bursts.begin(), bursts.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
  send(lane, messages / batch_, now);
}

void publishing::measure() {
  constexpr auto unbounded = ~std::uint64_t{0} / 2;
  may_send_ = unbounded;
  progress_.begin("warming up");
  const auto warm = clock::now() + seconds(plan_.warm_up);
  if (plan_.warm_up > 0) start_all();
  for (auto now = clock::now(); now < warm && !interrupted(); now = clock::now()) {
    poll(warm, true);
    progress_.show(now, 1 - std::chrono::duration<double>(warm - now).count() / plan_.warm_up, result_.published);
  }
  progress_.begin("publishing");
  const auto before = result_.published;
  if (total_ > 0) may_send_ = total_ > in_flight() ? total_ - in_flight() : 0;
  begin_measuring();
  if (plan_.warm_up == 0 || in_flight() == 0) start_all();
  const auto end = begun_ + seconds(plan_.seconds);
  const auto done = [&] { return result_.published - before; };
  for (auto now = clock::now(); (total_ > 0 ? done() < total_ : now < end) && !interrupted(); now = clock::now()) {
    poll(total_ > 0 ? clock::time_point::max() : end, true);
    const auto part = total_ > 0 ? static_cast<double>(done()) / static_cast<double>(total_)
                                 : std::chrono::duration<double>(now - begun_).count() / plan_.seconds;
    progress_.show(now, part, done());
  }
  end_measuring(done());
  finish();
}

/// Waits for the answers that are owed, so that the counts are whole.
void publishing::finish() {
  may_send_ = 0;
  while (in_flight() > 0) poll(clock::time_point::max(), true);
}

void publishing::fill(std::uint64_t messages) {
  progress_.begin("filling");
  may_send_ = messages;
  start_all();
  while (in_flight() > 0) {
    poll(clock::time_point::max(), true);
    if (interrupted()) may_send_ = 0;
    progress_.show(clock::now(), static_cast<double>(result_.published) / static_cast<double>(messages),
                   result_.published);
  }
}

// -- draining -------------------------------------------------------------------------------------------------------------------

draining::draining(const plan& what, door& through, std::uint64_t held)
    : running(what, through), wanted_(held), asked_(what.connections) {}

void draining::fetch(std::size_t lane, clock::time_point now) {
  if (received_ >= wanted_ || interrupted()) return;
  asked_[lane].push_back(now);
  door_.fetch(door_.publishing_lanes() + lane, plan_.batch, false);
}

void draining::on_messages(std::size_t at, delivered& messages) {
  const auto lane = at - door_.publishing_lanes();
  const auto now = clock::now();
  received_ += messages.count;
  if (messages.count > 0) door_.settle(at, messages.tokens);
  for (std::size_t i = 0; i < messages.fetches && !asked_[lane].empty(); ++i) {
    result_.latency.record(nanoseconds(now - asked_[lane].front()));
    asked_[lane].erase(asked_[lane].begin());
    fetch(lane, now);
  }
}

void draining::measure() {
  progress_.begin("draining");
  begin_measuring();
  for (std::size_t lane = 0; lane < plan_.connections; ++lane) {
    pushed_ = pushes(plan_.via) && door_.subscribe(door_.publishing_lanes() + lane, std::max(window, plan_.batch * 2));
    for (std::size_t i = 0; i < plan_.outstanding && !pushed_; ++i) fetch(lane, clock::now());
  }
  while (result_.acknowledged < wanted_ && !interrupted()) {
    poll(clock::time_point::max(), true);
    progress_.show(clock::now(), static_cast<double>(result_.acknowledged) / static_cast<double>(wanted_),
                   result_.acknowledged);
  }
  end_measuring(result_.acknowledged);
}

// -- streaming ------------------------------------------------------------------------------------------------------------------

streaming::streaming(const plan& what, door& through)
    : running(what, through),
      unmeasured_(static_cast<std::uint64_t>(what.rate * what.warm_up)),
      pushed_(what.connections) {
  last_ = unmeasured_ +
          (total_ > 0 ? total_ : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(what.rate * what.seconds)));
}

clock::time_point streaming::due(std::uint64_t n) const {
  return start_ + seconds(static_cast<double>(n) / plan_.rate);
}

void streaming::send_due(clock::time_point now) {
  for (; sent_ < last_ && due(sent_) <= now; ++sent_) {
    char stamp[stamp_size + 1];
    std::snprintf(stamp, sizeof stamp, "%016llx", static_cast<unsigned long long>(sent_));
    door_.publish_stamped(static_cast<std::size_t>(sent_ % door_.publishing_lanes()), {stamp, stamp_size});
  }
}

void streaming::on_messages(std::size_t at, delivered& messages) {
  const auto lane = at - door_.publishing_lanes();
  const auto now = clock::now();
  for (const auto& stamp : messages.stamps) {
    std::uint64_t n = 0;
    const auto [end, problem] = std::from_chars(stamp.data(), stamp.data() + stamp.size(), n, 16);
    if (problem != std::errc() || n >= sent_) throw run_error("a message arrives that this run did not publish");
    if (n >= unmeasured_) result_.latency.record(nanoseconds(now - due(n)));
  }
  received_ += messages.count;
  if (messages.count > 0) door_.settle(at, messages.tokens);
  if (!pushed_[lane])
    for (std::size_t i = 0; i < messages.fetches; ++i) door_.fetch(at, window, true);
}

void streaming::measure() {
  for (std::size_t lane = 0; lane < plan_.connections; ++lane) {
    const auto at = door_.publishing_lanes() + lane;
    pushed_[lane] = door_.subscribe(at, window);
    if (!pushed_[lane]) door_.fetch(at, window, true);
  }
  progress_.begin("streaming");
  start_ = clock::now();
  while (result_.acknowledged < last_) {
    const auto now = clock::now();
    if (interrupted()) last_ = std::min(last_, sent_);
    if (!measuring() && sent_ >= unmeasured_) {
      begin_measuring();
      begun_ = std::min(begun_, due(unmeasured_));  // where the warm-up was late, what comes was due since then
    }
    send_due(now);
    poll(sent_ < last_ ? due(sent_) - sleepless() : clock::time_point::max(), sent_ > result_.acknowledged);
    progress_.show(now, static_cast<double>(sent_) / static_cast<double>(last_), result_.acknowledged);
  }
  end_measuring(result_.latency.total());
  while (result_.published < sent_) poll(clock::time_point::max(), true);
}

// -- all ------------------------------------------------------------------------------------------------------------------------

result run(const plan& what, door& through) {
  const auto before = what.keep ? through.stored().value_or(0) : 0;
  const auto finished = [&](running& workload) {
    auto all = workload.take();
    all.stored = through.stored();
    return all;
  };
  if (what.what == workload::end_to_end) {
    streaming workload(what, through);
    workload.measure();
    return finished(workload);
  }
  publishing workload(what, through);
  if (what.what != workload::drain) {
    workload.measure();
    return finished(workload);
  }
  workload.fill(*what.count);
  auto filled = workload.take();
  if (filled.interrupted) return filled;
  draining drain(what, through, filled.published);
  drain.measure();
  auto all = finished(drain);
  all.published = before + filled.published;
  return all;
}

}  // namespace mqlite::load
