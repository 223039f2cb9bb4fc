#include "actors/log/replay.hpp"

#include <algorithm>

#include "actors/log/records.hpp"

namespace mqlite {
namespace {

template <class F>
void each_id(const std::string& ids, F f) {
  for (std::size_t at = 0, i = 0; at + message_id_size <= ids.size(); at += message_id_size, ++i)
    f(i, message_id::from_bytes(ids.data() + at));
}

// One number for all, one for each, or none.
template <class Numbers>
std::optional<std::uint32_t> deliveries_of(const Numbers& numbers, std::size_t i) {
  if (numbers.empty()) return std::nullopt;
  return numbers.Get(numbers.size() == 1 ? 0 : std::min(static_cast<int>(i), numbers.size() - 1));
}

}  // namespace

// -- topics -------------------------------------------------------------------------------------------------------------------

queue_core& replay::topic_image::core(std::uint32_t queue) {
  return *birth.cores[std::min<std::size_t>(queue, birth.cores.size() - 1)];
}

queue_core* replay::topic_image::holder(std::uint32_t queue, const message_id& id) {
  if (core(queue).holds(id)) return &core(queue);
  for (const auto& c : birth.cores)
    if (c->holds(id)) return c.get();
  return nullptr;
}

std::optional<carried_message> replay::topic_image::remove(std::uint32_t queue, const message_id& id) {
  auto* c = holder(queue, id);
  return c == nullptr ? std::nullopt : c->replay_remove(id);
}

replay::topic_image* replay::find(std::uint64_t topic) {
  if (topic == cached_id_ && cached_ != nullptr) return cached_;
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return nullptr;
  cached_id_ = topic;
  cached_ = &found->second;
  return cached_;
}

void replay::apply(const journal::TopicCreated& event) {
  last_topic_id_ = std::max(last_topic_id_, event.topic());
  // A topic may be recorded behind the end of its namespace, when the two were asked for at once: it has never been.
  if (event.queue_count() == 0 || topics_.contains(event.topic()) || !namespaces_.contains(event.namespace_())) return;
  auto& birth = topics_[event.topic()].birth;
  birth.id = event.topic();
  birth.name_space = event.namespace_();
  birth.name = event.name();
  birth.queue_count = static_cast<std::int32_t>(event.queue_count());
  birth.version = event.version();
  birth.had_queues = std::max(event.had_queues(), event.queue_count() + event.draining());
  birth.settings = records::from_journal(event.settings());
  birth.dead = std::make_shared<dead_letters>();
  for (std::uint32_t i = 0; i < event.queue_count() + event.draining(); ++i)
    birth.cores.push_back(std::make_shared<queue_core>(birth.settings));
}

void replay::apply(const journal::TopicUpdated& event) {
  auto* topic = find(event.topic());
  // An older record may be replayed over a newer state: it must not take queues away.
  if (topic == nullptr || event.queue_count() == 0 || event.version() < topic->birth.version) return;
  auto& birth = topic->birth;
  birth.queue_count = static_cast<std::int32_t>(event.queue_count());
  birth.version = event.version();
  birth.settings = records::from_journal(event.settings());
  const std::size_t count = event.queue_count() + event.draining();
  birth.had_queues = std::max(birth.had_queues, static_cast<std::uint32_t>(count));
  while (birth.cores.size() < count) birth.cores.push_back(std::make_shared<queue_core>(birth.settings));
  // They were empty when this was recorded, or a publish that was under way came behind it.
  while (birth.cores.size() > count) {
    const auto last = std::move(birth.cores.back());
    birth.cores.pop_back();
    for (const auto h : last->all()) carry_over(*last, h, *birth.cores[h % count]);
  }
}

// A message keeps its lease or its delay.
void replay::carry_over(queue_core& from, entry_handle h, queue_core& to) {
  const auto where = from[h].place();
  const auto id = from[h].message->id();
  const std::int64_t leased_until = where == place::leased ? from.leased_until(h) : 0;
  const std::int64_t not_before = where == place::delayed ? from.delayed_until(h) : 0;
  to.arrive(from.remove(h), not_before, 0);
  if (leased_until != 0) to.replay_lease(id, leased_until, std::nullopt);
}

// -- messages -----------------------------------------------------------------------------------------------------------------

void replay::on_published(std::uint64_t topic_id, const stored_message_view& view) {
  auto* topic = find(topic_id);
  if (topic == nullptr) return;
  std::int64_t expires_at = 0;
  if (message_attributes attributes;
      !view.attributes.empty() && message_attributes::decode(view.attributes, attributes))
    expires_at = attributes.expires_at;
  const auto id = message_id::from_bytes(view.id);
  auto message = message::make(view.payload, view.attributes, expires_at, id);
  topic->birth.newest = std::max(topic->birth.newest, id);
  if (view.dead_reason != 0) {
    topic->birth.dead->add({std::move(message), static_cast<queue_number>(view.queue), view.deliveries,
                            static_cast<dead_reason>(view.dead_reason), view.dead_at});
    return;
  }
  // What was delayed until before this was published has arrived before it. (Ids run ahead of a clock that was set back.)
  auto& core = topic->core(view.queue);
  const auto at = std::min(id.timestamp(), now_);
  core.end_delays(at);
  core.arrive({std::move(message), view.deliveries, view.unexpiring}, view.not_before, at);
  if (view.leased_until != 0) core.replay_lease(id, view.leased_until, view.deliveries);
}

void replay::apply(const journal::Leased& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t i, const message_id& id) {
    if (auto* core = topic->holder(event.queue(), id))
      core->replay_lease(id, event.until(), deliveries_of(event.deliveries(), i));
  });
}

