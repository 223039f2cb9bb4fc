#include "protocols/grpc/hangup_watch.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace mqlite {
namespace {

int new_epoll() {
  const int descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return descriptor;
}

}  // namespace

hangup_watch::hangup_watch(asio::io_context& context, std::function<void()> ended)
    : epoll_(context.get_executor(), new_epoll()), ended_(std::move(ended)) {
  wait();
}

hangup_watch::~hangup_watch() {
  for (const int socket : watched_) ::close(socket);
}

bool hangup_watch::add(int socket) {
  const int duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return false;
  epoll_event event{};
  event.data.fd = duplicate;
  if (epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, duplicate, &event) != 0) {
    ::close(duplicate);
    return false;
  }
  watched_.insert(duplicate);
  return true;
}

void hangup_watch::wait() {
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    take_ended();
    wait();
  });
}

// asio reports an edge: all has to be taken.
void hangup_watch::take_ended() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int n = epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    if (n <= 0) return;
    for (int i = 0; i < n; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      // The set would go on reporting it for as long as its owner has not closed it either.
      epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, socket, nullptr);
      ::close(socket);
      watched_.erase(socket);
      ended_();
    }
  }
}

}  // namespace mqlite
