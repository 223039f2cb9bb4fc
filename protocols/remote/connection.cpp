#include "protocols/remote/connection.hpp"

#include <sys/socket.h>

#include <atomic>

namespace mqlite::remote {
namespace {

/// CAF names connections by their descriptors, and forgets one some time after it was closed: a new connection may have the same
/// descriptor by then. These numbers are never used again.
std::int64_t next_name() {
  static std::atomic<std::int64_t> last{std::int64_t{1} << 32};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

// -- connection_list ------------------------------------------------------------------------------------------------------------

void connection_list::add(connection* opened) {
  const std::lock_guard lock(mutex_);
  open_.insert(opened);
}

void connection_list::remove(connection* closed) {
  const std::lock_guard lock(mutex_);
  open_.erase(closed);
  counter_->leave(protocol::caf);
  if (open_.empty()) none_.notify_all();
}

std::vector<caf::intrusive_ptr<connection> > connection_list::all() {
  const std::lock_guard lock(mutex_);
  std::vector<caf::intrusive_ptr<connection> > held;
  for (auto* one : open_) held.emplace_back(one);
  return held;
}

bool connection_list::wait_for_none(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return none_.wait_until(lock, deadline, [this] { return open_.empty(); });
}

void connection_list::cut() {
  const std::lock_guard lock(mutex_);
  for (auto* one : open_) ::shutdown(one->socket(), SHUT_RDWR);
}

// -- connection -----------------------------------------------------------------------------------------------------------------

connection::connection(caf::io::network::default_multiplexer& network, int socket,
                       std::shared_ptr<connection_list> list)
    : scribe_impl(network, socket), list_(std::move(list)), gate_(list_->rules), peer_(addr()) {
  hdl_ = caf::io::connection_handle::from_int(next_name());
  msg().handle = hdl_;
  list_->add(this);
}

connection::~connection() { list_->remove(this); }

bool connection::consume(execution_context* context, const void* data, std::size_t size) {
  if (detached()) return false;
  if (const auto problem = gate_.take({static_cast<const unsigned char*>(data), size})) {
    list_->report(peer_, *problem);
    io_failure(context, caf::io::network::operation::read);
    return false;
  }
  return scribe_impl::consume(context, data, size);
}

}  // namespace mqlite::remote
