#include <algorithm>
#include <deque>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

/// beanstalkd: put; reserve; delete. A fetch of many is as many reserves in one write.
namespace mqlite::load {
namespace {

/// What follows `prefix` in a line that is to begin with it.
std::string_view rest_of(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix)) throw run_error("beanstalkd refuses: " + std::string(line));
  return line.substr(prefix.size());
}

class beanstalkd_conversation final : public conversation {
 public:
  explicit beanstalkd_conversation(const plan& what)
      : plan_(what), payload_(payload_of(what)), stamps_(what.what == workload::end_to_end) {}

  void greet(std::string& out) override { out += "use " + plan_.topic + "\r\nwatch " + plan_.topic + "\r\n"; }
  bool ready() const override { return greetings_ == 2; }

  std::string publish_request(std::size_t) const override {
    return "put 1000 0 120 " + std::to_string(payload_.size()) + "\r\n" + payload_ + "\r\n";
  }
  void expect_publishes(std::size_t) override {}
  void publish_stamped(std::string& out, std::string_view stamp) override {
    payload_.replace(0, stamp.size(), stamp);
    out += publish_request(0);
  }

  void fetch(std::string& out, std::size_t most, bool wait) override {
    if (wait) most = 1;  // a server that waits holds back the answers behind
    for (std::size_t i = 0; i < most; ++i) out += wait ? "reserve-with-timeout 10\r\n" : "reserve-with-timeout 0\r\n";
    fetches_.push_back(most);
  }
  std::size_t settle(std::string& out, const token_list& ids) override {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      out += "delete ";
      out += ids[i];
      out += "\r\n";
    }
    return 0;
  }

  std::size_t take(std::string_view in, std::string&, heard& to) override {
    std::size_t taken = 0;
    for (;;) {
      const auto rest = in.substr(taken);
      const auto end = rest.find("\r\n");
      if (end == std::string_view::npos) return taken;
      const auto size = take_line(rest, rest.substr(0, end), to);
      if (size == 0) return taken;
      taken += size;
    }
  }

 private:
  /// The size of the answer that begins with `line`; 0 where a part is missing.
  std::size_t take_line(std::string_view in, std::string_view line, heard& to) {
    switch (line.empty() ? ' ' : line.front()) {
      case 'I':
        rest_of(line, "INSERTED "), ++to.published;
        break;
      case 'D':
        rest_of(line, "DELETED"), ++to.settled;
        break;
      case 'U':
        rest_of(line, "USING "), ++greetings_;
        break;
      case 'W':
        rest_of(line, "WATCHING "), ++greetings_;
        break;
      case 'T':
        rest_of(line, "TIMED_OUT"), answered(to);
        break;
      default:
        return take_job(in, line, to);
    }
    return line.size() + 2;
  }

  std::size_t take_job(std::string_view in, std::string_view line, heard& to) {
    const auto rest = rest_of(line, "RESERVED ");
    const auto space = rest.find(' ');
    const auto size = line.size() + 2 + number_of(rest.substr(space + 1)) + 2;
    if (in.size() < size) return 0;
    ++gathered_.count;
    gathered_.tokens.add(rest.substr(0, space));
    if (stamps_) gathered_.stamps.emplace_back(in.substr(line.size() + 2, stamp_size));
    answered(to);
    return size;
  }

  /// One reserve was answered; the last one of a fetch ends it.
  void answered(heard& to) {
    if (fetches_.empty()) throw run_error("beanstalkd answers what was not asked");
    if (--fetches_.front() > 0) return;
    fetches_.pop_front();
    to.messages.fetches += 1;
    to.messages.count += gathered_.count;
    for (std::size_t i = 0; i < gathered_.tokens.size(); ++i) to.messages.tokens.add(gathered_.tokens[i]);
    for (auto& stamp : gathered_.stamps) to.messages.stamps.push_back(std::move(stamp));
    gathered_.clear();
  }

  const plan& plan_;
  std::string payload_;
  bool stamps_;
  int greetings_ = 0;
  std::deque<std::size_t> fetches_;  // reserves of each that are not answered
  delivered gathered_;
};

class beanstalkd_dialect final : public dialect {
 public:
  explicit beanstalkd_dialect(const plan& what) : plan_(what) {}
  std::unique_ptr<conversation> begin(std::size_t) override { return std::make_unique<beanstalkd_conversation>(plan_); }

  void set_up() override {
    if (!plan_.keep && stored() != 0) throw run_error("beanstalkd has jobs in tube " + plan_.topic + " already");
  }
  /// A tube goes with its last job.
  void tear_down() override {
    if (plan_.keep) return;
    tcp_connection control(plan_.host, plan_.port);
    control.send("watch " + plan_.topic + "\r\n");
    std::string in;
    while (in.find("\r\n") == std::string::npos) control.receive(in);
    for (bool more = true; more;) {
      std::string requests, out;
      for (int i = 0; i < batch; ++i) requests += "reserve-with-timeout 0\r\n";
      control.send(requests);
      const auto ids = reserve(control, more);
      for (const auto& id : ids) out += "delete " + id + "\r\n";
      control.send(out);
      std::string answers;
      while (static_cast<std::size_t>(std::count(answers.begin(), answers.end(), '\n')) < ids.size())
        control.receive(answers);
    }
  }
  std::optional<std::uint64_t> stored() override {
    tcp_connection control(plan_.host, plan_.port);
    control.send("stats-tube " + plan_.topic + "\r\n");
    std::string in;
    while (in.find("\r\n") == std::string::npos) control.receive(in);
    if (in.starts_with("NOT_FOUND")) return 0;
    const auto size = in.find("\r\n") + 2 + number_of(rest_of(in, "OK ")) + 2;
    while (in.size() < size) control.receive(in);
    std::uint64_t sum = 0;
    for (const auto* state : {"jobs-ready: ", "jobs-reserved: ", "jobs-delayed: "})
      sum += number_of(std::string_view(in).substr(in.find(state) + std::string_view(state).size()));
    return sum;
  }

 private:
  static constexpr int batch = 1000;

  /// The ids of what a batch of reserves brought; `more` becomes false at the end.
  static std::vector<std::string> reserve(tcp_connection& control, bool& more) {
    std::string in;
    std::vector<std::string> ids;
    for (int answers = 0; answers < batch;) {
      const auto end = in.find("\r\n");
      if (end == std::string::npos) {
        control.receive(in);
        continue;
      }
      std::size_t size = end + 2;
      if (in.starts_with("TIMED_OUT")) {
        more = false;
      } else {
        const std::string line(rest_of(std::string_view(in).substr(0, end), "RESERVED "));
        const auto space = line.find(' ');
        size += number_of(std::string_view(line).substr(space + 1)) + 2;
        while (in.size() < size) control.receive(in);
        ids.push_back(line.substr(0, space));
      }
      in.erase(0, size);
      ++answers;
    }
    return ids;
  }

  const plan& plan_;
};

}  // namespace

std::unique_ptr<dialect> make_beanstalkd_dialect(const plan& what) {
  return std::make_unique<beanstalkd_dialect>(what);
}

}  // namespace mqlite::load
