#include <algorithm>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"
#include "proto/mqlite.pb.h"

/// TCP frames in Protobuf. What is measured is written and read by hand; the rest is left to the library.
namespace mqlite::load {
namespace {

constexpr std::size_t header_size = 5;

std::size_t length_of(std::string_view header) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(header[i]);
  return length;
}

/// Appends a frame whose payload is `first` and `second`.
void add_frame(std::string& out, std::string_view first, std::string_view second = {}) {
  const auto size = first.size() + second.size();
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  out += '\x01';
  out += first;
  out += second;
}

void add_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// -- reading --------------------------------------------------------------------------------------------------------------------

/// One field of a Protobuf message; `bytes` where it has a length.
struct field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
};

std::uint64_t take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; !in.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw run_error("the server's answer is no Protobuf");
}

/// The next field; false at the end.
bool take_field(std::string_view& in, field& out) {
  if (in.empty()) return false;
  const auto tag = take_varint(in);
  out.number = tag >> 3;
  out.value = take_varint(in);
  if ((tag & 7) == 0) return true;
  if ((tag & 7) != 2 || out.value > in.size()) throw run_error("the server's answer is no Protobuf");
  out.bytes = in.substr(0, out.value);
  in.remove_prefix(out.value);
  return true;
}

void take_message(std::string_view message, bool stamps, delivered& to) {
  field f;
  ++to.count;
  while (take_field(message, f)) {
    if (f.number == v1::Message::kReceiptFieldNumber) to.tokens.add(f.bytes);
    if (stamps && f.number == v1::Message::kPayloadFieldNumber) to.stamps.emplace_back(f.bytes.substr(0, stamp_size));
  }
}

void take_results(std::string_view batch, heard& to) {
  field f;
  while (take_field(batch, f)) {
    ++to.published;
    v1::PublishResult one;
    if (f.bytes.size() < 38 || f.bytes[0] != '\x0a')  // without an id
      throw run_error("the broker refuses: " + (one.ParseFromString(std::string(f.bytes)) ? one.error() : "?"));
  }
}

void take_answer(std::string_view payload, bool stamps, heard& to) {
  constexpr std::string_view ok("\x0a\x02ok", 4);
  if (!payload.starts_with(ok)) {
    v1::TCPResponse whole;
    throw run_error("the broker refuses: " + (whole.ParseFromString(std::string(payload)) ? whole.error() : "?"));
  }
  payload.remove_prefix(ok.size());
  field f;
  while (take_field(payload, f)) {
    switch (f.number) {
      case v1::TCPResponse::kPublishFieldNumber:
        ++to.published;
        break;
      case v1::TCPResponse::kPublishBatchFieldNumber:
        take_results(f.bytes, to);
        break;
      case v1::TCPResponse::kSubscribeMessageFieldNumber:
        take_message(f.bytes, stamps, to.messages);
        break;
      case v1::TCPResponse::kAckFieldNumber: {
        field in_ack;
        while (take_field(f.bytes, in_ack))
          if (in_ack.number == v1::AckResponse::kAcknowledgedFieldNumber) to.settled += in_ack.value;
        break;
      }
      case v1::TCPResponse::kConsumeFieldNumber: {
        ++to.messages.fetches;
        field message;
        while (take_field(f.bytes, message)) take_message(message.bytes, stamps, to.messages);
        break;
      }
      default:
        break;
    }
  }
}

// -- the conversation -----------------------------------------------------------------------------------------------------------

class tcp_conversation final : public conversation {
 public:
  tcp_conversation(const plan& what, std::size_t lane)
      : plan_(what),
        payload_(payload_of(what)),
        from_(place_of(what, lane)),
        stamps_(what.what == workload::end_to_end) {
    v1::TCPCommand ack;
    ack.set_action("ack");
    ack_begin_ = ack.SerializeAsString();
    v1::AckRequest address;
    address.set_namespace_(what.name_space);
    address.set_topic(from_.topic);
    address.set_queue_id(std::max(0, from_.queue));
    ack_address_ = address.SerializeAsString();
  }

