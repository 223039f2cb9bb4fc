#include <set>

#include "bench/load/amqp.hpp"
#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

/// RabbitMQ: a durable queue, persistent messages that are confirmed; messages are pushed, as far as the prefetch goes, which is its
/// fast way to consume, and acknowledged up to the last one that arrived. Acks are not answered.
namespace mqlite::load {
namespace {

using amqp::method;
using amqp::put_method;
using amqp::put_number;
using amqp::put_short;

/// basic.publish to the queue through the default exchange, with the header and as many bodies as the payload needs.
std::string published(const std::string& queue, std::string_view payload) {
  constexpr std::size_t most = amqp::frame_limit - amqp::frame_overhead;
  std::string out, arguments, header;
  put_number(arguments, 0, 2);
  put_short(arguments, "");
  put_short(arguments, queue);
  put_number(arguments, 0, 1);  // neither mandatory nor immediate
  put_method(out, method::basic_publish, arguments);
  put_number(header, 60, 2);  // class basic, weight 0
  put_number(header, 0, 2);
  put_number(header, payload.size(), 8);
  put_number(header, 0x1000, 2);  // delivery-mode alone
  put_number(header, 2, 1);       // persistent
  put_frame(out, amqp::frame_type::header, amqp::channel, header);
  for (; !payload.empty(); payload.remove_prefix(std::min(most, payload.size())))
    put_frame(out, amqp::frame_type::body, amqp::channel, payload.substr(0, most));
  return out;
}

/// Counts what is confirmed: up to a message, or one alone, which may come before earlier ones.
class confirm_counter {
 public:
  std::size_t take(std::uint64_t tag, bool up_to) {
    if (!up_to && tag != last_ + 1) return early_.insert(tag).second ? 1 : 0;
    if (tag <= last_) throw run_error("RabbitMQ confirms a message again");
    auto fresh = tag - last_;
    last_ = tag;
    for (; !early_.empty() && *early_.begin() <= tag; early_.erase(early_.begin())) --fresh;
    for (; !early_.empty() && *early_.begin() == last_ + 1; early_.erase(early_.begin())) ++last_;
    return fresh;
  }

 private:
  std::uint64_t last_ = 0;  // all up to it are confirmed
  std::set<std::uint64_t> early_;
};

class rabbitmq_conversation final : public conversation {
 public:
  explicit rabbitmq_conversation(const plan& what)
      : plan_(what), payload_(payload_of(what)), stamps_(what.what == workload::end_to_end) {}

  void greet(std::string& out) override { amqp::greeting::begin(out); }
  bool ready() const override { return greeting_.done(); }

  std::string publish_request(std::size_t) const override { return published(plan_.topic, payload_); }
  void expect_publishes(std::size_t) override {}
  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(0, stamp.size(), stamp);
    out += publish_request(0);
  }

  void fetch(std::string&, std::size_t, bool) override { throw run_error("RabbitMQ pushes, and is not asked"); }
  std::size_t settle(std::string& out, const token_list& tags) override {
    std::string arguments(tags[tags.size() - 1]);
    put_number(arguments, 1, 1);  // and all before it
    put_method(out, method::basic_ack, arguments);
    return tags.size();
  }
  bool subscribe(std::string& out, std::size_t window) override {
    std::string prefetch, consume;
    put_number(prefetch, 0, 4);  // of no size
    put_number(prefetch, window, 2);
    put_number(prefetch, 0, 1);  // of each consumer
    put_method(out, method::basic_qos, prefetch);
    put_number(consume, 0, 2);
    put_short(consume, plan_.topic);
    put_short(consume, "");
    put_number(consume, 0, 1);  // with acks
    put_number(consume, 0, 4);  // no arguments
    put_method(out, method::basic_consume, consume);
    return true;
  }

  std::size_t take(std::string_view in, std::string& out, heard& to) override {
    for (std::size_t taken = 0;;) {
      const auto next = amqp::cut_frame(in.substr(taken));
      if (next.size == 0) return taken;
      taken += next.size;
      if (next.type == amqp::frame_type::method) {
        take_method(next.payload, out, to);
      } else if (next.type == amqp::frame_type::header) {
        missing_ = amqp::reader(next.payload.substr(4)).number(8);
        begins_ = true;
        if (missing_ == 0) arrived(to);
      } else if (next.type == amqp::frame_type::body) {
        take_body(next.payload, to);
      }
    }
  }

