#include "protocols/tcp/command.hpp"

#include "actors/rules.hpp"
#include "protocols/tcp/answer.hpp"
#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/json_text.hpp"
#include "test/fuzz/fuzz.hpp"
#include "test/fuzz/quiet_protobuf.hpp"

/// What the TCP door reads from frames keeps the limits that the rest of the broker relies on; Protobuf is read as the library reads
/// it; and answers are documents that carry the command's id.
using namespace mqlite;
using namespace mqlite::tcp;

namespace {

constexpr publish_terms terms{1'800'000'000'000'000'000, 1000};

void check_names(std::string_view name_space, std::string_view topic) {
  MQLITE_REQUIRE(!bad_name("namespace", name_space) && !bad_name("topic", topic));
}

void check_draft(const draft& message) {
  MQLITE_REQUIRE(message.message && message.queue >= any_queue && message.not_before >= 0);
  message_attributes attributes;
  MQLITE_REQUIRE(message_attributes::decode(message.message->attributes(), attributes));
  auto size = message.message->payload().size() + attributes.routing_key.size();
  for (const auto& [name, value] : attributes.headers) size += name.size() + value.size();
  MQLITE_REQUIRE(size <= terms.max_message_bytes);
  MQLITE_REQUIRE(message.has_key == !attributes.routing_key.empty());
  MQLITE_REQUIRE(!message.has_key || message.key_hash == routing_hash(attributes.routing_key));
  MQLITE_REQUIRE(attributes.expires_at == message.message->expires_at());
}

void check_failure(const failure& why) {
  MQLITE_REQUIRE(why.code == error_code::invalid_argument || why.code == error_code::too_large);
  MQLITE_REQUIRE(!why.text.empty());
}

// -- the limits of each request -----------------------------------------------------------------------------------------------

struct limits_check {
  void operator()(const request::create_namespace& r) const { MQLITE_REQUIRE(!bad_name("namespace", r.name)); }
  void operator()(const request::delete_namespace& r) const { MQLITE_REQUIRE(!bad_name("namespace", r.name)); }
  void operator()(const request::list_topics& r) const { MQLITE_REQUIRE(!bad_name("namespace", r.name_space)); }
  void operator()(const request::list_namespaces&) const {}
  void operator()(const request::stats&) const {}
  void operator()(const request::ping&) const {}
  void operator()(const request::auth&) const {}

  void operator()(const request::topic_address& r) const { check_names(r.name_space, r.topic); }
  void operator()(const request::create_topic& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue_count >= 1 && r.queue_count <= most_queues);
  }
  void operator()(const request::resize_topic& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue_count >= 1 && r.queue_count <= most_queues);
  }
  void operator()(const request::publish_batch& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.messages.size() <= most_batch);
    for (const auto& message : r.messages) message ? check_draft(*message) : check_failure(message.why());
  }
  void operator()(const request::consume& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue >= any_queue && r.options.most >= 1 && r.options.most <= most_batch);
    MQLITE_REQUIRE(r.options.wait.count() >= 0 && r.options.wait <= std::chrono::milliseconds(longest_wait_ms));
    MQLITE_REQUIRE(r.options.lease.count() >= 0);
  }
  void operator()(const request::subscribe& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue >= any_queue && r.max_in_flight >= 1 && r.max_in_flight <= most_in_flight);
  }
  void operator()(const request::settle& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue >= any_queue && r.value.count() >= 0);
    MQLITE_REQUIRE(r.messages.texts.size() <= most_batch);
    MQLITE_REQUIRE(r.messages.targets.size() + r.messages.no_ids.size() == r.messages.texts.size());
  }
  void operator()(const request::peek& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.queue >= 0 && r.limit >= 1 && r.limit <= most_limit);
  }
  void operator()(const request::list_dead& r) const {
    check_names(r.name_space, r.topic);
    MQLITE_REQUIRE(r.limit >= 1 && r.limit <= most_limit);
  }
};

