#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <unordered_set>

#include "protocols/net/sockets.hpp"

namespace mqlite {

/// Notices the end of connections that a library serves without telling. Used in its loop's thread.
///
/// Operation: of each socket a duplicate is kept in an epoll set that asks for nothing, so that it reports only what is always
/// reported (epoll_ctl(2)): both directions are shut down, or an error. Traffic wakes nobody.
class hangup_watch {
 public:
  /// `ended` runs once for each socket that ended.
  hangup_watch(asio::io_context& context, std::function<void()> ended);
  hangup_watch(const hangup_watch&) = delete;
  hangup_watch& operator=(const hangup_watch&) = delete;
  ~hangup_watch();

  /// Watches a connected socket from now on, whoever owns it. False when there are no descriptors left.
  bool add(int socket);
  /// How many sockets have not ended.
  std::size_t size() const noexcept { return watched_.size(); }

 private:
  void wait();
  void take_ended();

  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> epoll_;
  std::function<void()> ended_;
  std::unordered_set<int> watched_;
};

}  // namespace mqlite
