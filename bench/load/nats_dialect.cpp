#include <algorithm>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

/// NATS JetStream: a stream with work-queue retention in files, a pull consumer with explicit acks. Acks are not answered, as usual.
namespace mqlite::load {
namespace {

/// What one protocol line announces, and where its payload lies.
struct nats_message {
  std::size_t size = 0;  // 0 = a part is missing
  std::string_view subject, reply, headers, payload;
};

/// `MSG subject sid [reply] size` and `HMSG subject sid [reply] header-size size`; `line` is without its end.
nats_message cut_message(std::string_view in, std::string_view line) {
  std::string_view words[6];
  std::size_t count = 0;
  const bool with_headers = line.front() == 'H';
  for (auto rest = line; count < 6 && !rest.empty(); ++count) {
    const auto space = std::min(rest.find(' '), rest.size());
    words[count] = rest.substr(0, space);
    rest.remove_prefix(std::min(rest.size(), space + 1));
  }
  nats_message result;
  const std::size_t sizes = with_headers ? 2 : 1;
  if (count < 3 + sizes) throw run_error("the server is no NATS: " + std::string(line));
  const auto all = number_of(words[count - 1]);
  const auto head = with_headers ? number_of(words[count - 2]) : 0;
  const auto begin = line.size() + 2;
  if (in.size() < begin + all + 2) return result;
  result.subject = words[1];
  if (count == 4 + sizes) result.reply = words[3];
  result.headers = in.substr(begin, head);
  result.payload = in.substr(begin + head, all - head);
  result.size = begin + all + 2;
  return result;
}

std::string published(std::string_view subject, std::string_view reply, std::string_view payload) {
  std::string out = "PUB ";
  out += subject;
  out += ' ';
  out += reply;
  out += (reply.empty() ? "" : " ") + std::to_string(payload.size()) + "\r\n";
  out += payload;
  return out + "\r\n";
}

class nats_conversation final : public conversation {
 public:
  nats_conversation(const plan& what, std::size_t lane)
      : plan_(what),
        payload_(payload_of(what)),
        acks_("_INBOX.a" + std::to_string(lane) + "." + what.topic),
        pulls_("_INBOX.p" + std::to_string(lane) + "." + what.topic),
        stamps_(what.what == workload::end_to_end) {}

  void greet(std::string& out) override {
    out += "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";
    out += "SUB " + acks_ + " 1\r\nSUB " + pulls_ + " 2\r\nPING\r\n";
  }
  bool ready() const override { return ready_; }

  std::string publish_request(std::size_t) const override { return published(plan_.topic, acks_, payload_); }
  void expect_publishes(std::size_t) override {}
  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(0, stamp.size(), stamp);
    out += publish_request(0);
  }

  void fetch(std::string& out, std::size_t most, bool) override {
    pull(out, most, "\"no_wait\":true");
    wanted_ = most;
  }
  std::size_t settle(std::string& out, const token_list& replies) override {
    for (std::size_t i = 0; i < replies.size(); ++i) out += published(replies[i], "", "+ACK");
    return replies.size();
  }
  bool subscribe(std::string& out, std::size_t window) override {
    window_ = wanted_ = window;
    pull(out, window, "\"expires\":30000000000");
    return true;
  }

  std::size_t take(std::string_view in, std::string& out, heard& to) override {
    std::size_t taken = 0;
    for (;;) {
      const auto rest = in.substr(taken);
      const auto end = rest.find("\r\n");
      if (end == std::string_view::npos) return taken;
      const auto line = rest.substr(0, end);
      std::size_t size = end + 2;
      if (line.starts_with("MSG ") || line.starts_with("HMSG ")) {
        const auto message = cut_message(rest, line);
        if (message.size == 0) return taken;
        size = message.size;
        take_message(message, out, to);
      } else if (line == "PING") {
        out += "PONG\r\n";
      } else if (line == "PONG") {
        ready_ = true;
      } else if (line.starts_with("-ERR")) {
        throw run_error("NATS refuses: " + std::string(line));
      }
      taken += size;
    }
  }

 private:
  void pull(std::string& out, std::size_t most, const std::string& how) {
    out += published("$JS.API.CONSUMER.MSG.NEXT." + plan_.topic + ".c", pulls_,
                     "{\"batch\":" + std::to_string(most) + "," + how + "}");
  }

