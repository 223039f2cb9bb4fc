#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/scribe_impl.hpp>

#include "actors/compat.hpp"
#include "protocols/net/connection_counter.hpp"
#include "protocols/net/offenders.hpp"
#include "protocols/remote/gate.hpp"

namespace mqlite::remote {

class connection;

/// The connections that there are; what they share. Callable from every thread.
class connection_list {
 public:
  connection_list(gate_rules allowed, std::shared_ptr<connection_counter> counter, std::shared_ptr<offenders> log)
      : rules(std::move(allowed)), counter_(std::move(counter)), log_(std::move(log)) {}

  const gate_rules rules;

  void report(const std::string& address, std::string_view what) { log_->report("caf " + address, what); }
  void add(connection* opened);
  void remove(connection* closed);
  /// The open ones, held. Only in the network's thread, where they end.
  std::vector<caf::intrusive_ptr<connection> > all();
  /// False when there are still some at `deadline`.
  bool wait_for_none(std::chrono::steady_clock::time_point deadline);
  /// Cuts off peers that do not read.
  void cut();

 private:
  std::shared_ptr<connection_counter> counter_;
  std::shared_ptr<offenders> log_;
  std::mutex mutex_;
  std::condition_variable none_;
  std::set<connection*> open_;
};

/// One connection of CAF's network, with a gate before it. It counts until it is closed.
class connection final : public caf::io::network::scribe_impl {
 public:
  connection(caf::io::network::default_multiplexer& network, int socket, std::shared_ptr<connection_list> list);
  ~connection() override;

  bool consume(execution_context* context, const void* data, std::size_t size) override;
  int socket() const noexcept { return stream_.fd(); }

 private:
  std::shared_ptr<connection_list> list_;
  gate gate_;
  std::string peer_;
};

}  // namespace mqlite::remote
