#include "actors/log/records.hpp"

#include "persistence/record.hpp"

namespace mqlite::records {
namespace {

// What most events have in common.
template <class Event>
Event& of_queue(Event& event, std::uint64_t topic, queue_number queue, const id_list& ids) {
  event.set_topic(topic);
  event.set_queue(static_cast<std::uint32_t>(queue));
  event.set_ids(ids.bytes());
  return event;
}

template <class Event>
void set_deliveries(Event& event, const id_list& ids) {
  event.mutable_deliveries()->Add(ids.deliveries().begin(), ids.deliveries().end());
}

}  // namespace

journal::TopicSettings to_journal(const topic_settings& settings) {
  journal::TopicSettings out;
  out.set_ack_timeout(settings.ack_timeout.count());
  out.set_max_deliveries(settings.max_deliveries);
  out.set_message_ttl(settings.message_ttl.count());
  out.set_max_length(settings.max_length);
  out.set_max_bytes(settings.max_bytes);
  out.set_drop_oldest(settings.overflow == overflow_policy::drop_oldest);
  out.set_steal_off(settings.steal == steal_policy::off);
  return out;
}

topic_settings from_journal(const journal::TopicSettings& in) {
  topic_settings out;
  out.ack_timeout = std::chrono::nanoseconds(in.ack_timeout());
  out.max_deliveries = in.max_deliveries();
  out.message_ttl = std::chrono::nanoseconds(in.message_ttl());
  out.max_length = in.max_length();
  out.max_bytes = in.max_bytes();
  out.overflow = in.drop_oldest() ? overflow_policy::drop_oldest : overflow_policy::reject;
  out.steal = in.steal_off() ? steal_policy::off : steal_policy::half;
  return out;
}

std::string namespace_created(const std::string& name) {
  journal::Record record;
  record.mutable_namespace_created()->set_name(name);
  return frame(record);
}

std::string namespace_deleted(const std::string& name) {
  journal::Record record;
  record.mutable_namespace_deleted()->set_name(name);
  return frame(record);
}

std::string topic_created(std::uint64_t topic, const std::string& name_space, const std::string& name,
                          std::uint32_t queue_count, const topic_settings& settings, std::uint64_t version,
                          std::uint32_t draining, std::uint32_t had_queues) {
  journal::Record record;
  auto& event = *record.mutable_topic_created();
  event.set_draining(draining);
  event.set_had_queues(had_queues);
  event.set_topic(topic);
  event.set_namespace_(name_space);
  event.set_name(name);
  event.set_queue_count(queue_count);
  *event.mutable_settings() = to_journal(settings);
  event.set_version(version);
  return frame(record);
}

std::string topic_deleted(std::uint64_t topic) {
  journal::Record record;
  record.mutable_topic_deleted()->set_topic(topic);
  return frame(record);
}

std::string topic_updated(std::uint64_t topic, std::uint32_t queue_count, const topic_settings& settings,
                          std::uint64_t version, std::uint32_t draining) {
  journal::Record record;
  auto& event = *record.mutable_topic_updated();
  event.set_topic(topic);
  event.set_queue_count(queue_count);
  *event.mutable_settings() = to_journal(settings);
  event.set_version(version);
  event.set_draining(draining);
  return frame(record);
}

std::string leased(std::uint64_t topic, queue_number queue, const id_list& ids, std::int64_t until) {
  journal::Record record;
  auto& event = of_queue(*record.mutable_leased(), topic, queue, ids);
  event.set_until(until);
  set_deliveries(event, ids);
  return frame(record);
}

std::string returned(std::uint64_t topic, queue_number queue, const id_list& ids, std::int64_t not_before) {
  journal::Record record;
  auto& event = of_queue(*record.mutable_returned(), topic, queue, ids);
  event.set_not_before(not_before);
  set_deliveries(event, ids);
  return frame(record);
}

std::string acknowledged(std::uint64_t topic, queue_number queue, const id_list& ids) {
  journal::Record record;
  of_queue(*record.mutable_acknowledged(), topic, queue, ids);
  return frame(record);
}

std::string moved(std::uint64_t topic, queue_number from, queue_number to, const id_list& ids, std::int64_t at) {
  journal::Record record;
  auto& event = *record.mutable_moved();
  event.set_topic(topic);
  event.set_from(static_cast<std::uint32_t>(from));
  event.set_to(static_cast<std::uint32_t>(to));
  event.set_ids(ids.bytes());
  event.set_at(at);
  return frame(record);
}

std::string buried(std::uint64_t topic, queue_number queue, const id_list& ids, dead_reason reason, std::int64_t at) {
  journal::Record record;
  auto& event = of_queue(*record.mutable_buried(), topic, queue, ids);
  event.set_reason(static_cast<journal::DeadReason>(reason));
  event.set_at(at);
  return frame(record);
}

std::string redriven(std::uint64_t topic, const id_list& ids, std::span<const std::uint32_t> queues, std::int64_t at) {
  journal::Record record;
  auto& event = *record.mutable_redriven();
  event.set_topic(topic);
  event.set_ids(ids.bytes());
  event.mutable_queues()->Add(queues.begin(), queues.end());
  event.set_at(at);
  return frame(record);
}

std::string dead_purged(std::uint64_t topic, const id_list& ids) {
  journal::Record record;
  auto& event = *record.mutable_dead_purged();
  event.set_topic(topic);
  event.set_ids(ids.bytes());
  return frame(record);
}

}  // namespace mqlite::records
