#include "tools/check/explain.hpp"

#include <algorithm>

#include "tools/check/text.hpp"

namespace mqlite::check {

namespace {

std::string queue_text(std::uint32_t queue) { return "queue " + std::to_string(queue); }

/// The delivery count that an event gives the message at `position` of its ids.
template <class Event>
std::string deliveries_text(const Event& event, int position) {
  if (event.deliveries().empty()) return "";
  auto index = event.deliveries_size() == 1 ? 0 : std::min(position, event.deliveries_size() - 1);
  return ", delivery count " + std::to_string(event.deliveries(index));
}

const char* reason_text(int reason) {
  switch (reason) {
    case journal::DEAD_REASON_MAX_DELIVERIES:
      return "max_deliveries";
    case journal::DEAD_REASON_EXPIRED:
      return "expired";
    case journal::DEAD_REASON_OVERFLOW:
      return "overflow";
    default:
      return "no reason";
  }
}

}  // namespace

int message_history::position_in(const std::string& ids) const {
  for (std::size_t at = 0; at + message_id_size <= ids.size(); at += message_id_size)
    if (message_id::from_bytes(ids.data() + at) == id_) return static_cast<int>(at / message_id_size);
  return -1;
}

void message_history::add(const std::string& what) {
  lines_.push_back(feed_.place().file + " offset " + std::to_string(feed_.place().offset) + ": " + what);
}

std::string message_history::name_of(std::uint64_t topic) const {
  auto found = topics_.find(topic);
  if (found == topics_.end()) return "topic number " + std::to_string(topic);
  return found->second.first + "/" + found->second.second;
}

void message_history::on_published(std::uint64_t topic, const stored_message_view& message) {
  if (message_id::from_bytes(message.id) != id_) return;
  topic_ = topic;
  auto text = feed_.place().file.starts_with("base-") ? "carried over by a rewrite, in " : "published to ";
  auto where = message.dead_reason != 0 ? "the dead letters" : queue_text(message.queue);
  auto line = text + where + " of " + name_of(topic) + ", " + counted(message.payload.size(), "byte");
  if (message.not_before != 0) line += ", delayed until " + time_text(message.not_before);
  if (message.deliveries != 0) line += ", delivery count " + std::to_string(message.deliveries);
  if (message.leased_until != 0) line += ", leased until " + time_text(message.leased_until);
  if (message.dead_reason != 0)
    line += ", " + std::string{reason_text(message.dead_reason)} + ", dead since " + time_text(message.dead_at);
  add(line);
}

void message_history::topic_ended(std::uint64_t topic, const std::string& how) {
  if (!lines_.empty() && topic == topic_) add(how);
}

void message_history::on_record(const journal::Record& record) {
  switch (record.event_case()) {
    case journal::Record::kTopicCreated:
      topics_[record.topic_created().topic()] = {record.topic_created().namespace_(), record.topic_created().name()};
      break;
    case journal::Record::kTopicDeleted:
      topic_ended(record.topic_deleted().topic(), name_of(record.topic_deleted().topic()) + " deleted");
      break;
    case journal::Record::kNamespaceDeleted:
      for (const auto& [topic, name] : topics_)
        if (name.first == record.namespace_deleted().name()) topic_ended(topic, "namespace " + name.first + " deleted");
      break;
    default:
      on_event(record);
  }
}

void message_history::on_event(const journal::Record& record) {
  if (const auto& event = record.leased(); position_in(event.ids()) >= 0) {
    add("leased from " + queue_text(event.queue()) + " until " + time_text(event.until()) +
        deliveries_text(event, position_in(event.ids())));
  }
  if (const auto& event = record.returned(); position_in(event.ids()) >= 0) {
    add("returned to " + queue_text(event.queue()) + deliveries_text(event, position_in(event.ids())) +
        (event.not_before() != 0 ? ", delayed until " + time_text(event.not_before()) : ""));
  }
  if (const auto& event = record.acknowledged(); position_in(event.ids()) >= 0)
    add("acknowledged or purged in " + queue_text(event.queue()));
  if (const auto& event = record.moved(); position_in(event.ids()) >= 0)
    add("moved from " + queue_text(event.from()) + " to " + queue_text(event.to()));
  if (const auto& event = record.buried(); position_in(event.ids()) >= 0) {
    add("dead (" + std::string{reason_text(event.reason())} + ") at " + time_text(event.at()) + ", from " +
        queue_text(event.queue()));
  }
  if (const auto& event = record.redriven(); position_in(event.ids()) >= 0) {
    auto at = position_in(event.ids());
    add("redriven to " + queue_text(at < event.queues_size() ? event.queues(at) : 0));
  }
  if (const auto& event = record.dead_purged(); position_in(event.ids()) >= 0) add("purged from the dead letters");
}

}  // namespace mqlite::check
