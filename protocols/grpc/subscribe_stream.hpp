#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "proto/mqlite.pb.h"
#include "protocols/grpc/door.hpp"
#include "protocols/translate/operation_requests.hpp"

namespace mqlite {

/// A subscription that is written to its client as fast as that takes it.
///
/// Operation: the loop's thread brings batches, and whoever finds no write under way begins one; each write's end, in gRPC's
/// threads, begins the next, so that a burst needs no hop to the loop. Writes with more behind them let gRPC gather (a hint), a
/// write without the hint ends only when all before it has been written too: then their batches are confirmed. What waits here
/// is bounded by the subscription's window.
class subscribe_stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                               public subscriber_sink,
                               public open_call,
                               public std::enable_shared_from_this<subscribe_stream> {
 public:
  /// Serves a call that asks for this; in gRPC's thread.
  static grpc::ServerWriteReactor<grpc::ByteBuffer>* open(grpc_door& door, outcome<request::subscribe> asked);

  subscribe_stream(grpc_door& door, request::subscribe asked) : door_(door), asked_(std::move(asked)) {}

 private:
  void run();
  void on_subscribed(outcome<subscription> running);

  // subscriber_sink and open_call, in the loop's thread
  void deliver(consumed messages) override;
  void closed(failure why) override;
  void shut_down() override;
  void abandon() override;

  // in gRPC's threads
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  enum class waiting { is_written, is_dropped };
  /// Ends the stream with `status`, once what waits is written or at once; a second end is ignored.
  void end(grpc::Status status, waiting what);
  /// Ends the subscription, so that what was not acknowledged returns. In the loop's thread.
  void leave();
  /// Begins the next write or finishes; with the mutex, which it gives back before it calls gRPC.
  void go_on(std::unique_lock<std::mutex> lock);
  bool next_is_last_of_flight() const;
  /// Moves what waits to where it can be destroyed without the mutex.
  void drop_waiting(std::deque<consumed>& to);

  grpc_door& door_;
  request::subscribe asked_;
  std::shared_ptr<subscribe_stream> self_;  // gRPC's share
  subscription subscription_;               // of the loop's thread
  bool left_ = false;                       // the same

  std::mutex mutex_;  // guards all below
  std::deque<consumed> waiting_;
  std::size_t next_ = 0;           // of the first batch's messages
  std::vector<consumed> written_;  // batches whose last message was given to gRPC
  std::size_t in_flight_ = 0;      // bytes since a write without hint
  v1::Message message_;            // keeps its memory from one to the next
  grpc::ByteBuffer out_;
  bool begun_ = false;  // headers were sent
  bool writing_ = false;
  bool flushes_ = false;  // the write under way is one without hint
  bool finished_ = false;
  std::optional<grpc::Status> end_;
};

}  // namespace mqlite
