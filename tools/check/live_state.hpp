#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/message_id.hpp"
#include "persistence/record_visitor.hpp"

namespace mqlite::check {

/// What a queue would hold if a broker started now.
struct queue_counts {
  std::uint64_t ready = 0;
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;
  std::uint64_t bytes = 0;  ///< payloads and attributes
};

struct topic_counts {
  std::string name;  ///< with its namespace: `production/orders`
  std::vector<queue_counts> queues;
  std::uint64_t dead = 0;
};

struct live_counts {
  std::vector<topic_counts> topics;  ///< by namespace and, in it, by age
  std::vector<std::string> empty_namespaces;
  std::optional<std::string> sought;  ///< where the message is that was asked for, if it is anywhere

  std::uint64_t live() const;
  std::uint64_t dead() const;
};

/// Builds from the records what a broker builds from them.
class live_state {
 public:
  /// `now` (unix nanoseconds) decides which leases and delays are over.
  explicit live_state(std::int64_t now);
  ~live_state();

  record_visitor& visitor();

  /// What there is, and where `sought` is.
  live_counts take(const std::optional<message_id>& sought);

 private:
  struct built;
  std::unique_ptr<built> built_;
  std::int64_t now_;
};

}  // namespace mqlite::check
