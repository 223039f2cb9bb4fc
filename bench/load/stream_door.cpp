#include "bench/load/stream_door.hpp"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mqlite::load {
namespace {

constexpr int most_ready = 256;
/// What one send offers of the fixed text, about.
constexpr std::size_t fixed_bytes = 256 * 1024;

void allow_sockets(std::size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted + 50)
    throw run_error("the system allows this process " + std::to_string(limit.rlim_cur) + " open files, too few for " +
                    std::to_string(wanted) + " connections");
}

/// Discards what is heard while connections are made ready.
class deaf final : public listener {
  void on_published(std::size_t, std::size_t) override {}
  void on_messages(std::size_t, delivered&) override {}
  void on_settled(std::size_t, std::size_t) override {}
};

}  // namespace

stream_door::stream_door(const plan& what, std::unique_ptr<dialect> spoken)
    : plan_(what), dialect_(std::move(spoken)), poll_(epoll_create1(EPOLL_CLOEXEC)) {}

stream_door::~stream_door() {
  close();
  ::close(poll_);
}

void stream_door::open(std::size_t publishers, std::size_t consumers) {
  allow_sockets(publishers + consumers);
  set_up_ = true;
  dialect_->set_up();
  publishers_ = publishers;
  for (std::size_t i = 0; i < publishers + consumers; ++i) {
    auto& c = lanes_.emplace_back(tcp_connection(plan_.host, plan_.port), dialect_->begin(i));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = i;
    epoll_ctl(poll_, EPOLL_CTL_ADD, c.socket.handle(), &event);
    c.fixed = fixed_text_of(*c.talk);
    c.talk->greet(c.out);
    mark(i);
  }
  deaf nobody;
  const auto limit = clock::now() + patience;
  for (auto& c : lanes_)
    while (!c.talk->ready()) {
      poll(nobody, limit);
      if (clock::now() > limit) throw run_error("the server does not answer the greeting");
    }
}

std::shared_ptr<const stream_door::fixed_text> stream_door::fixed_text_of(const conversation& talk) const {
  const auto topics = layout_of(plan_).topics;
  std::vector<std::string> of_topic;
  for (std::size_t i = 0; i < topics; ++i) of_topic.push_back(talk.publish_request(i));
  const auto size = of_topic.front().size();
  if (!lanes_.empty() && lanes_.front().fixed && lanes_.front().fixed->text.starts_with(of_topic.front()))
    return lanes_.front().fixed;
  const auto wanted = std::max<std::size_t>(1, std::min(plan_.outstanding * 2, fixed_bytes / size));
  auto result = std::make_shared<fixed_text>();
  result->request_size = size;
  result->requests = (wanted + topics - 1) / topics * topics;
  for (std::size_t i = 0; i < result->requests; ++i) result->text += of_topic[i % topics];
  return result;
}

// -- requests -------------------------------------------------------------------------------------------------------------------

void stream_door::mark(std::size_t lane) {
  if (std::exchange(lanes_[lane].dirty, true)) return;
  marked_.push_back(lane);
}

void stream_door::publish(std::size_t lane, std::size_t requests) {
  auto& c = lanes_[lane];
  c.talk->expect_publishes(requests);
  c.owed += requests;
  mark(lane);
}

void stream_door::publish_stamped(std::size_t lane, std::string_view stamp) {
  lanes_[lane].talk->publish_stamped(lanes_[lane].out, stamp);
  mark(lane);
}

void stream_door::fetch(std::size_t lane, std::size_t most, bool wait) {
  lanes_[lane].talk->fetch(lanes_[lane].out, most, wait);
  mark(lane);
}

void stream_door::settle(std::size_t lane, const token_list& tokens) {
  if (const auto n = lanes_[lane].talk->settle(lanes_[lane].out, tokens)) settled_.emplace_back(lane, n);
  mark(lane);
}

