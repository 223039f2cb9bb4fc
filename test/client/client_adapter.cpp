// A client of the CAF door for tests in other languages: takes the commands of the TCP protocol's JSON as lines, and answers them as
// lines. Usage: client_adapter HOST:PORT [PATIENCE_MS]
//   {"action":"publish","id":1,"data":{...}}  ->  {"status":"ok","id":1,"data":...} or {"status":"error","id":1,"code":"...","error":"..."}
// Pushed messages come as {"status":"ok","event":"message","data":...}, the end of a subscription as {"status":"error","event":
// "closed",...}. `connect` waits for the broker, `is_connected` asks.
#include <caf/init_global_meta_objects.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include "actors/compat.hpp"
#include "adapter_json.hpp"
#include "mqlite/client.hpp"

namespace {

using namespace mqlite::client;
using mqlite::adapter::fields;

std::mutex output;

void say(const std::string& line) {
  const std::lock_guard lock(output);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

/// Prints what it is sent.
class printer_state {
 public:
  printer_state(subscriber_actor::pointer, std::string name_space, std::string topic)
      : name_space_(std::move(name_space)), topic_(std::move(topic)) {}
  subscriber_actor::behavior_type make_behavior() {
    return {
        [this](delivered& event) {
          for (const auto& one : event.messages) {
            std::string line = R"({"status":"ok","event":"message","data":)";
            mqlite::adapter::append(line, one, name_space_, topic_);
            say(line + "}");
          }
        },
        [](const closed& event) {
          std::string line = R"({"status":"error","event":"closed",)";
          mqlite::adapter::append_problem(line, {event.code, event.text}, "error");
          say(line + "}");
        },
    };
  }
  static inline const char* name = "printer";

 private:
  std::string name_space_;
  std::string topic_;
};

class adapter {
 public:
  adapter(std::string host, std::uint16_t port, std::chrono::milliseconds patience)
      : system_(config_), broker_(system_, options(std::move(host), port, patience)) {}
  ~adapter() {
    subscriptions_.clear();
    for (const auto& one : printers_) mqlite::stop(one);
  }

  /// The value of `data`; empty where there is none.
  result<std::string> carry_out(const std::string& action, const fields& in);

 private:
  struct config : caf::actor_system_config {
    config() { configure(*this); }
  };

  static connect_options options(std::string host, std::uint16_t port, std::chrono::milliseconds patience) {
    connect_options result;
    result.host = std::move(host);
    result.port = port;
    result.patience = patience;
    return result;
  }

  topic at(const fields& in) { return broker_.topic(in.text("namespace"), in.text("topic")); }
  topic named(const fields& in) { return broker_.topic(in.text("namespace"), in.text("name")); }
  result<std::string> subscribe(const fields& in);
  result<std::string> publish_one(const fields& in);
  result<std::string> publish_many(const fields& in);
  result<std::string> settle(const std::string& action, const fields& in);

  config config_;
  caf::actor_system system_;
  connection broker_;
  std::map<std::string, subscription> subscriptions_;
  std::vector<subscriber_actor> printers_;
};

template <class T, class Write>
result<std::string> written(const result<T>& how, Write write) {
  if (!how) return how.why();
  std::string out;
  write(out, *how);
  return out;
}

std::string key_of(const fields& in) {
  return in.text("namespace") + "/" + in.text("topic") + "/" + std::to_string(in.number("queue_id").value_or(0));
}

result<std::string> adapter::subscribe(const fields& in) {
  subscribe_options options;
  options.auto_ack = in.flag("auto_ack");
  options.queue = in.number("queue_id").value_or(usual_queue);
  options.max_in_flight = in.number("max_in_flight").value_or(options.max_in_flight);
  printers_.push_back(
      mqlite::spawn_state<subscriber_actor, printer_state>(system_, in.text("namespace"), in.text("topic")));
  auto running = at(in).subscribe(printers_.back(), options);
  if (!running) return running.why();
  subscriptions_[key_of(in)] = std::move(*running);
  return std::string();
}

result<std::string> adapter::publish_one(const fields& in) {
  auto message = in.message();
  if (!message) return message.why();
  return written(at(in).publish(std::move(*message)),
                 [](auto& out, const published& where) { mqlite::adapter::append(out, where); });
}

result<std::string> adapter::publish_many(const fields& in) {
  std::vector<draft> messages;
  for (const auto& one : in.objects("messages")) {
    auto message = one.message();
    if (!message) return message.why();
    messages.push_back(std::move(*message));
  }
  return written(at(in).publish(std::move(messages)),
                 [](auto& out, const auto& all) { mqlite::adapter::append_list(out, all); });
}

result<std::string> adapter::settle(const std::string& action, const fields& in) {
  const auto queue = in.number("queue_id").value_or(usual_queue);
  auto ids = in.texts("message_ids");
  auto topic = at(in);
  const auto how = action == "ack" ? topic.ack(std::move(ids), queue)
                   : action == "nack"
                       ? topic.nack(std::move(ids), in.duration("delay_ms").value_or(milliseconds(0)), queue)
                       : topic.extend(std::move(ids), in.duration("lease_ms"), queue);
  return written(how, [&](auto& out, const settled& s) { mqlite::adapter::append(out, s, action); });
}

result<std::string> adapter::carry_out(const std::string& action, const fields& in) {
  const auto nothing = [](auto&, const done&) {};
  const auto counted_as = [](const char* name) {
    return [name](std::string& out, std::uint64_t n) {
      out += "{\"" + std::string(name) + "\":" + std::to_string(n) + "}";
    };
  };
  const auto name_space = in.text("namespace");
  const auto list = [&](auto& out, const std::vector<peeked>& all) {
    mqlite::adapter::append_messages(out, all, name_space, in.text("topic"));
  };
  if (action == "connect") return written(broker_.wait_until_connected(), nothing);
  if (action == "is_connected") return std::string(broker_.is_connected() ? "true" : "false");
  if (action == "create_namespace") return written(broker_.create_namespace(in.text("name")), nothing);
  if (action == "delete_namespace") return written(broker_.delete_namespace(in.text("name")), nothing);
  if (action == "list_namespaces")
    return written(broker_.list_namespaces(),
                   [](auto& out, const auto& names) { mqlite::adapter::append_list(out, names); });
  if (action == "create_topic")
    return written(
        broker_.create_topic(name_space, in.text("name"), in.number("queue_count").value_or(1), in.settings()),
        nothing);
  if (action == "delete_topic") return written(broker_.delete_topic(name_space, in.text("name")), nothing);
  if (action == "list_topics")
    return written(broker_.list_topics(name_space),
                   [](auto& out, const auto& all) { mqlite::adapter::append_list(out, all); });
  if (action == "get_topic")
    return written(named(in).details(), [](auto& out, const topic_details& d) { mqlite::adapter::append(out, d); });
  if (action == "update_topic") return written(named(in).update(in.settings()), nothing);
  if (action == "resize_topic")
    return written(named(in).resize(in.number("new_queue_count").value_or(0)),
                   [](auto& out, const resized& how) { mqlite::adapter::append(out, how); });
  if (action == "rebalance_topic") return written(named(in).rebalance(), nothing);
  if (action == "publish") return publish_one(in);
  if (action == "publish_batch") return publish_many(in);
  if (action == "consume")
    return written(at(in).consume(in.consuming()), [&](auto& out, const std::vector<message>& all) {
      mqlite::adapter::append_messages(out, all, name_space, in.text("topic"));
    });
  if (action == "subscribe") return subscribe(in);
  if (action == "unsubscribe") return written(subscriptions_[key_of(in)].end(), nothing);
  if (action == "ack" || action == "nack" || action == "extend") return settle(action, in);
  if (action == "peek")
    return written(at(in).peek(in.number("limit").value_or(10), in.text("state", "ready"),
                               in.number("queue_id").value_or(usual_queue)),
                   list);
  if (action == "purge")
    return written(at(in).purge(in.number("queue_id").value_or(usual_queue)), counted_as("purged"));
  if (action == "list_dead") return written(at(in).list_dead(in.number("limit").value_or(10)), list);
  if (action == "redrive_dead")
    return written(at(in).redrive_dead(in.texts_or_none("message_ids")), counted_as("redriven"));
  if (action == "purge_dead") return written(at(in).purge_dead(), counted_as("purged"));
  if (action == "stats") return broker_.stats();
  return failure{errc::invalid_argument, "unknown action " + action};
}

std::string answer_to(const result<std::string>& how, std::string_view id) {
  std::string line = how ? R"({"status":"ok","id":)" : R"({"status":"error","id":)";
  line += id;
  if (!how) {
    line += ',';
    mqlite::adapter::append_problem(line, how.why(), "error");
  } else if (!how->empty()) {
    line += ",\"data\":" + *how;
  }
  return line + "}";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 1 ? argv[1] : "";
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) {
    std::fputs("usage: client_adapter HOST:PORT [PATIENCE_MS]\n", stderr);
    return 2;
  }
  caf::core::init_global_meta_objects();
  init_types();
  adapter client(address.substr(0, colon), static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))),
                 std::chrono::milliseconds(argc > 2 ? std::stoi(argv[2]) : 10'000));
  for (std::string line; std::getline(std::cin, line);) {
    const fields command(line);
    say(answer_to(client.carry_out(command.text("action"), command.object("data")), command.raw("id")));
  }
  return 0;
}