  std::string publish_request(std::size_t number) const override {
    v1::TCPCommand command;
    if (plan_.batch == 1 || plan_.what == workload::drain) return publish(number, payload_);
    command.set_action("publish_batch");
    auto& batch = *command.mutable_publish_batch();
    batch.set_namespace_(plan_.name_space);
    batch.set_topic(topic_name(plan_, number));
    for (std::size_t i = 0; i < plan_.batch; ++i) batch.add_messages()->set_payload(payload_);
    return framed(command);
  }
  void expect_publishes(std::size_t) override {}

  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(0, stamp.size(), stamp);
    out += publish(0, payload_);
  }

  void fetch(std::string& out, std::size_t most, bool wait) override {
    v1::TCPCommand command;
    command.set_action("consume");
    auto& consume = *command.mutable_consume();
    consume.set_namespace_(plan_.name_space);
    consume.set_topic(from_.topic);
    consume.set_queue_id(from_.queue);
    consume.set_batch_size(static_cast<int>(most));
    if (wait) consume.set_wait_ms(10'000);
    out += framed(command);
  }

  std::size_t settle(std::string& out, const token_list& tokens) override {
    std::string body = ack_address_;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      body += '\x22';  // message_ids
      add_varint(body, tokens[i].size());
      body += tokens[i];
    }
    std::string head = ack_begin_;
    add_varint(head, v1::TCPCommand::kAckFieldNumber << 3 | 2);
    add_varint(head, body.size());
    add_frame(out, head, body);
    return 0;
  }

  bool subscribe(std::string& out, std::size_t window) override {
    v1::TCPCommand command;
    command.set_action("subscribe");
    auto& subscribe = *command.mutable_subscribe();
    subscribe.set_namespace_(plan_.name_space);
    subscribe.set_topic(from_.topic);
    subscribe.set_queue_id(from_.queue);
    subscribe.set_max_in_flight(static_cast<int>(window));
    out += framed(command);
    return true;
  }

  std::size_t take(std::string_view in, std::string&, heard& to) override {
    std::size_t taken = 0;
    for (;;) {
      const auto rest = in.substr(taken);
      if (rest.size() < header_size) return taken;
      const auto size = header_size + length_of(rest);
      if (rest.size() < size) return taken;
      take_answer(rest.substr(header_size, size - header_size), stamps_, to);
      taken += size;
    }
  }

 private:
  static std::string framed(const v1::TCPCommand& command) {
    std::string out;
    add_frame(out, command.SerializeAsString());
    return out;
  }
  std::string publish(std::size_t number, const std::string& payload) const {
    v1::TCPCommand command;
    command.set_action("publish");
    command.mutable_publish()->set_namespace_(plan_.name_space);
    command.mutable_publish()->set_topic(topic_name(plan_, number));
    command.mutable_publish()->set_payload(payload);
    return framed(command);
  }

  const plan& plan_;
  std::string payload_;
  place from_;
  bool stamps_;
  std::string ack_begin_;
  std::string ack_address_;
};

class tcp_dialect final : public dialect {
 public:
  explicit tcp_dialect(const plan& what) : plan_(what) {}

  std::unique_ptr<conversation> begin(std::size_t lane) override {
    return std::make_unique<tcp_conversation>(plan_, lane);
  }

  void set_up() override {
    v1::TCPCommand command;
    command.set_action("create_namespace");
    command.mutable_create_namespace()->set_name(plan_.name_space);
    made_namespace_ = made(ask(command), true);
    const auto layout = layout_of(plan_);
    for (std::size_t i = 0; i < layout.topics; ++i) {
      command.set_action("create_topic");
      auto& topic = *command.mutable_create_topic();
      topic.set_namespace_(plan_.name_space);
      topic.set_name(topic_name(plan_, i));
      topic.set_queue_count(static_cast<int>(layout.queues_each));
      made(ask(command), plan_.keep);
      made_topics_ = i + 1;
    }
  }

  void tear_down() override {
    if (plan_.keep) return;
    v1::TCPCommand command;
    for (std::size_t i = 0; i < made_topics_; ++i) {
      command.set_action("delete_topic");
      command.mutable_delete_topic()->set_namespace_(plan_.name_space);
      command.mutable_delete_topic()->set_name(topic_name(plan_, i));
      ask(command);
    }
    command.set_action("list_topics");
    command.mutable_list_topics()->set_namespace_(plan_.name_space);
    if (!made_namespace_ || ask(command).list_topics().topics_size() > 0) return;
    command.set_action("delete_namespace");
    command.mutable_delete_namespace()->set_name(plan_.name_space);
    ask(command);
  }

  std::optional<std::uint64_t> stored() override {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < layout_of(plan_).topics; ++i) {
      v1::TCPCommand command;
      command.set_action("get_topic");
      command.mutable_get_topic()->set_namespace_(plan_.name_space);
      command.mutable_get_topic()->set_name(topic_name(plan_, i));
      const auto answer = ask(command);
      if (answer.status() != "ok") throw run_error("the broker refuses: " + answer.error());
      for (const auto& queue : answer.get_topic().queues())
        sum += static_cast<std::uint64_t>(queue.ready() + queue.leased() + queue.delayed());
    }
    return sum;
  }

 private:
  /// Whether it was made; existing is no failure where it may exist.
  static bool made(const v1::TCPResponse& answer, bool may_exist) {
    if (answer.status() == "ok") return true;
    if (may_exist && answer.code() == "ALREADY_EXISTS") return false;
    throw run_error("the broker refuses: " + answer.error());
  }

  v1::TCPResponse ask(const v1::TCPCommand& command) {
    tcp_connection control(plan_.host, plan_.port);
    std::string request, answer;
    add_frame(request, command.SerializeAsString());
    control.send(request);
    while (answer.size() < header_size || answer.size() < header_size + length_of(answer)) control.receive(answer);
    v1::TCPResponse result;
    if (!result.ParseFromString(answer.substr(header_size)))
      throw run_error("this is no MQLite: its answer is no frame");
    return result;
  }

  const plan& plan_;
  bool made_namespace_ = false;
  std::size_t made_topics_ = 0;
};

}  // namespace

std::unique_ptr<dialect> make_tcp_dialect(const plan& what) { return std::make_unique<tcp_dialect>(what); }

}  // namespace mqlite::load
