#include "protocols/translate/proto_answers.hpp"

#include <algorithm>

#include "protocols/translate/error_names.hpp"

namespace mqlite {
namespace {

void fill_settings(v1::TopicSettings& out, const topic_settings& settings) {
  out.set_ack_timeout_ms(whole_milliseconds(settings.ack_timeout));
  out.set_max_deliveries(static_cast<std::int32_t>(settings.max_deliveries));
  out.set_message_ttl_ms(whole_milliseconds(settings.message_ttl));
  out.set_max_length(static_cast<std::int64_t>(settings.max_length));
  out.set_max_bytes(static_cast<std::int64_t>(settings.max_bytes));
  const auto overflow = overflow_choices[static_cast<std::size_t>(settings.overflow)];
  out.set_overflow(overflow.data(), overflow.size());
  const auto steal = steal_choices[static_cast<std::size_t>(settings.steal)];
  out.set_steal(steal.data(), steal.size());
}

void fill_queue(v1::QueueInfo& out, const queue_details& queue) {
  out.set_queue_id(queue.queue);
  out.set_ready(static_cast<std::int64_t>(queue.ready));
  out.set_leased(static_cast<std::int64_t>(queue.leased));
  out.set_delayed(static_cast<std::int64_t>(queue.delayed));
  out.set_bytes(static_cast<std::int64_t>(queue.bytes));
  out.set_consumers(static_cast<std::int64_t>(queue.consumers));
}

void fill_attributes(v1::Message& out, std::string_view bytes) {
  message_attributes attributes;
  if (bytes.empty() || !message_attributes::decode(bytes, attributes)) return;
  for (const auto& [name, value] : attributes.headers) (*out.mutable_headers())[name] = value;
  out.set_routing_key(std::move(attributes.routing_key));
}

void fill_message(v1::Message& out, const message_origin& from, const message& which, queue_number queue,
                  std::uint32_t deliveries) {
  auto id = which.id().text();
  out.set_receipt(id + '#' + std::to_string(deliveries));
  out.set_id(std::move(id));
  out.set_namespace_(from.name_space.data(), from.name_space.size());
  out.set_topic(from.topic.data(), from.topic.size());
  out.set_queue_id(queue);
  out.set_payload(which.payload().data(), which.payload().size());
  out.set_timestamp(which.id().timestamp());
  fill_attributes(out, which.attributes());
  out.set_delivery_count(static_cast<std::int32_t>(deliveries));
}

template <class Response>
void fill_left_over(Response& out, const settled& result, const named_messages& named) {
  out.set_success(true);
  auto unknown = result.unknown;
  unknown.insert(unknown.end(), named.no_ids.begin(), named.no_ids.end());
  std::sort(unknown.begin(), unknown.end());
  for (const auto position : unknown) out.add_unknown(named.texts.at(position));
  for (const auto position : result.stale) out.add_stale(named.texts.at(position));
}

}  // namespace

// -- topics ---------------------------------------------------------------------------------------------------------------------

void fill(v1::ListNamespacesResponse& out, const std::vector<std::string>& names) {
  for (const auto& name : names) out.add_namespaces(name);
}

void fill(v1::ListTopicsResponse& out, const std::vector<topic_info>& topics) {
  for (const auto& topic : topics) {
    auto& info = *out.add_topics();
    info.set_name(topic.name);
    info.set_queue_count(topic.queue_count);
    info.set_version(topic.version);
  }
}

void fill(v1::GetTopicResponse& out, const topic_details& details) {
  out.set_name(details.info.name);
  out.set_queue_count(details.info.queue_count);
  out.set_version(details.info.version);
  fill_settings(*out.mutable_settings(), details.settings);
  out.set_dead(static_cast<std::int64_t>(details.dead));
  out.set_draining(details.draining);
  for (const auto& queue : details.queues) fill_queue(*out.add_queues(), queue);
}

void fill(v1::ResizeTopicResponse& out, const resized& result) {
  out.set_success(true);
  out.set_new_queue_count(result.queue_count);
  out.set_version(result.version);
  out.set_draining(result.draining);
}

// -- messages -------------------------------------------------------------------------------------------------------------------

void fill(v1::PublishResponse& out, const published& where) {
  out.set_message_id(where.id.text());
  out.set_queue_id(where.queue);
}

void fill(v1::PublishResult& out, const outcome<published>& how) {
  if (how) {
    auto& id = *out.mutable_message_id();  // which a stream uses again
    id.resize(message_id::text_size);
    how->id.write_text(id.data());
    out.set_queue_id(how->queue);
    return;
  }
  const auto code = names_of(how.why().code).name;
  out.set_code(code.data(), code.size());
  out.set_error(how.why().text);
}

void fill(v1::PublishBatchResponse& out, const std::vector<outcome<published>>& outcomes) {
  for (const auto& one : outcomes) fill(*out.add_results(), one);
}

void fill(v1::Message& out, const message_origin& from, const delivery& message) {
  fill_message(out, from, *message.message, message.queue, message.deliveries);
}

void fill(v1::ConsumeResponse& out, const message_origin& from, const std::vector<delivery>& messages) {
  out.mutable_messages()->Reserve(static_cast<int>(messages.size()));
  for (const auto& message : messages) fill(*out.add_messages(), from, message);
}

void fill(v1::PeekResponse& out, const message_origin& from, const std::vector<peeked>& messages) {
  for (const auto& seen : messages) fill_message(*out.add_messages(), from, *seen.message, seen.queue, seen.deliveries);
}

void fill(v1::ListDeadResponse& out, const message_origin& from, const std::vector<peeked>& messages) {
  for (const auto& seen : messages) {
    auto& dead = *out.add_messages();
    fill_message(*dead.mutable_message(), from, *seen.message, seen.queue, seen.deliveries);
    const auto reason = name_of(seen.reason);
    dead.set_reason(reason.data(), reason.size());
    dead.set_dead_at(seen.dead_at);
  }
}

void fill(v1::AckResponse& out, const settled& result, const named_messages& named) {
  out.set_acknowledged(static_cast<std::int32_t>(result.count));
  fill_left_over(out, result, named);
}

void fill(v1::NackResponse& out, const settled& result, const named_messages& named) {
  out.set_returned(static_cast<std::int32_t>(result.count));
  out.set_dead_lettered(static_cast<std::int32_t>(result.dead_lettered));
  fill_left_over(out, result, named);
}

void fill(v1::ExtendResponse& out, const settled& result, const named_messages& named) {
  out.set_extended(static_cast<std::int32_t>(result.count));
  fill_left_over(out, result, named);
}

// -- dead letters ---------------------------------------------------------------------------------------------------------------

void fill(v1::BackupResponse& out, const backed_up& result) {
  out.set_success(true);
  out.set_dir(result.folder);
  out.set_bytes(result.bytes);
}

void fill(v1::PurgeResponse& out, std::uint64_t purged) {
  out.set_success(true);
  out.set_purged(static_cast<std::int64_t>(purged));
}

void fill(v1::PurgeDeadResponse& out, std::uint64_t purged) {
  out.set_success(true);
  out.set_purged(static_cast<std::int64_t>(purged));
}

void fill(v1::RedriveDeadResponse& out, std::uint64_t redriven) {
  out.set_success(true);
  out.set_redriven(static_cast<std::int64_t>(redriven));
}

}  // namespace mqlite
