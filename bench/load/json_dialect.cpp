#include <boost/json.hpp>
#include <deque>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

/// The two doors that speak JSON, TCP frames and HTTP: the same operations, wrapped differently. Answers are searched, not parsed:
/// their shapes are known.
namespace mqlite::load {
namespace {

/// What an answer will be about.
enum class subject { publish, fetch, settle, subscribe };

std::string text_behind(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return std::string(text.substr(0, 200));
  const auto from = at + mark.size();
  return std::string(text.substr(from, text.find('"', from) - from));
}

std::size_t number_behind(std::string_view text, std::string_view mark) {
  const auto at = text.find(mark);
  std::size_t value = 0;
  if (at == std::string_view::npos) return 0;
  for (auto i = at + mark.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i)
    value = value * 10 + static_cast<std::size_t>(text[i] - '0');
  return value;
}

void take_messages(std::string_view text, bool stamps, delivered& to) {
  constexpr std::string_view payload = "\"payload\":\"", receipt = "\"receipt\":\"";
  for (std::size_t at = 0; (at = text.find(receipt, at)) != std::string_view::npos; ++to.count) {
    at += receipt.size();
    to.tokens.add(text.substr(at, text.find('"', at) - at));
  }
  if (!stamps) return;
  for (std::size_t at = 0; (at = text.find(payload, at)) != std::string_view::npos;)
    to.stamps.emplace_back(text.substr(at += payload.size(), stamp_size));
}

/// How operations are wrapped.
class wrapping {
 public:
  virtual ~wrapping() = default;
  /// `fields` are those of the body, without braces.
  virtual std::string publish(const plan& what, const std::string& topic, const std::string& fields) const = 0;
  virtual std::string publish_batch(const plan& what, const std::string& topic, const std::string& fields) const = 0;
  virtual std::string at_queue(const plan& what, const place& at, const char* action,
                               const std::string& fields) const = 0;
  virtual std::string create_namespace(const plan& what) const = 0;
  virtual std::string create_topic(const plan& what, const std::string& topic, std::size_t queues) const = 0;
  virtual std::string on_topic(const plan& what, const std::string& topic, bool remove) const = 0;
  virtual std::string topics_of(const plan& what) const = 0;
  virtual std::string delete_namespace(const plan& what) const = 0;
  virtual bool pushes() const = 0;
  /// The size of the whole answer that `in` begins with, 0 where a part is missing; `body` becomes its JSON.
  virtual std::size_t cut(std::string_view in, std::string_view& body) const = 0;
  virtual bool succeeded(std::string_view body) const = 0;
  virtual std::string reason(std::string_view body) const = 0;
};

class frames final : public wrapping {
 public:
  std::string publish(const plan& what, const std::string& topic, const std::string& fields) const override {
    return command("publish", in_topic(what, "topic", topic) + "," + fields);
  }
  std::string publish_batch(const plan& what, const std::string& topic, const std::string& fields) const override {
    return command("publish_batch", in_topic(what, "topic", topic) + "," + fields);
  }
  std::string at_queue(const plan& what, const place& at, const char* action,
                       const std::string& fields) const override {
    const auto queue = ",\"queue_id\":" + std::to_string(at.queue);
    return command(action, in_topic(what, "topic", at.topic) + queue + (fields.empty() ? "" : ",") + fields);
  }
  std::string create_namespace(const plan& what) const override {
    return command("create_namespace", "\"name\":\"" + what.name_space + "\"");
  }
  std::string create_topic(const plan& what, const std::string& topic, std::size_t queues) const override {
    return command("create_topic", in_topic(what, "name", topic) + ",\"queue_count\":" + std::to_string(queues));
  }
  std::string on_topic(const plan& what, const std::string& topic, bool remove) const override {
    return command(remove ? "delete_topic" : "get_topic", in_topic(what, "name", topic));
  }
  std::string topics_of(const plan& what) const override {
    return command("list_topics", "\"namespace\":\"" + what.name_space + "\"");
  }
  std::string delete_namespace(const plan& what) const override {
    return command("delete_namespace", "\"name\":\"" + what.name_space + "\"");
  }
  bool pushes() const override { return true; }
  std::size_t cut(std::string_view in, std::string_view& body) const override {
    if (in.size() < 5) return 0;
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(in[i]);
    if (in.size() < 5 + length) return 0;
    body = in.substr(5, length);
    return 5 + length;
  }
  bool succeeded(std::string_view body) const override { return body.starts_with(R"({"status":"ok")"); }
  std::string reason(std::string_view body) const override { return text_behind(body, R"("error":")"); }

 private:
  static std::string in_topic(const plan& what, const char* field, const std::string& topic) {
    return "\"namespace\":\"" + what.name_space + "\",\"" + field + "\":\"" + topic + "\"";
  }
  static std::string command(const char* action, const std::string& data) {
    const auto text = std::string(R"({"action":")") + action + R"(","data":{)" + data + "}}";
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> shift);
    return out + '\0' + text;
  }
};

class http final : public wrapping {
 public:
  std::string publish(const plan& what, const std::string& topic, const std::string& fields) const override {
    return request(what, "POST", path(what, topic) + "/publish", "{" + fields + "}");
  }
  std::string publish_batch(const plan& what, const std::string& topic, const std::string& fields) const override {
    return request(what, "POST", path(what, topic) + "/publish_batch", "{" + fields + "}");
  }
  std::string at_queue(const plan& what, const place& at, const char* action,
                       const std::string& fields) const override {
    const auto queue = at.queue < 0 ? "" : "/queues/" + std::to_string(at.queue);
    return request(what, "POST", path(what, at.topic) + queue + "/" + action, "{" + fields + "}");
  }
  std::string create_namespace(const plan& what) const override {
    return request(what, "POST", "/v1/namespaces", "{\"name\":\"" + what.name_space + "\"}");
  }
  std::string create_topic(const plan& what, const std::string& topic, std::size_t queues) const override {
    return request(what, "POST", "/v1/namespaces/" + what.name_space + "/topics",
                   "{\"name\":\"" + topic + "\",\"queue_count\":" + std::to_string(queues) + "}");
  }
  std::string on_topic(const plan& what, const std::string& topic, bool remove) const override {
    return request(what, remove ? "DELETE" : "GET", path(what, topic), "");
  }
  std::string topics_of(const plan& what) const override {
    return request(what, "GET", "/v1/namespaces/" + what.name_space + "/topics", "");
  }
  std::string delete_namespace(const plan& what) const override {
    return request(what, "DELETE", "/v1/namespaces/" + what.name_space, "");
  }
  bool pushes() const override { return false; }
  std::size_t cut(std::string_view in, std::string_view& body) const override {
    const auto head = in.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    const auto length = number_behind(in.substr(0, head + 2), "Content-Length: ");
    if (in.size() < head + 4 + length) return 0;
    body = in.substr(head + 4, length);
    return head + 4 + length;
  }
  bool succeeded(std::string_view body) const override { return body.starts_with(R"({"success":true)"); }
  std::string reason(std::string_view body) const override { return text_behind(body, R"("message":")"); }

 private:
  static std::string path(const plan& what, const std::string& topic) {
    return "/v1/namespaces/" + what.name_space + "/topics/" + topic;
  }
  static std::string request(const plan& what, const char* method, const std::string& path, const std::string& body) {
    return std::string(method) + " " + path + " HTTP/1.1\r\nHost: " + what.host +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

// -- the conversation -----------------------------------------------------------------------------------------------------------

class json_conversation final : public conversation {
 public:
  json_conversation(const plan& what, const wrapping& how, std::size_t lane)
      : plan_(what),
        how_(how),
        payload_(payload_of(what)),
        from_(place_of(what, lane)),
        stamps_(what.what == workload::end_to_end) {}

  std::string publish_request(std::size_t number) const override {
    const auto one = "\"payload\":" + payload_;
    if (plan_.batch == 1 || plan_.what == workload::drain) return how_.publish(plan_, topic_name(plan_, number), one);
    std::string messages;
    for (std::size_t i = 0; i < plan_.batch; ++i) messages += (i == 0 ? "{" : ",{") + one + "}";
    return how_.publish_batch(plan_, topic_name(plan_, number), "\"messages\":[" + messages + "]");
  }
  void expect_publishes(std::size_t requests) override { expect(subject::publish, requests); }

  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(1, stamp.size(), stamp);
    out += how_.publish(plan_, topic_name(plan_, 0), "\"payload\":" + payload_);
    expect(subject::publish, 1);
  }

  void fetch(std::string& out, std::size_t most, bool wait) override {
    const auto fields = "\"batch_size\":" + std::to_string(most) + (wait ? ",\"wait_ms\":10000" : "");
    out += how_.at_queue(plan_, from_, "consume", fields);
    expect(subject::fetch, 1);
  }

  std::size_t settle(std::string& out, const token_list& tokens) override {
    std::string fields = "\"message_ids\":[";
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      fields += i == 0 ? "\"" : ",\"";
      fields += tokens[i];
      fields += '"';
    }
    const place at{from_.topic, std::max(0, from_.queue)};
    out += how_.at_queue(plan_, at, "ack", fields + "]");
    expect(subject::settle, 1);
    return 0;
  }

  bool subscribe(std::string& out, std::size_t window) override {
    if (!how_.pushes()) return false;
    out += how_.at_queue(plan_, from_, "subscribe", "\"max_in_flight\":" + std::to_string(window));
    expect(subject::subscribe, 1);
    return true;
  }

  std::size_t take(std::string_view in, std::string&, heard& to) override {
    std::size_t taken = 0;
    for (std::string_view body;; body = {}) {
      const auto size = how_.cut(in.substr(taken), body);
      if (size == 0) return taken;
      taken += size;
      if (!how_.succeeded(body)) throw run_error("the broker refuses: " + how_.reason(body));
      if (how_.pushes() && body.starts_with(R"({"status":"ok","event")"))
        take_messages(body, stamps_, to.messages);
      else
        take_answer(body, to);
    }
  }

 private:
  void expect(subject what, std::size_t times) {
    if (!expected_.empty() && expected_.back().first == what)
      expected_.back().second += times;
    else
      expected_.emplace_back(what, times);
  }

  void take_answer(std::string_view body, heard& to) {
    if (expected_.empty()) throw run_error("the server answers what was not asked");
    const auto what = expected_.front().first;
    if (--expected_.front().second == 0) expected_.pop_front();
    if (what == subject::publish) {
      if (plan_.batch > 1 && body.find("\"code\":") != std::string_view::npos)
        throw run_error("the broker refuses: " + text_behind(body, "\"message\":\""));
      to.published += plan_.what == workload::drain ? 1 : plan_.batch;
    } else if (what == subject::fetch) {
      ++to.messages.fetches;
      take_messages(body, stamps_, to.messages);
    } else if (what == subject::settle) {
      to.settled += number_behind(body, "\"acknowledged\":");
    }
  }

  const plan& plan_;
  const wrapping& how_;
  std::string payload_;
  place from_;
  bool stamps_;
  std::deque<std::pair<subject, std::size_t>> expected_;  // and how often
};

// -- the dialect ----------------------------------------------------------------------------------------------------------------

class json_dialect final : public dialect {
 public:
  explicit json_dialect(const plan& what) : plan_(what) {
    if (what.via == protocol::http)
      how_ = std::make_unique<http>();
    else
      how_ = std::make_unique<frames>();
  }