bool stream_door::subscribe(std::size_t lane, std::size_t window) {
  mark(lane);
  return lanes_[lane].talk->subscribe(lanes_[lane].out, window);
}

// -- sending --------------------------------------------------------------------------------------------------------------------

void stream_door::flush_marked() {
  for (std::size_t i = 0; i < marked_.size(); ++i) {
    auto& c = lanes_[marked_[i]];
    c.dirty = false;
    flush(c);
  }
  marked_.clear();
}

/// False when the socket takes no more.
bool stream_door::flush_text(connection& c) {
  while (c.sent < c.out.size()) {
    const auto n = send(c.socket.handle(), c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return false;
    c.sent += static_cast<std::size_t>(n);
  }
  c.out.clear();
  c.sent = 0;
  return true;
}

/// What a socket does not take now is sent when it says that it can be written. A broken connection shows when it is read.
void stream_door::flush(connection& c) {
  if (c.part == 0 && !flush_text(c)) return;
  const auto& fixed = *c.fixed;
  while (c.owed > 0) {
    const auto requests = std::min(c.owed, fixed.requests - c.next);
    const auto size = requests * fixed.request_size - c.part;
    const auto n = send(c.socket.handle(), fixed.text.data() + c.next * fixed.request_size + c.part, size,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return;
    const auto all = c.part + static_cast<std::size_t>(n);
    c.owed -= all / fixed.request_size;
    c.next = (c.next + all / fixed.request_size) % fixed.requests;
    c.part = all % fixed.request_size;
    if (static_cast<std::size_t>(n) < size) return;
  }
  flush_text(c);
}

// -- receiving ------------------------------------------------------------------------------------------------------------------

void stream_door::poll(listener& to, clock::time_point until) {
  flush_marked();
  if (!settled_.empty()) until = {};
  for (const auto& [lane, messages] : std::exchange(settled_, {})) to.on_settled(lane, messages);
  epoll_event events[most_ready];
  const auto left = std::max(clock::duration(0), until - clock::now());
  timespec wait{};
  wait.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  wait.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count() % 1'000'000'000;
  const int n = epoll_pwait2(poll_, events, most_ready, &wait, nullptr);
  if (n < 0 && errno != EINTR) throw run_error(std::string("epoll: ") + std::strerror(errno));
  for (int i = 0; i < n; ++i) {
    const auto lane = static_cast<std::size_t>(events[i].data.u64);
    const bool ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (ended || (events[i].events & EPOLLIN) != 0) read(lane, ended, to);
    flush(lanes_[lane]);
  }
  flush_marked();
}

/// Reads until there is nothing, or, where the peer has not ended, until a read was short.
void stream_door::read(std::size_t lane, bool ended, listener& to) {
  auto& c = lanes_[lane];
  for (;;) {
    if (c.held == c.input.size()) c.input.resize(c.input.size() * 2);
    const auto room = c.input.size() - c.held;
    const auto got = recv(c.socket.handle(), c.input.data() + c.held, room, MSG_DONTWAIT);
    if (got == 0) throw run_error("the server closed a connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      throw run_error(std::string("a connection broke: ") + std::strerror(errno));
    if (got < 0) return;
    c.held += static_cast<std::size_t>(got);
    const auto out_before = c.out.size();
    const auto taken = c.talk->take({c.input.data(), c.held}, c.out, heard_);
    if (c.out.size() != out_before) mark(lane);
    std::memmove(c.input.data(), c.input.data() + taken, c.held - taken);
    c.held -= taken;
    hand_over(lane, heard_, to);
    if (!ended && static_cast<std::size_t>(got) < room) return;
  }
}

void stream_door::close() noexcept {
  lanes_.clear();
  marked_.clear();
  if (!std::exchange(set_up_, false)) return;
  try {
    dialect_->tear_down();
  } catch (const std::exception&) {  // a server that is gone keeps what it has
  }
}

}  // namespace mqlite::load