  void take_message(const nats_message& message, std::string& out, heard& to) {
    if (message.subject == acks_) {
      if (message.payload.find("\"error\"") != std::string_view::npos || !message.headers.empty())
        throw run_error("NATS refuses: " + std::string(message.payload) + std::string(message.headers));
      ++to.published;
      return;
    }
    // A status in place of a message ends a pull: nothing there (404), or its time is over (408).
    const bool status = !message.headers.empty() && message.reply.empty();
    if (!status) {
      auto& into = window_ > 0 ? to.messages : gathered_;
      ++into.count;
      into.tokens.add(message.reply);
      if (stamps_) into.stamps.emplace_back(message.payload.substr(0, stamp_size));
      if (--wanted_ > 0) return;
    } else if (message.headers.find(" 404") == std::string_view::npos &&
               message.headers.find(" 408") == std::string_view::npos) {
      throw run_error("NATS refuses: " + std::string(message.headers.substr(0, message.headers.find('\r'))));
    }
    end_pull(out, to);
  }

  void end_pull(std::string& out, heard& to) {
    if (window_ > 0) {
      wanted_ = window_;
      return pull(out, window_, "\"expires\":30000000000");
    }
    ++to.messages.fetches;
    to.messages.count += gathered_.count;
    for (std::size_t i = 0; i < gathered_.tokens.size(); ++i) to.messages.tokens.add(gathered_.tokens[i]);
    gathered_.clear();
  }

  const plan& plan_;
  std::string payload_;
  std::string acks_, pulls_;  // inboxes
  bool stamps_;
  bool ready_ = false;
  std::size_t window_ = 0;  // of a subscription; 0 = there is none
  std::size_t wanted_ = 0;  // messages of the running pull that did not come yet
  delivered gathered_;
};

class nats_dialect final : public dialect {
 public:
  explicit nats_dialect(const plan& what) : plan_(what) {}
  std::unique_ptr<conversation> begin(std::size_t lane) override {
    return std::make_unique<nats_conversation>(plan_, lane);
  }

  void set_up() override {
    const auto& name = plan_.topic;
    if (!plan_.keep && ask("$JS.API.STREAM.INFO." + name, "").find("\"error\"") == std::string::npos)
      throw run_error("NATS has a stream " + name + " already");
    const auto made = ask("$JS.API.STREAM.CREATE." + name,
                          "{\"name\":\"" + name + "\",\"subjects\":[\"" + name +
                              "\"],\"retention\":\"workqueue\",\"storage\":\"file\",\"num_replicas\":1,"
                              "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0}");
    if (made.find("\"error\"") != std::string::npos) throw run_error("NATS refuses: " + made);
    made_ = true;
    const auto consumer = ask("$JS.API.CONSUMER.DURABLE.CREATE." + name + ".c",
                              "{\"stream_name\":\"" + name +
                                  "\",\"config\":{\"durable_name\":\"c\",\"deliver_policy\":\"all\",\"ack_policy\":"
                                  "\"explicit\",\"ack_wait\":60000000000,\"max_ack_pending\":100000}}");
    if (consumer.find("\"error\"") != std::string::npos) throw run_error("NATS refuses: " + consumer);
  }
  void tear_down() override {
    if (made_ && !plan_.keep) ask("$JS.API.STREAM.DELETE." + plan_.topic, "");
  }
  std::optional<std::uint64_t> stored() override {
    const auto info = ask("$JS.API.STREAM.INFO." + plan_.topic, "");
    const std::string mark = "\"state\":{\"messages\":";
    const auto at = info.find(mark);
    if (at == std::string::npos) throw run_error("NATS refuses: " + info);
    const auto from = at + mark.size();
    return number_of(std::string_view(info).substr(from, info.find_first_not_of("0123456789", from) - from));
  }

 private:
  std::string ask(const std::string& subject, const std::string& request) {
    tcp_connection control(plan_.host, plan_.port);
    const auto inbox = "_INBOX.control." + plan_.topic;
    control.send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB " + inbox + " 1\r\n" +
                 published(subject, inbox, request));
    for (std::string in;;) {
      const auto end = in.find("\r\n");
      if (end == std::string::npos) {
        control.receive(in);
        continue;
      }
      const auto line = std::string_view(in).substr(0, end);
      std::size_t size = end + 2;
      if (line.starts_with("-ERR")) throw run_error("NATS refuses: " + std::string(line));
      if (line.starts_with("MSG ") || line.starts_with("HMSG ")) {
        const auto message = cut_message(in, line);
        if (message.size > 0 && !message.headers.empty()) throw run_error("NATS runs without JetStream");
        if (message.size > 0) return std::string(message.payload);
        control.receive(in);
        size = 0;
      }
      in.erase(0, size);
    }
  }

  const plan& plan_;
  bool made_ = false;
};

}  // namespace

std::unique_ptr<dialect> make_nats_dialect(const plan& what) { return std::make_unique<nats_dialect>(what); }

}  // namespace mqlite::load