  std::unique_ptr<conversation> begin(std::size_t lane) override {
    return std::make_unique<json_conversation>(plan_, *how_, lane);
  }

  void set_up() override {
    made_namespace_ = made(ask(how_->create_namespace(plan_)), true);
    const auto layout = layout_of(plan_);
    for (std::size_t i = 0; i < layout.topics; ++i) {
      made(ask(how_->create_topic(plan_, topic_name(plan_, i), layout.queues_each)), plan_.keep);
      made_topics_ = i + 1;
    }
  }

  void tear_down() override {
    if (plan_.keep) return;
    for (std::size_t i = 0; i < made_topics_; ++i) ask(how_->on_topic(plan_, topic_name(plan_, i), true));
    if (made_namespace_ && ask(how_->topics_of(plan_)).find("\"name\"") == std::string::npos)
      ask(how_->delete_namespace(plan_));
  }

  std::optional<std::uint64_t> stored() override {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < layout_of(plan_).topics; ++i) {
      const auto answer = ask(how_->on_topic(plan_, topic_name(plan_, i), false));
      if (!how_->succeeded(answer)) throw run_error("the broker refuses: " + how_->reason(answer));
      const auto document = boost::json::parse(answer);
      const auto* queues = document.at("data").as_object().if_contains("queues");
      if (queues == nullptr) return {};  // no broker: something that answers alike
      for (const auto& queue : queues->as_array())
        for (const auto* state : {"ready", "leased", "delayed"}) sum += queue.at(state).to_number<std::uint64_t>();
    }
    return sum;
  }

 private:
  bool made(const std::string& answer, bool may_exist) const {
    if (how_->succeeded(answer)) return true;
    if (may_exist && answer.find("ALREADY_EXISTS") != std::string::npos) return false;
    throw run_error("the broker refuses: " + how_->reason(answer));
  }

  std::string ask(const std::string& request) {
    tcp_connection control(plan_.host, plan_.port);
    control.send(request);
    std::string in;
    std::string_view body;
    while (how_->cut(in, body) == 0) control.receive(in);
    return std::string(body);
  }

  const plan& plan_;
  std::unique_ptr<wrapping> how_;
  bool made_namespace_ = false;
  std::size_t made_topics_ = 0;
};

}  // namespace

std::unique_ptr<dialect> make_json_dialect(const plan& what) { return std::make_unique<json_dialect>(what); }

}  // namespace mqlite::load
