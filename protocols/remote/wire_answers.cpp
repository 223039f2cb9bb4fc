#include "protocols/remote/wire_answers.hpp"

#include <algorithm>
#include <cstring>

#include "protocols/translate/answers.hpp"

namespace mqlite::remote {
namespace {

wire::message_id to_wire(const message_id& id) {
  unsigned char bytes[16];
  id.to_bytes(bytes);
  wire::message_id result;
  for (int i = 0; i < 8; ++i) result.high = result.high << 8 | bytes[i];
  for (int i = 8; i < 16; ++i) result.low = result.low << 8 | bytes[i];
  return result;
}

wire::message to_wire(const message& in, queue_number queue, std::uint32_t deliveries) {
  wire::message out;
  out.id = to_wire(in.id());
  out.queue = queue;
  out.delivery_count = deliveries;
  out.payload = in.payload();
  message_attributes attributes;
  if (!in.attributes().empty() && message_attributes::decode(in.attributes(), attributes)) {
    out.routing_key = std::move(attributes.routing_key);
    out.headers = std::move(attributes.headers);
  }
  return out;
}

wire::milliseconds milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<wire::milliseconds>(duration);
}

}  // namespace

static_assert(static_cast<int>(wire::errc::invalid_argument) == static_cast<int>(error_code::invalid_argument) + 1);
static_assert(static_cast<int>(wire::errc::not_found) == static_cast<int>(error_code::not_found) + 1);
static_assert(static_cast<int>(wire::errc::internal) == static_cast<int>(error_code::internal) + 1);

wire::errc code_of(error_code code) noexcept { return static_cast<wire::errc>(static_cast<int>(code) + 1); }

caf::error error_of(const failure& why) { return caf::make_error(code_of(why.code), why.text); }

wire::publish_results to_wire(const std::vector<outcome<published>>& outcomes,
                              const std::vector<std::pair<std::size_t, failure>>& refused) {
  wire::publish_results result;
  auto& all = result.messages;
  all.reserve(outcomes.size() + refused.size());
  const auto refuse = [&all](const failure& why) { all.push_back({{}, 0, code_of(why.code), why.text}); };
  auto next = refused.begin();
  for (const auto& one : outcomes) {
    for (; next != refused.end() && next->first == all.size(); ++next) refuse(next->second);
    one ? all.push_back({to_wire(one->id), one->queue, wire::errc::none, {}}) : refuse(one.why());
  }
  for (; next != refused.end(); ++next) refuse(next->second);
  return result;
}

std::vector<wire::message> to_wire(const std::vector<delivery>& deliveries) {
  std::vector<wire::message> result;
  result.reserve(deliveries.size());
  for (const auto& one : deliveries) result.push_back(to_wire(*one.message, one.queue, one.deliveries));
  return result;
}

wire::peeked_batch to_wire(const std::vector<peeked>& seen) {
  wire::peeked_batch result;
  result.messages.reserve(seen.size());
  for (const auto& one : seen) {
    auto& out = result.messages.emplace_back();
    out.message = to_wire(*one.message, one.queue, one.deliveries);
    if (one.reason == dead_reason::none) continue;
    out.reason = name_of(one.reason);
    out.dead_at = one.dead_at;
  }
  return result;
}

wire::settled to_wire(const settled& how, const named_messages& named) {
  wire::settled result{how.count, how.dead_lettered, {}, {}};
  auto unknown = how.unknown;
  unknown.insert(unknown.end(), named.no_ids.begin(), named.no_ids.end());
  std::sort(unknown.begin(), unknown.end());
  for (const auto position : unknown) result.unknown.push_back(named.texts.at(position));
  for (const auto position : how.stale) result.stale.push_back(named.texts.at(position));
  return result;
}

wire::topic_list to_wire(const std::vector<topic_info>& topics) {
  wire::topic_list result;
  for (const auto& one : topics) result.topics.push_back({one.name, one.queue_count, one.version});
  return result;
}

wire::topic_details to_wire(const topic_details& details) {
  wire::topic_details result;
  result.info = {details.info.name, details.info.queue_count, details.info.version};
  result.dead = details.dead;
  const auto& settings = details.settings;
  result.settings.ack_timeout = milliseconds(settings.ack_timeout);
  result.settings.max_deliveries = settings.max_deliveries;
  result.settings.message_ttl = milliseconds(settings.message_ttl);
  result.settings.max_length = static_cast<std::int64_t>(settings.max_length);
  result.settings.max_bytes = static_cast<std::int64_t>(settings.max_bytes);
  result.settings.overflow = overflow_choices[static_cast<std::size_t>(settings.overflow)];
  result.settings.steal = steal_choices[static_cast<std::size_t>(settings.steal)];
  for (const auto& q : details.queues)
    result.queues.push_back({q.queue, q.ready, q.leased, q.delayed, q.bytes, q.consumers});
  return result;
}

wire::resized to_wire(const resized& how) { return {how.queue_count, how.version, how.draining}; }

}  // namespace mqlite::remote
