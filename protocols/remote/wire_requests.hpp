#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mqlite/client/interfaces.hpp"
#include "protocols/translate/operation_requests.hpp"

/// What CAF clients ask for, checked: the same limits and words as on the other protocols.
namespace mqlite::remote {

namespace wire = mqlite::client;

/// Reads fields and remembers the first refusal; what is read after that does not matter.
class wire_fields {
 public:
  void refuse(std::string text);
  std::int64_t integer(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most);
  std::chrono::nanoseconds duration(std::string_view name, wire::milliseconds value, std::int64_t least);
  /// 0 where there is none.
  std::chrono::nanoseconds optional_duration(std::string_view name, std::optional<wire::milliseconds> value);
  std::string name(std::string_view what, std::string value);
  /// `usual` where the client names none.
  queue_number queue(std::int64_t value, queue_number usual, queue_number least = any_queue);
  template <std::size_t N>
  std::size_t choice(std::string_view name, std::string_view value, const std::string_view (&choices)[N]);
  topic_settings_patch settings(const wire::topic_settings& value);
  named_messages messages(std::vector<std::string> ids);

  const std::optional<failure>& refusal() const noexcept { return refusal_; }
  /// The value, or the refusal.
  template <class T>
  outcome<T> result(T value) {
    if (refusal_) return *refusal_;
    return value;
  }

 private:
  std::optional<failure> refusal_;
};

/// One message; `usual` is the queue of the handle, or any_queue.
outcome<draft> read_draft(const wire::draft& in, queue_number usual, const publish_terms& terms);

/// A batch as it was read: the messages that are to be published, and those that were refused at once by their positions.
struct read_batch {
  std::vector<draft> drafts;
  std::vector<std::pair<std::size_t, failure>> refused;  ///< rising
};
outcome<read_batch> read_publish(const wire::publish& in, queue_number usual, const publish_terms& terms);
/// `queue` and options.
outcome<request::consume> read_consume(const wire::consume_options& in, queue_number usual);
outcome<request::subscribe> read_subscribe(const wire::subscribe_options& in, queue_number usual);
outcome<request::peek> read_peek(const wire::peek& in, queue_number usual);

}  // namespace mqlite::remote
