#include <deque>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

/// Redis Streams: XADD; XREADGROUP; XACK and XDEL.
namespace mqlite::load {
namespace {

/// Reads replies (RESP2) without a tree.
class reply_cursor {
 public:
  explicit reply_cursor(std::string_view in) : in_(in) {}

  /// One element: its type, the number or length it begins with, and the text of a string. False where a part is missing.
  bool next(char& type, std::int64_t& number, std::string_view& text) {
    const auto end = in_.find("\r\n", at_);
    if (end == std::string_view::npos) return false;
    type = in_[at_];
    number = 0;
    const bool negative = in_[at_ + 1] == '-';
    for (auto i = at_ + (negative ? 2 : 1); i < end && type != '-' && type != '+'; ++i)
      number = number * 10 + (in_[i] - '0');
    if (negative) number = -number;
    text = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 2;
    if (type != '$' || number < 0) return true;
    const auto size = static_cast<std::size_t>(number);
    if (in_.size() < at_ + size + 2) return false;
    text = in_.substr(at_, size);
    at_ += size + 2;
    return true;
  }
  std::size_t taken() const noexcept { return at_; }

 private:
  std::string_view in_;
  std::size_t at_ = 0;
};

std::string command(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out += word;
    out += "\r\n";
  }
  return out;
}

enum class asked { publish, fetch, ack, remove };

class redis_conversation final : public conversation {
 public:
  redis_conversation(const plan& what, std::size_t lane)
      : plan_(what),
        payload_(payload_of(what)),
        consumer_("c" + std::to_string(lane)),
        stamps_(what.what == workload::end_to_end) {}

  std::string publish_request(std::size_t) const override { return command({"XADD", plan_.topic, "*", "p", payload_}); }
  void expect_publishes(std::size_t requests) override { expect(asked::publish, requests); }
  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(0, stamp.size(), stamp);
    out += publish_request(0);
    expect(asked::publish, 1);
  }

  void fetch(std::string& out, std::size_t most, bool wait) override {
    const auto count = std::to_string(most);
    if (wait)
      out += command(
          {"XREADGROUP", "GROUP", "g", consumer_, "COUNT", count, "BLOCK", "10000", "STREAMS", plan_.topic, ">"});
    else
      out += command({"XREADGROUP", "GROUP", "g", consumer_, "COUNT", count, "STREAMS", plan_.topic, ">"});
    expect(asked::fetch, 1);
  }

  std::size_t settle(std::string& out, const token_list& ids) override {
    std::string list;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      list += "$" + std::to_string(ids[i].size()) + "\r\n";
      list += ids[i];
      list += "\r\n";
    }
    const auto key = "$" + std::to_string(plan_.topic.size()) + "\r\n" + plan_.topic + "\r\n";
    out += "*" + std::to_string(ids.size() + 3) + "\r\n$4\r\nXACK\r\n" + key + "$1\r\ng\r\n" + list;
    out += "*" + std::to_string(ids.size() + 2) + "\r\n$4\r\nXDEL\r\n" + key + list;
    expect(asked::ack, 1);
    expect(asked::remove, 1);
    return 0;
  }

  std::size_t take(std::string_view in, std::string&, heard& to) override {
    std::size_t taken = 0;
    while (taken < in.size() && !expected_.empty()) {
      const auto size = take_reply(in.substr(taken), to);
      if (size == 0) break;
      taken += size;
      if (--expected_.front().second == 0) expected_.pop_front();
    }
    return taken;
  }

 private:
  void expect(asked what, std::size_t times) {
    if (!expected_.empty() && expected_.back().first == what)
      expected_.back().second += times;
    else
      expected_.emplace_back(what, times);
  }

  /// One reply to what is expected first; 0 where a part is missing.
  std::size_t take_reply(std::string_view in, heard& to) {
    reply_cursor cursor(in);
    char type = 0;
    std::int64_t number = 0;
    std::string_view text;
    if (!cursor.next(type, number, text)) return 0;
    if (type == '-') throw run_error("Redis refuses: " + std::string(text));
    switch (expected_.front().first) {
      case asked::publish:
        ++to.published;
        break;
      case asked::ack:
        break;
      case asked::remove:
        to.settled += static_cast<std::size_t>(number);
        break;
      case asked::fetch:
        if (number > 0 && !take_entries(cursor, to)) return 0;
        ++to.messages.fetches;
        break;
    }
    return cursor.taken();
  }

  /// Behind the outer `*1`: `*2`, the stream's name, the entries; each is `*2`, its id, `*2`, field, value.
  bool take_entries(reply_cursor& cursor, heard& to) {
    char type = 0;
    std::int64_t count = 0, number = 0;
    std::string_view text;
    const auto skip = [&](int n) {
      while (n-- > 0)
        if (!cursor.next(type, number, text)) return false;
      return true;
    };
    found_.clear();
    if (!skip(2) || !cursor.next(type, count, text)) return false;
    for (; count > 0; --count) {
      std::string_view id;
      if (!skip(1) || !cursor.next(type, number, id) || !skip(3)) return false;
      found_.emplace_back(id, text);
    }
    for (const auto& [id, payload] : found_) {
      to.messages.tokens.add(id);
      if (stamps_) to.messages.stamps.emplace_back(payload.substr(0, stamp_size));
    }
    to.messages.count += found_.size();
    return true;
  }

  const plan& plan_;
  std::string payload_;
  std::string consumer_;
  bool stamps_;
  std::deque<std::pair<asked, std::size_t>> expected_;  // and how often
  std::vector<std::pair<std::string_view, std::string_view>> found_;
};

class redis_dialect final : public dialect {
 public:
  explicit redis_dialect(const plan& what) : plan_(what) {}
  std::unique_ptr<conversation> begin(std::size_t lane) override {
    return std::make_unique<redis_conversation>(plan_, lane);
  }

  void set_up() override {
    if (ask({"EXISTS", plan_.topic}) == 1) {
      if (plan_.keep) return;
      throw run_error("Redis has a key " + plan_.topic + " already");
    }
    made_ = true;
    ask({"XGROUP", "CREATE", plan_.topic, "g", "0", "MKSTREAM"});
  }
  void tear_down() override {
    if (made_ && !plan_.keep) ask({"UNLINK", plan_.topic});
  }
  std::optional<std::uint64_t> stored() override { return static_cast<std::uint64_t>(ask({"XLEN", plan_.topic})); }

 private:
  std::int64_t ask(std::initializer_list<std::string_view> words) {
    tcp_connection control(plan_.host, plan_.port);
    control.send(command(words));
    std::string in;
    char type = 0;
    std::int64_t number = 0;
    std::string_view text;
    do control.receive(in);
    while (!reply_cursor(in).next(type, number, text));
    if (type != ':' && type != '+') throw run_error("Redis refuses: " + std::string(text));
    return number;
  }

  const plan& plan_;
  bool made_ = false;
};

}  // namespace

std::unique_ptr<dialect> make_redis_dialect(const plan& what) { return std::make_unique<redis_dialect>(what); }

}  // namespace mqlite::load
