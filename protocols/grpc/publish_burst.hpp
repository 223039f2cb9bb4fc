#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations.hpp"
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
/// names where they have none. Plain publishes, as most are, are read without Protobuf's objects.
class publish_burst {
 public:
  /// Reads the stream's next message, a PublishRequest; move_to() comes before the one after it. Returns the bytes of memory that its
  /// publishes take; or INVALID_ARGUMENT when it is malformed or has more than most_batch others in it: none of it is published.
  outcome<std::size_t> read(std::string_view message, const publish_terms& terms);

  /// Moves what was read behind what the two hold: a place for each publish, where refused ones have their outcome, and what is to
  /// be published, in its order within each topic.
  void move_to(std::deque<stream_place>& places, std::vector<topic_publishes>& publishes);

 private:
  std::optional<failure> split(std::string_view message);
  void add(std::string_view name_space, std::string_view topic, outcome<draft> message);
  topic_publishes& add_topic(std::string_view name_space, std::string_view topic);

  // of the message that is being read
  std::string_view own_;
  std::string joined_;  // where own_ is not in one piece
  std::vector<std::string_view> more_;

  std::uint64_t first_place_ = 0;  // number of places_.front()
  std::size_t bytes_ = 0;
  std::vector<stream_place> places_;
  std::vector<topic_publishes> topics_;
};

}  // namespace mqlite
