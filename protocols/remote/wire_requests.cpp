#include "protocols/remote/wire_requests.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "protocols/translate/json_fields.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite::remote {
namespace {

constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t nanoseconds_per_ms = 1'000'000;

}  // namespace

// -- fields ---------------------------------------------------------------------------------------------------------------------

void wire_fields::refuse(std::string text) {
  if (!refusal_) refusal_ = failure{error_code::invalid_argument, std::move(text)};
}

std::int64_t wire_fields::integer(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return value;
  refuse(range_text(name, least, most));
  return least;
}

std::chrono::nanoseconds wire_fields::duration(std::string_view name, wire::milliseconds value, std::int64_t least) {
  return std::chrono::milliseconds(integer(name, value.count(), least, longest_ms));
}

std::chrono::nanoseconds wire_fields::optional_duration(std::string_view name,
                                                        std::optional<wire::milliseconds> value) {
  return value ? duration(name, *value, 1) : std::chrono::nanoseconds(0);
}

std::string wire_fields::name(std::string_view what, std::string value) {
  if (auto problem = name_problem(what, value)) refuse(std::move(problem->text));
  return value;
}

queue_number wire_fields::queue(std::int64_t value, queue_number usual, queue_number least) {
  if (value == wire::usual_queue) return usual;
  const auto checked = integer("queue_id", value, least, no_limit);
  return static_cast<queue_number>(std::min<std::int64_t>(checked, std::numeric_limits<queue_number>::max()));
}

template <std::size_t N>
std::size_t wire_fields::choice(std::string_view name, std::string_view value, const std::string_view (&choices)[N]) {
  const auto at = std::find(std::begin(choices), std::end(choices), value);
  if (at != std::end(choices)) return static_cast<std::size_t>(at - std::begin(choices));
  refuse(choice_text(name, choices));
  return 0;
}

topic_settings_patch wire_fields::settings(const wire::topic_settings& in) {
  topic_settings_patch patch;
  if (in.ack_timeout) patch.ack_timeout = duration("ack_timeout_ms", *in.ack_timeout, 1);
  if (in.max_deliveries)
    patch.max_deliveries = static_cast<std::uint32_t>(
        integer("max_deliveries", *in.max_deliveries, 0, std::numeric_limits<std::int32_t>::max()));
  if (in.message_ttl) patch.message_ttl = duration("message_ttl_ms", *in.message_ttl, 0);
  if (in.max_length) patch.max_length = static_cast<std::uint64_t>(integer("max_length", *in.max_length, 0, no_limit));
  if (in.max_bytes) patch.max_bytes = static_cast<std::uint64_t>(integer("max_bytes", *in.max_bytes, 0, no_limit));
  if (in.overflow) patch.overflow = static_cast<overflow_policy>(choice("overflow", *in.overflow, overflow_choices));
  if (in.steal) patch.steal = static_cast<steal_policy>(choice("steal", *in.steal, steal_choices));
  return patch;
}

named_messages wire_fields::messages(std::vector<std::string> ids) {
  named_messages result;
  if (ids.size() > most_batch)
    refuse("`message_ids` must hold at most " + std::to_string(most_batch) + " ids");
  else
    for (auto& id : ids) result.add(std::move(id));
  return result;
}

// -- requests -------------------------------------------------------------------------------------------------------------------

outcome<draft> read_draft(const wire::draft& in, queue_number usual, const publish_terms& terms) {
  wire_fields fields;
  const auto queue = fields.queue(in.queue, usual);
  const auto delay = fields.duration("delay_ms", in.delay, 0);
  const auto moment = fields.integer("deliver_at_ms", in.deliver_at.count(), 0, latest_ms);
  if (delay.count() > 0 && moment > 0) fields.refuse("`delay_ms` and `deliver_at_ms` exclude each other");
  message_attributes attributes;
  attributes.routing_key = in.routing_key;
  attributes.headers = in.headers;
  if (const auto ttl = fields.optional_duration("ttl_ms", in.time_to_live); ttl.count() > 0)
    attributes.expires_at = terms.now + ttl.count();
  // Text is what the log can read back as text.
  if (message_attributes read_back; !attributes.empty() && !message_attributes::decode(attributes.encode(), read_back))
    fields.refuse("`routing_key` and `headers` must be UTF-8");
  if (fields.refusal()) return *fields.refusal();
  std::int64_t not_before = 0;
  if (delay.count() > 0) not_before = terms.now + delay.count();
  if (moment * nanoseconds_per_ms > terms.now) not_before = moment * nanoseconds_per_ms;
  return make_draft(in.payload, attributes, queue, not_before, terms);
}

outcome<read_batch> read_publish(const wire::publish& in, queue_number usual, const publish_terms& terms) {
  if (in.messages.size() > most_batch)
    return failure{error_code::invalid_argument,
                   "`messages` must hold at most " + std::to_string(most_batch) + " messages"};
  read_batch result;
  result.drafts.reserve(in.messages.size());
  for (std::size_t i = 0; i < in.messages.size(); ++i) {
    auto one = read_draft(in.messages[i], usual, terms);
    if (one)
      result.drafts.push_back(std::move(*one));
    else
      result.refused.emplace_back(i, std::move(one.why()));
  }
  return result;
}

outcome<request::consume> read_consume(const wire::consume_options& in, queue_number usual) {
  wire_fields fields;
  request::consume result;
  result.queue = fields.queue(in.queue, usual);
  result.options.most = static_cast<std::size_t>(fields.integer("batch_size", in.batch_size, 1, most_batch));
  result.options.auto_ack = in.auto_ack;
  result.options.wait = std::chrono::milliseconds(fields.integer("wait_ms", in.wait.count(), 0, longest_wait_ms));
  result.options.lease = fields.optional_duration("lease_ms", in.lease);
  return fields.result(std::move(result));
}

outcome<request::subscribe> read_subscribe(const wire::subscribe_options& in, queue_number usual) {
  wire_fields fields;
  request::subscribe result;
  result.queue = fields.queue(in.queue, usual);
  result.auto_ack = in.auto_ack;
  result.max_in_flight = static_cast<std::size_t>(fields.integer("max_in_flight", in.max_in_flight, 1, most_in_flight));
  return fields.result(std::move(result));
}

outcome<request::peek> read_peek(const wire::peek& in, queue_number usual) {
  wire_fields fields;
  request::peek result;
  result.queue = fields.queue(in.queue, usual, 0);
  result.limit = static_cast<std::size_t>(fields.integer("limit", in.limit, 1, most_limit));
  result.state = static_cast<peek_state>(fields.choice("state", in.state, peek_choices));
  return fields.result(std::move(result));
}

}  // namespace mqlite::remote
