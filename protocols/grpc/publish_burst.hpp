#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "actors/operations.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/translate/publish_requests.hpp"

namespace mqlite {

/// Publishes of a stream for one topic, at most most_batch; `places` count from the stream's first publish.
struct topic_publishes {
  std::string name_space;
  std::string topic;
  std::vector<draft> drafts;
  std::vector<std::uint64_t> places;
};

/// A publish in the order of arrival; without an outcome while the broker has it.
struct stream_place {
  std::size_t bytes = 0;  ///< of memory
  std::optional<outcome<published>> how;
};

/// What one message of a PublishStream asks for: the publish that it is itself, then those in its `more`, which inherit its
/// names where they have none.
class publish_burst {
 public:
  /// Reads the stream's next message; move_to() comes before the one after it. Returns the bytes of memory that its publishes take.
  std::size_t read(const v1::PublishRequest& in, const publish_terms& terms);

  /// Moves what was read behind what the two hold: a place for each publish, where refused ones have their outcome, and what is to
  /// be published, in its order within each topic.
  void move_to(std::deque<stream_place>& places, std::vector<topic_publishes>& publishes);

 private:
  void add(const std::string& name_space, const std::string& topic, outcome<draft> message);
  topic_publishes& add_topic(const std::string& name_space, const std::string& topic);

  std::uint64_t first_place_ = 0;  // number of places_.front()
  std::size_t expected_ = 0;       // publishes of the message that is being read
  std::size_t bytes_ = 0;
  std::vector<stream_place> places_;
  std::vector<topic_publishes> topics_;
};

}  // namespace mqlite