 private:
  void take_method(std::string_view payload, std::string& out, heard& to) {
    amqp::reader arguments(payload);
    const auto what = static_cast<method>(arguments.number(4));
    switch (what) {
      case method::basic_ack: {
        const auto tag = arguments.number(8);
        to.published += confirms_.take(tag, arguments.number(1) != 0);
        break;
      }
      case method::basic_deliver:
        arguments.short_text();  // of the consumer
        tag_ = arguments.text(8);
        break;
      case method::basic_nack:
        throw run_error("RabbitMQ refuses: it could not store a message (basic.nack)");
      case method::basic_cancel:
        throw run_error("RabbitMQ refuses: the queue is gone (basic.cancel)");
      case method::basic_qos_ok:
      case method::basic_consume_ok:
        break;
      default:
        if (!greeting_.take(what, arguments, out)) throw run_error("RabbitMQ answers what was not asked");
    }
  }

  void take_body(std::string_view part, heard& to) {
    if (part.size() > missing_) throw run_error("RabbitMQ sends more of a message than it announced");
    if (stamps_ && begins_) to.messages.stamps.emplace_back(part.substr(0, stamp_size));
    begins_ = false;
    missing_ -= part.size();
    if (missing_ == 0) arrived(to);
  }

  void arrived(heard& to) {
    ++to.messages.count;
    to.messages.tokens.add(tag_);
  }

  const plan& plan_;
  std::string payload_;
  bool stamps_;
  amqp::greeting greeting_;
  confirm_counter confirms_;
  std::string tag_;            // of the message that arrives
  std::uint64_t missing_ = 0;  // bytes of it
  bool begins_ = false;        // no byte of it came yet
};

/// A connection for one request at a time.
class control {
 public:
  explicit control(const plan& what) : connection_(what.host, what.port) {
    std::string out;
    amqp::greeting::begin(out);
    connection_.send(out);
    while (!greeting_.done()) next();
  }

  /// The arguments of the answer, which is the method that follows the request.
  std::string ask(method what, std::string_view arguments) {
    std::string out;
    put_method(out, what, arguments);
    connection_.send(out);
    for (;;)
      if (auto [answer, rest] = next(); static_cast<std::uint32_t>(answer) == static_cast<std::uint32_t>(what) + 1)
        return rest;
  }

 private:
  /// One frame's method; what belongs to the greeting is answered.
  std::pair<method, std::string> next() {
    auto one = amqp::cut_frame(in_);
    for (; one.size == 0; one = amqp::cut_frame(in_)) connection_.receive(in_);
    std::string payload(one.payload), out;
    in_.erase(0, one.size);
    amqp::reader arguments(payload);
    const auto what = static_cast<method>(arguments.number(4));
    if (greeting_.take(what, arguments, out)) connection_.send(out);
    return {what, payload.substr(4)};
  }

  tcp_connection connection_;
  amqp::greeting greeting_;
  std::string in_;
};

class rabbitmq_dialect final : public dialect {
 public:
  explicit rabbitmq_dialect(const plan& what) : plan_(what) {}
  std::unique_ptr<conversation> begin(std::size_t) override { return std::make_unique<rabbitmq_conversation>(plan_); }

  void set_up() override {
    if (!plan_.keep && exists()) throw run_error("RabbitMQ has a queue " + plan_.topic + " already");
    std::string kind;
    put_short(kind, "x-queue-type");
    kind += 'S';
    amqp::put_long(kind, plan_.via == protocol::rabbitmq_quorum ? "quorum" : "classic");
    declare(durable, kind);
    made_ = true;
  }
  void tear_down() override {
    if (!made_ || plan_.keep) return;
    auto arguments = named();
    put_number(arguments, 0, 1);  // used or not, empty or not
    control(plan_).ask(method::queue_delete, arguments);
  }
  std::optional<std::uint64_t> stored() override { return declare(passive, ""); }

 private:
  static constexpr int passive = 1, durable = 2;

  std::string named() const {
    std::string arguments;
    put_number(arguments, 0, 2);
    put_short(arguments, plan_.topic);
    return arguments;
  }
  bool exists() const try {
    declare(passive, "");
    return true;
  } catch (const amqp::refusal& no) {
    if (no.code != 404) throw;
    return false;
  }
  /// How many messages the queue holds that are with no consumer.
  std::uint64_t declare(int flags, std::string_view table) const {
    auto arguments = named();
    put_number(arguments, static_cast<std::uint64_t>(flags), 1);
    amqp::put_long(arguments, table);
    const auto answer = control(plan_).ask(method::queue_declare, arguments);
    amqp::reader fields(answer);
    fields.short_text();
    return fields.number(4);
  }

  const plan& plan_;
  bool made_ = false;
};

}  // namespace

std::unique_ptr<dialect> make_rabbitmq_dialect(const plan& what) { return std::make_unique<rabbitmq_dialect>(what); }

}  // namespace mqlite::load
