#include "actors/log/snapshot_records.hpp"

#include <utility>

namespace mqlite {
namespace {

// Bytes of messages in one record.
constexpr std::size_t record_size = 1U << 20;

}  // namespace

bool snapshot_records::add(queue_number queue, const snapshot_entry& entry) {
  stored_message_view view;
  view.queue = static_cast<std::uint32_t>(queue);
  view.not_before = entry.not_before;
  view.deliveries = entry.deliveries;
  view.leased_until = entry.leased_until;
  view.unexpiring = entry.unexpiring;
  if (entry.to_front) fronts_[queue].add(entry.message->id());
  return add(*entry.message, view);
}

bool snapshot_records::add(const peeked& letter) {
  stored_message_view view;
  view.queue = static_cast<std::uint32_t>(letter.queue);
  view.deliveries = letter.deliveries;
  view.dead_reason = static_cast<int>(letter.reason);
  view.dead_at = letter.dead_at;
  return add(*letter.message, view);
}

bool snapshot_records::add(const message& m, stored_message_view view) {
  unsigned char id[message_id_size];
  m.id().to_bytes(id);
  view.id = id;
  view.payload = m.payload();
  view.attributes = m.attributes();
  record_.add(view);
  return record_.size() < record_size ? !failed_ : flush();
}

bool snapshot_records::flush() {
  auto full = std::exchange(record_, published_record(topic_, record_size + record_size / 8));
  if (!failed_ && !full.empty()) failed_ = !write_(std::move(full).finish());
  for (const auto& [queue, ids] : std::exchange(fronts_, {}))
    if (!failed_) failed_ = !write_(records::returned(topic_, queue, ids, 0));
  return !failed_;
}

}  // namespace mqlite
