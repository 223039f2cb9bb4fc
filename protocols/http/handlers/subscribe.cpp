#include <deque>

#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"
#include "protocols/translate/json_text.hpp"

/// Server-sent events (the HTML standard, section 9.2).
namespace mqlite {
namespace {

/// Bytes that one write gathers.
constexpr std::size_t gathered = 128 * 1024;

/// Appends `text` as `data:` lines. Line ends are white space of the JSON here, so that nothing is lost with them.
void append_data(std::string& out, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    out += "data: ";
    out += text.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// Takes a subscription's messages and gives them to the connection as fast as that writes. What waits here is bounded by the
/// subscription's window, and returns to its queue when the connection ends.
class event_stream final : public subscriber_sink, public stream_source {
 public:
  event_stream(const std::shared_ptr<exchange>& connection, const path_names& names)
      : connection_(connection), name_space_(names.name_space), topic_(names.topic) {}

  void hold(subscription running) { subscription_ = std::move(running); }

  void deliver(consumed messages) override {
    if (over_) return;
    waiting_.push_back(std::move(messages));
    wake();
  }

  void closed(failure why) override {
    end_ = "event: closed\ndata: {";
    append_failure_members(end_, why);
    end_ += "}\n\n";
    ended_ = true;
    wake();
  }

  bool fill(std::string& out, std::vector<consumed>& sent) override {
    while (!stopping_ && !waiting_.empty() && out.size() < gathered) {
      for (const auto& message : waiting_.front().deliveries) append_event(out, message);
      sent.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (stopping_)
      out += "event: shutdown\ndata: {}\n\n";
    else if (ended_ && waiting_.empty())
      out += end_;
    else
      return true;
    return false;
  }

  void shut_down() override {
    stopping_ = true;
    disconnected();
  }

  // The subscription holds this as its sink, so that it has to be ended: nothing would destroy it.
  void disconnected() override {
    over_ = true;
    waiting_.clear();
    subscription_.end();
  }

 private:
  void wake() {
    if (const auto to = connection_.lock()) to->wake_stream();
  }

  void append_event(std::string& out, const delivery& message) {
    out += "event: message\nid: ";
    out += message.message->id().text();
    out += '\n';
    text_.clear();
    append_message(text_, {name_space_, topic_}, message);
    append_data(out, text_);
    out += '\n';
  }

  std::weak_ptr<exchange> connection_;
  std::string name_space_;
  std::string topic_;
  subscription subscription_;
  std::deque<consumed> waiting_;
  std::string text_;
  std::string end_;
  bool ended_ = false;     // the queue or the broker said that nothing comes
  bool stopping_ = false;  // the server is
  bool over_ = false;      // nothing is taken any more
};

void subscribe(exchange& x, const path_names& names) {
  bool auto_ack = false;
  std::int64_t window = usual_in_flight;
  if (!read_query(x, "auto_ack", auto_ack) || !read_query(x, "max_in_flight", 1, most_in_flight, window)) return;
  auto stream = std::make_shared<event_stream>(x.shared_from_this(), names);
  auto then = [to = x.shared_from_this(), stream](outcome<subscription> running) {
    if (!running) return refuse(*to, running.why());
    stream->hold(std::move(*running));
    to->stream(stream);
  };
  x.broker().subscribe(names.name_space, names.topic, names.queue, auto_ack, static_cast<std::size_t>(window), stream,
                       std::move(then));
}

}  // namespace

void subscribe_to_queue(exchange& x) {
  if (const auto names = queue_in_path(x)) subscribe(x, *names);
}

void subscribe_to_topic(exchange& x) {
  if (const auto names = topic_in_path(x)) subscribe(x, *names);
}

}  // namespace mqlite
