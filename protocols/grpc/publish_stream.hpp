#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "proto/mqlite.pb.h"
#include "protocols/grpc/door.hpp"

namespace mqlite {

/// A producer at full speed: requests are read ahead, published in batches, and answered in their order.
///
/// Operation: gRPC's threads read and translate; the first request of a burst wakes the loop, which publishes all that came until
/// then, one batch per topic. Answers gather while one is being written. Requests that were not answered yet are bounded in number
/// and bytes: beyond that nothing is read until answers have been written.
class publish_stream final : public grpc::ServerBidiReactor<v1::PublishRequest, v1::PublishStreamResponse>,
                             public open_call,
                             public std::enable_shared_from_this<publish_stream> {
 public:
  /// Serves a call; in gRPC's thread.
  static grpc::ServerBidiReactor<v1::PublishRequest, v1::PublishStreamResponse>* open(grpc_door& door);

  explicit publish_stream(grpc_door& door) : door_(door) {}

 private:
  /// A request in the order of arrival; without an outcome while the broker has it.
  struct place {
    std::size_t bytes = 0;
    std::optional<outcome<published>> how;
  };
  /// Requests of one burst for one topic; `places` counts from the stream's first request.
  struct batch {
    std::string name_space;
    std::string topic;
    std::vector<draft> drafts;
    std::vector<std::uint64_t> places;
  };

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

  batch& batch_for(const std::string& name_space, const std::string& topic);
  bool has_room() const;
  /// Reads, writes or finishes, whatever is due; with the mutex, which it gives back before it calls gRPC.
  void go_on(std::unique_lock<std::mutex> lock);
  bool fill_answers();

  grpc_door& door_;
  std::shared_ptr<publish_stream> self_;  // gRPC's share

  std::mutex mutex_;  // guards all below, but in_ while it is read into and out_ while it is written
  v1::PublishRequest in_;
  v1::PublishStreamResponse out_;
  std::vector<batch> arrived_;
  std::deque<place> places_;       // not given to gRPC as answers yet
  std::uint64_t first_place_ = 0;  // number of places_.front()
  std::size_t unanswered_ = 0;     // requests whose answers are not written
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
