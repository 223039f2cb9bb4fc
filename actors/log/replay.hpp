#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/broker/broker_actor.hpp"
#include "persistence/record_visitor.hpp"

namespace mqlite {

/// Builds what the broker starts with from the records of its log. Replaying is idempotent: a record whose effect is there already
/// changes nothing, and one about something that is gone is ignored.
class replay final : public record_visitor {
 public:
  /// `now` decides which delays are over.
  explicit replay(std::int64_t now) : now_(now) {}

  void on_record(const journal::Record& record) override;
  void on_published(std::uint64_t topic, const stored_message_view& message) override;

  /// What was built; the replay is empty after it.
  broker_birth take();

 private:
  struct topic_image {
    topic_birth birth;
    /// The queue's core; of the last queue when the number is too high.
    queue_core& core(std::uint32_t queue);
    /// Takes a message out of the queue that is named, or, should it be elsewhere, out of that.
    std::optional<carried_message> remove(std::uint32_t queue, const message_id& id);
    /// The queue that holds the message: the one that is named, or another.
    queue_core* holder(std::uint32_t queue, const message_id& id);
  };

  void apply(const journal::TopicCreated& event);
  void apply(const journal::TopicUpdated& event);
  void apply(const journal::Leased& event);
  void apply(const journal::Returned& event);
  void apply(const journal::Acknowledged& event);
  void apply(const journal::Moved& event);
  void apply(const journal::Buried& event);
  void apply(const journal::Redriven& event);
  void apply(const journal::DeadPurged& event);
  void carry_over(queue_core& from, entry_handle h, queue_core& to);
  topic_image* find(std::uint64_t topic);

  std::int64_t now_;
  std::set<std::string> namespaces_;
  std::map<std::uint64_t, topic_image> topics_;
  std::uint64_t last_topic_id_ = 0;
  std::uint64_t cached_id_ = 0;  ///< the topic of the last message: they come in runs
  topic_image* cached_ = nullptr;
};

}  // namespace mqlite
