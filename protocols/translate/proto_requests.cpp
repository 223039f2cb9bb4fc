#include "protocols/translate/proto_requests.hpp"

#include <algorithm>
#include <limits>

#include "protocols/translate/names.hpp"

namespace mqlite {
namespace {

/// Reads fields and remembers the first refusal; what is read after that does not matter.
class reader {
 public:
  void refuse(std::string text) {
    if (!refusal_) refusal_ = failure{error_code::invalid_argument, std::move(text)};
  }

  /// 0 = `absent`.
  std::int64_t integer(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most,
                       std::int64_t absent) {
    if (value == 0) return absent;
    if (value < least || value > most) refuse(range_text(name, least, most));
    return value;
  }
  std::optional<std::int64_t> optional(std::string_view name, std::int64_t value, std::int64_t least,
                                       std::int64_t most) {
    if (value == 0) return std::nullopt;
    return integer(name, value, least, most, 0);
  }
  std::optional<std::chrono::nanoseconds> duration(std::string_view name, std::int64_t value, std::int64_t least) {
    if (value == 0) return std::nullopt;
    const auto checked = integer(name, value, least, longest_ms, 0);
    if (refusal_) return std::nullopt;
    return std::chrono::milliseconds(checked);
  }
  template <std::size_t N>
  std::optional<std::size_t> choice(std::string_view name, std::string_view value,
                                    const std::string_view (&choices)[N]) {
    if (value.empty()) return std::nullopt;
    const auto at = std::find(std::begin(choices), std::end(choices), value);
    if (at != std::end(choices)) return static_cast<std::size_t>(at - std::begin(choices));
    refuse(choice_text(name, choices));
    return std::nullopt;
  }
  queue_number queue(std::int32_t value, queue_number least = any_queue) {
    if (value < least) refuse(range_text("queue_id", least, no_limit));
    return value;
  }
  std::string name(std::string_view what, const std::string& value) {
    if (auto problem = name_problem(what, value)) refuse(std::move(problem->text));
    return value;
  }

  /// The value, or the refusal.
  template <class T>
  outcome<T> result(T value) {
    if (refusal_) return std::move(*refusal_);
    return value;
  }