void replay::apply(const journal::Returned& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t i, const message_id& id) {
    if (auto* core = topic->holder(event.queue(), id))
      core->replay_return(id, event.not_before(), deliveries_of(event.deliveries(), i));
  });
}

void replay::apply(const journal::Acknowledged& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t, const message_id& id) { topic->remove(event.queue(), id); });
}

void replay::apply(const journal::Moved& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  const bool behind = event.at() != 0;
  if (behind)
    for (const auto queue : {event.from(), event.to()}) topic->core(queue).end_delays(std::min(event.at(), now_));
  std::vector<carried_message> messages;
  each_id(event.ids(), [&](std::size_t, const message_id& id) {
    if (topic->core(event.to()).holds(id)) {
      // It is there already, so what its publish put here when it was replayed again is a copy.
      if (&topic->core(event.from()) != &topic->core(event.to())) topic->core(event.from()).replay_remove(id);
      return;
    }
    auto* holder = topic->holder(event.from(), id);
    if (holder == nullptr) return;
    const auto h = holder->find(id);
    const auto where = (*holder)[h].place();
    const bool delayed = where == place::delayed && (behind || holder->delayed_until(h) > now_);
    if (where == place::leased || delayed) return carry_over(*holder, h, topic->core(event.to()));
    messages.push_back(holder->remove(h));
  });
  if (!behind) return topic->core(event.to()).arrive_stolen(messages);
  for (auto& m : messages) topic->core(event.to()).arrive(std::move(m), 0, now_);
}

void replay::apply(const journal::Buried& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t, const message_id& id) {
    if (auto carried = topic->remove(event.queue(), id))
      topic->birth.dead->add({std::move(carried->message), static_cast<queue_number>(event.queue()),
                              carried->deliveries, static_cast<dead_reason>(event.reason()), event.at()});
  });
}

// Should the record of the burial be missing, because the log could not be written then, the message is still in its queue.
void replay::apply(const journal::Redriven& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t i, const message_id& id) {
    const auto queue = static_cast<int>(i) < event.queues_size() ? event.queues(static_cast<int>(i)) : 0;
    topic->core(queue).end_delays(std::min(event.at(), now_));
    if (auto letter = topic->birth.dead->take(id)) {
      topic->core(queue).arrive({std::move(letter->message), 0, true}, 0, now_);
    } else if (auto carried = topic->remove(queue, id)) {
      topic->core(queue).arrive({std::move(carried->message), 0, true}, 0, now_);
    }
  });
}

void replay::apply(const journal::DeadPurged& event) {
  auto* topic = find(event.topic());
  if (topic == nullptr) return;
  each_id(event.ids(), [&](std::size_t, const message_id& id) {
    if (!topic->birth.dead->take(id)) topic->remove(0, id);
  });
}

void replay::on_record(const journal::Record& record) {
  switch (record.event_case()) {
    case journal::Record::kNamespaceCreated:
      namespaces_.insert(record.namespace_created().name());
      break;
    case journal::Record::kNamespaceDeleted:
      namespaces_.erase(record.namespace_deleted().name());
      std::erase_if(topics_,
                    [&](const auto& t) { return t.second.birth.name_space == record.namespace_deleted().name(); });
      cached_ = nullptr;
      break;
    case journal::Record::kTopicCreated:
      apply(record.topic_created());
      break;
    case journal::Record::kTopicDeleted:
      // A rewritten log may say this of a topic that it does not have otherwise: its number must not be given again.
      last_topic_id_ = std::max(last_topic_id_, record.topic_deleted().topic());
      topics_.erase(record.topic_deleted().topic());
      cached_ = nullptr;
      break;
    case journal::Record::kTopicUpdated:
      apply(record.topic_updated());
      break;
    case journal::Record::kLeased:
      apply(record.leased());
      break;
    case journal::Record::kReturned:
      apply(record.returned());
      break;
    case journal::Record::kAcknowledged:
      apply(record.acknowledged());
      break;
    case journal::Record::kMoved:
      apply(record.moved());
      break;
    case journal::Record::kBuried:
      apply(record.buried());
      break;
    case journal::Record::kRedriven:
      apply(record.redriven());
      break;
    case journal::Record::kDeadPurged:
      apply(record.dead_purged());
      break;
    case journal::Record::kPublished:
    case journal::Record::EVENT_NOT_SET:
      break;
  }
}

broker_birth replay::take() {
  broker_birth birth;
  birth.last_topic_id = last_topic_id_;
  for (const auto& name : namespaces_) birth.namespaces[name];
  for (auto& [id, topic] : topics_)
    for (const auto& core : topic.birth.cores) core->end_delays(now_);
  for (auto& [id, topic] : topics_)
    if (birth.namespaces.contains(topic.birth.name_space))
      birth.namespaces[topic.birth.name_space].push_back(std::move(topic.birth));
  topics_.clear();
  namespaces_.clear();
  cached_ = nullptr;
  return birth;
}

}  // namespace mqlite