void check_content(const command_content& content) {
  if (const auto* why = std::get_if<failure>(&content)) return check_failure(*why);
  if (const auto* message = std::get_if<publishing>(&content)) {
    check_names(message->name_space, message->topic);
    return check_draft(message->message);
  }
  std::visit(limits_check{}, std::get<any_request>(content));
}

// -- answers ------------------------------------------------------------------------------------------------------------------

std::string_view payload_of(frame_reader& frames, std::string_view written) {
  const auto step = frames.next(written);
  MQLITE_REQUIRE(step.what == frame_step::kind::whole && step.size == written.size());
  return step.payload;
}

void check_answer(const answer_address& to, std::string_view written) {
  frame_reader frames(1 << 20, [](encoding, std::string_view) { return false; });
  const auto payload = payload_of(frames, written);
  if (to.as == encoding::json) {
    MQLITE_REQUIRE(is_json(payload));
    bool found = false;
    for (object_members members(payload); members.next();)
      if (members.name() == "id") found = members.value() == to.id;
    MQLITE_REQUIRE(found == !to.id.empty());
  } else {
    v1::TCPResponse response;
    MQLITE_REQUIRE(response.ParseFromArray(payload.data(), static_cast<int>(payload.size())));
    MQLITE_REQUIRE(response.request_id() == to.request_id);
  }
}

void check_answers(const command& read) {
  std::string out;
  write_ok(out, read.to, length_count::payload);
  check_answer(read.to, out);
  out.clear();
  write_published(out, read.to, length_count::payload, published{message_id(1, 2), 3});
  check_answer(read.to, out);
  if (const auto* why = std::get_if<failure>(&read.content)) {
    out.clear();
    write_failure(out, read.to, length_count::payload, *why);
    check_answer(read.to, out);
  }
}

// -- the two encodings --------------------------------------------------------------------------------------------------------

void check_as_library(const command& read, std::string_view payload) {
  v1::TCPCommand in;
  const bool sound = in.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  if (!sound) {
    MQLITE_REQUIRE(std::holds_alternative<failure>(read.content));
    return;
  }
  MQLITE_REQUIRE(read.to.request_id == in.request_id());
  const auto* message = std::get_if<publishing>(&read.content);
  if (message == nullptr) return;
  const auto& expected = in.publish();
  MQLITE_REQUIRE(in.action() == "publish" && in.has_publish());
  MQLITE_REQUIRE(message->name_space == expected.namespace_() && message->topic == expected.topic());
  MQLITE_REQUIRE(message->message.message->payload() == expected.payload());
  MQLITE_REQUIRE(message->message.queue == (expected.has_queue_id() ? expected.queue_id() : any_queue));
  message_attributes attributes;
  MQLITE_REQUIRE(message_attributes::decode(message->message.message->attributes(), attributes));
  MQLITE_REQUIRE(attributes.routing_key == expected.routing_key());
  MQLITE_REQUIRE(attributes.headers.size() == expected.headers().size());
  for (const auto& [name, value] : expected.headers()) MQLITE_REQUIRE(attributes.headers.at(name) == value);
}

void check_json(const command& read, std::string_view payload) {
  const bool refused = std::holds_alternative<failure>(read.content);
  MQLITE_REQUIRE(refused || is_document(encoding::json, payload));
  MQLITE_REQUIRE(read.to.id.empty() || is_json(read.to.id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static command_reader reader;
  fuzz::input in(data, size);
  const auto as = in.byte() % 2 == 0 ? encoding::json : encoding::protobuf;
  const auto read = reader.read(as, in.rest(), terms);
  MQLITE_REQUIRE(read.to.as == as);
  as == encoding::json ? check_json(read, in.rest()) : check_as_library(read, in.rest());
  check_content(read.content);
  check_answers(read);
  reader.end_burst();
  return 0;
}