 private:
  std::optional<failure> refusal_;
};

topic_settings_patch read_settings(reader& fields, const v1::TopicSettings& in) {
  topic_settings_patch patch;
  patch.ack_timeout = fields.duration("ack_timeout_ms", in.ack_timeout_ms(), 1);
  if (const auto n =
          fields.optional("max_deliveries", in.max_deliveries(), 0, std::numeric_limits<std::int32_t>::max()))
    patch.max_deliveries = static_cast<std::uint32_t>(*n);
  else if (in.has_max_deliveries())
    patch.max_deliveries = 0;
  patch.message_ttl = fields.duration("message_ttl_ms", in.message_ttl_ms(), 0);
  if (in.has_message_ttl_ms() && !patch.message_ttl) patch.message_ttl = std::chrono::nanoseconds(0);
  if (const auto n = fields.optional("max_length", in.max_length(), 0, no_limit))
    patch.max_length = static_cast<std::uint64_t>(*n);
  else if (in.has_max_length())
    patch.max_length = 0;
  if (const auto n = fields.optional("max_bytes", in.max_bytes(), 0, no_limit))
    patch.max_bytes = static_cast<std::uint64_t>(*n);
  else if (in.has_max_bytes())
    patch.max_bytes = 0;
  if (const auto i = fields.choice("overflow", in.overflow(), overflow_choices))
    patch.overflow = static_cast<overflow_policy>(*i);
  if (const auto i = fields.choice("steal", in.steal(), steal_choices)) patch.steal = static_cast<steal_policy>(*i);
  return patch;
}

/// When the message may be delivered, 0 = at once.
std::int64_t read_not_before(reader& fields, const v1::PublishRequest& in, std::int64_t now) {
  const auto delay = fields.duration("delay_ms", in.delay_ms(), 0);
  const auto moment = fields.optional("deliver_at_ms", in.deliver_at_ms(), 0, latest_ms);
  if (delay && moment) fields.refuse("`delay_ms` and `deliver_at_ms` exclude each other");
  if (delay) return now + delay->count();
  if (moment && *moment<latest_ms&& * moment * nanoseconds_per_ms> now) return *moment * nanoseconds_per_ms;
  return 0;
}

/// Reads what names the queue, for any request with these fields.
template <class Request, class In>
Request at_topic(reader& fields, const In& in) {
  Request request;
  request.name_space = fields.name("namespace", in.namespace_());
  request.topic = fields.name("topic", in.topic());
  return request;
}
template <class Request, class In>
Request at_queue(reader& fields, const In& in, queue_number least = any_queue) {
  auto request = at_topic<Request>(fields, in);
  request.queue = fields.queue(in.queue_id(), least);
  return request;
}
/// The same for requests that call the topic `name`.
template <class Request, class In>
Request at_named(reader& fields, const In& in) {
  Request request;
  request.name_space = fields.name("namespace", in.namespace_());
  if (in.name().empty()) fields.refuse("`name` is required");
  request.topic = fields.name("name", in.name());
  return request;
}
template <class Request, class In>
outcome<Request> only_named(const In& in) {
  reader fields;
  return fields.result(at_named<Request>(fields, in));
}

template <class Request, class In>
outcome<Request> only_name(const In& in) {
  reader fields;
  if (in.name().empty()) fields.refuse("`name` is required");
  return fields.result(Request{fields.name("name", in.name())});
}

template <class Ids>
named_messages read_messages(reader& fields, const Ids& ids) {
  named_messages result;
  if (static_cast<std::size_t>(ids.size()) > most_batch)
    fields.refuse("`message_ids` must hold at most " + std::to_string(most_batch) + " ids");
  else
    for (const auto& text : ids) result.add(text);
  return result;
}

template <class In>
request::settle read_settle(reader& fields, const In& in, settlement what) {
  auto request = at_queue<request::settle>(fields, in);
  request.what = what;
  request.messages = read_messages(fields, in.message_ids());
  return request;
}

}  // namespace

// -- namespaces and topics ------------------------------------------------------------------------------------------------------

outcome<request::create_namespace> read_request(const v1::CreateNamespaceRequest& in) {
  return only_name<request::create_namespace>(in);
}
outcome<request::delete_namespace> read_request(const v1::DeleteNamespaceRequest& in) {
  return only_name<request::delete_namespace>(in);
}
outcome<request::list_namespaces> read_request(const v1::ListNamespacesRequest&) { return request::list_namespaces{}; }

outcome<request::create_topic> read_request(const v1::CreateTopicRequest& in) {
  reader fields;
  auto request = at_named<request::create_topic>(fields, in);
  request.queue_count = fields.integer("queue_count", in.queue_count(), 1, most_queues, 1);
  request.settings = read_settings(fields, in.settings());
  return fields.result(std::move(request));
}

outcome<request::delete_topic> read_request(const v1::DeleteTopicRequest& in) {
  return only_named<request::delete_topic>(in);
}

outcome<request::list_topics> read_request(const v1::ListTopicsRequest& in) {
  reader fields;
  return fields.result(request::list_topics{fields.name("namespace", in.namespace_())});
}

outcome<request::get_topic> read_request(const v1::GetTopicRequest& in) { return only_named<request::get_topic>(in); }

outcome<request::update_topic> read_request(const v1::UpdateTopicRequest& in) {
  reader fields;
  auto request = at_named<request::update_topic>(fields, in);
  request.settings = read_settings(fields, in.settings());
  return fields.result(std::move(request));
}

outcome<request::resize_topic> read_request(const v1::ResizeTopicRequest& in) {
  reader fields;
  auto request = at_named<request::resize_topic>(fields, in);
  if (in.new_queue_count() == 0) fields.refuse("`new_queue_count` is required");
  request.queue_count = fields.integer("new_queue_count", in.new_queue_count(), 1, most_queues, 1);
  return fields.result(std::move(request));
}

outcome<request::rebalance_topic> read_request(const v1::RebalanceTopicRequest& in) {
  return only_named<request::rebalance_topic>(in);
}

// -- messages -------------------------------------------------------------------------------------------------------------------

outcome<draft> read_draft(const v1::PublishRequest& in, const publish_terms& terms) {
  if (in.more_size() > 0)
    return failure{error_code::invalid_argument,
                   "`more` is for the messages of a PublishStream, not for those within it"};
  reader fields;
  message_attributes attributes;
  attributes.routing_key = in.routing_key();
  for (const auto& [name, value] : in.headers()) attributes.headers.emplace(name, value);
  if (const auto ttl = fields.duration("ttl_ms", in.ttl_ms(), 1)) attributes.expires_at = terms.now + ttl->count();
  const auto queue = in.has_queue_id() ? fields.queue(in.queue_id()) : any_queue;
  const auto not_before = read_not_before(fields, in, terms.now);
  if (auto checked = fields.result(done{}); !checked) return std::move(checked.why());
  return make_draft(in.payload(), attributes, queue, not_before, terms);
}

outcome<request::publish> read_request(const v1::PublishRequest& in, const publish_terms& terms) {
  reader fields;
  auto request = fields.result(at_topic<request::publish>(fields, in));
  if (!request) return request;
  auto message = read_draft(in, terms);
  if (!message) return std::move(message.why());
  request->message = std::move(*message);
  return request;
}

outcome<request::publish_batch> read_request(const v1::PublishBatchRequest& in, const publish_terms& terms) {
  reader fields;
  auto request = at_topic<request::publish_batch>(fields, in);
  if (static_cast<std::size_t>(in.messages_size()) > most_batch)
    fields.refuse("`messages` must hold at most " + std::to_string(most_batch) + " messages");
  else
    for (const auto& message : in.messages()) request.messages.push_back(read_draft(message, terms));
  return fields.result(std::move(request));
}

outcome<request::consume> read_request(const v1::ConsumeRequest& in) {
  reader fields;
  auto request = at_queue<request::consume>(fields, in);
  auto& options = request.options;
  options.most = static_cast<std::size_t>(fields.integer("batch_size", in.batch_size(), 1, most_batch, 1));
  options.auto_ack = in.auto_ack();
  options.wait = std::chrono::milliseconds(fields.integer("wait_ms", in.wait_ms(), 0, longest_wait_ms, 0));
  options.lease = fields.duration("lease_ms", in.lease_ms(), 1).value_or(std::chrono::nanoseconds(0));
  return fields.result(std::move(request));
}

outcome<request::subscribe> read_request(const v1::SubscribeRequest& in) {
  reader fields;
  auto request = at_queue<request::subscribe>(fields, in);
  request.auto_ack = in.auto_ack();
  request.max_in_flight =
      static_cast<std::size_t>(fields.integer("max_in_flight", in.max_in_flight(), 1, most_in_flight, usual_in_flight));
  return fields.result(std::move(request));
}

outcome<request::unsubscribe> read_request(const v1::UnsubscribeRequest& in) {
  reader fields;
  return fields.result(at_queue<request::unsubscribe>(fields, in));
}

outcome<request::settle> read_request(const v1::AckRequest& in) {
  reader fields;
  return fields.result(read_settle(fields, in, settlement::ack));
}

outcome<request::settle> read_request(const v1::NackRequest& in) {
  reader fields;
  auto request = read_settle(fields, in, settlement::nack);
  request.value = fields.duration("delay_ms", in.delay_ms(), 0).value_or(std::chrono::nanoseconds(0));
  return fields.result(std::move(request));
}

outcome<request::settle> read_request(const v1::ExtendRequest& in) {
  reader fields;
  auto request = read_settle(fields, in, settlement::extend);
  request.value = fields.duration("lease_ms", in.lease_ms(), 1).value_or(std::chrono::nanoseconds(0));
  return fields.result(std::move(request));
}

outcome<request::peek> read_request(const v1::PeekRequest& in) {
  reader fields;
  auto request = at_queue<request::peek>(fields, in, 0);
  request.limit = static_cast<std::size_t>(fields.integer("limit", in.limit(), 1, most_limit, usual_limit));
  if (const auto i = fields.choice("state", in.state(), peek_choices)) request.state = static_cast<peek_state>(*i);
  return fields.result(std::move(request));
}

outcome<request::purge> read_request(const v1::PurgeRequest& in) {
  reader fields;
  return fields.result(at_queue<request::purge>(fields, in, 0));
}

// -- dead letters ---------------------------------------------------------------------------------------------------------------

outcome<request::list_dead> read_request(const v1::ListDeadRequest& in) {
  reader fields;
  auto request = at_topic<request::list_dead>(fields, in);
  request.limit = static_cast<std::size_t>(fields.integer("limit", in.limit(), 1, most_limit, usual_limit));
  return fields.result(std::move(request));
}

outcome<request::redrive_dead> read_request(const v1::RedriveDeadRequest& in) {
  reader fields;
  auto request = at_topic<request::redrive_dead>(fields, in);
  if (in.message_ids_size() > 0) {
    const auto named = read_messages(fields, in.message_ids());
    request.ids.emplace();
    for (const auto& target : named.targets) request.ids->push_back(target.which.id);
  }
  return fields.result(std::move(request));
}

outcome<request::purge_dead> read_request(const v1::PurgeDeadRequest& in) {
  reader fields;
  return fields.result(at_topic<request::purge_dead>(fields, in));
}

// -- the broker -----------------------------------------------------------------------------------------------------------------

outcome<request::stats> read_request(const v1::GetStatsRequest& in) { return request::stats{in.topics()}; }
outcome<request::rewrite> read_request(const v1::RewriteRequest&) { return request::rewrite{}; }

outcome<request::backup> read_request(const v1::BackupRequest& in) {
  reader fields;
  if (in.dir().empty()) fields.refuse("`dir` is required: the folder for the backup, new or empty");
  return fields.result(request::backup{in.dir()});
}

outcome<request::ping> read_request(const v1::PingRequest&) { return request::ping{}; }
outcome<request::auth> read_request(const v1::AuthRequest& in) { return request::auth{in.token()}; }

}  // namespace mqlite
