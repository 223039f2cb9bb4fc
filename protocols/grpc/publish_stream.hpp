#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "protocols/grpc/door.hpp"
#include "protocols/grpc/publish_burst.hpp"

namespace mqlite {

/// A producer at full speed: requests are read ahead, published in batches, and answered in their order.
///
/// Operation: gRPC's threads read and translate; the first message of a burst wakes the loop, which publishes all that came until
/// then, one batch per topic. Answers gather while one is being written. Publishes that were not answered yet are bounded in number
/// and bytes: beyond that no message is read until answers have been written. A message may carry as many as most_batch besides
/// itself; one with more ends the stream, like one that is malformed, or too large for gRPC.
class publish_stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                             public open_call,
                             public std::enable_shared_from_this<publish_stream> {
 public:
  /// Serves a call; in gRPC's thread.
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* open(grpc_door& door);

  explicit publish_stream(grpc_door& door) : door_(door) {}

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // in the loop's thread
  void run();
  void publish_arrived();
  void on_published(const std::vector<std::uint64_t>& places, outcome<std::vector<outcome<published>>> how);
  void shut_down() override;
  void abandon() override;

  void take_burst(std::size_t bytes);
  bool has_room() const;
  /// Reads, writes or finishes, whatever is due; with the mutex, which it gives back before it calls gRPC.
  void go_on(std::unique_lock<std::mutex> lock);
  bool fill_answers();

  grpc_door& door_;
  std::shared_ptr<publish_stream> self_;  // gRPC's share

  grpc::ByteBuffer in_;  // of the read under way, like burst_
  publish_burst burst_;

  std::mutex mutex_;  // guards all below, but out_ while it is written
  grpc::ByteBuffer out_;
  std::vector<topic_publishes> arrived_;
  std::deque<stream_place> places_;  // not given to gRPC as answers yet
  std::uint64_t first_place_ = 0;    // number of places_.front()
  std::size_t unanswered_ = 0;       // publishes whose answers are not written
  std::size_t unanswered_bytes_ = 0;
  std::size_t writing_count_ = 0;  // of the write under way, with writing_bytes_
  std::size_t writing_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool read_all_ = false;  // the client sends no more, or nothing more is taken
  bool over_ = false;      // the client has gone, or the server's patience is over
  bool finished_ = false;
  std::optional<grpc::Status> end_;  // other than OK
};

}  // namespace mqlite
