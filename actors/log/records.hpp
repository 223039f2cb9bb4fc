#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "actors/message_id.hpp"
#include "actors/operations.hpp"
#include "actors/topic_settings.hpp"
#include "proto/journal.pb.h"

/// The log's records from the actors' side: each function gives one framed record, ready to be appended.
namespace mqlite::records {

/// Messages that one record names at most: a record stays far below what a start reads at once, however many are concerned.
inline constexpr std::size_t most_ids = 100'000;

/// `all` in parts that are fit for a record each.
template <class T>
std::vector<std::vector<T>> in_parts(const std::vector<T>& all) {
  std::vector<std::vector<T>> parts;
  for (std::size_t i = 0; i < all.size(); i += most_ids)
    parts.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(i),
                       all.begin() + static_cast<std::ptrdiff_t>(std::min(i + most_ids, all.size())));
  return parts;
}

/// Collects what a record says of several messages of one queue.
class id_list {
 public:
  void add(const message_id& id) {
    const auto at = bytes_.size();
    bytes_.resize(at + 16);
    id.to_bytes(bytes_.data() + at);
  }
  void add(const message_id& id, std::uint32_t deliveries) {
    add(id);
    same_ = same_ && (deliveries_.empty() || deliveries == deliveries_.front());
    deliveries_.push_back(deliveries);
  }
  bool empty() const noexcept { return bytes_.empty(); }
  std::size_t size() const noexcept { return bytes_.size() / 16; }
  const std::string& bytes() const noexcept { return bytes_; }
  /// One number when all are the same.
  std::span<const std::uint32_t> deliveries() const noexcept {
    return std::span(deliveries_).first(same_ && !deliveries_.empty() ? 1 : deliveries_.size());
  }

 private:
  std::string bytes_;
  std::vector<std::uint32_t> deliveries_;
  bool same_ = true;
};

std::string namespace_created(const std::string& name);
std::string namespace_deleted(const std::string& name);
std::string topic_created(std::uint64_t topic, const std::string& name_space, const std::string& name,
                          std::uint32_t queue_count, const topic_settings& settings, std::uint64_t version,
                          std::uint32_t draining = 0, std::uint32_t had_queues = 0);
std::string topic_deleted(std::uint64_t topic);
std::string topic_updated(std::uint64_t topic, std::uint32_t queue_count, const topic_settings& settings,
                          std::uint64_t version, std::uint32_t draining);
std::string leased(std::uint64_t topic, queue_number queue, const id_list& ids, std::int64_t until);
std::string returned(std::uint64_t topic, queue_number queue, const id_list& ids, std::int64_t not_before);
std::string acknowledged(std::uint64_t topic, queue_number queue, const id_list& ids);
/// Before what waits there; or, where there is a time (unix nanoseconds), behind what waited there then.
std::string moved(std::uint64_t topic, queue_number from, queue_number to, const id_list& ids, std::int64_t at = 0);
std::string buried(std::uint64_t topic, queue_number queue, const id_list& ids, dead_reason reason, std::int64_t at);
std::string redriven(std::uint64_t topic, const id_list& ids, std::span<const std::uint32_t> queues, std::int64_t at);
std::string dead_purged(std::uint64_t topic, const id_list& ids);

/// Settings as the log holds them, and back.
journal::TopicSettings to_journal(const topic_settings& settings);
topic_settings from_journal(const journal::TopicSettings& settings);

}  // namespace mqlite::records
