#include "cli/completion.hpp"

#include <doctest/doctest.h>

#include "cli/command_line.hpp"
#include "cli/errors.hpp"

using namespace mqlite::cli;
using list = std::vector<std::string>;

namespace {

list complete(std::string_view line) {
  const command_line grammar;
  name_sources names;
  names.namespaces = [] { return list{"test", "production", "preview"}; };
  names.topics = [](const std::string& name_space) { return name_space == "test" ? list{"orders", "mails"} : list{}; };
  return completions(grammar.app(), line, names);
}

bool contains(const list& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("the first word becomes a command, the next one what it has below it") {
  CHECK(complete("nam") == list{"namespace"});
  CHECK(complete("p") == list{"peek", "publish", "purge"});
  CHECK(complete("topic re") == list{"rebalance", "resize"});
  CHECK(complete("dead ") == list{"list", "purge", "redrive"});
  CHECK(contains(complete(""), "subscribe"));
}

TEST_CASE("operands become namespaces and topics") {
  CHECK(complete("topic get p") == list{"preview", "production"});
  CHECK(complete("consume test ") == list{"mails", "orders"});
  CHECK(complete("consume test o") == list{"orders"});
  CHECK(complete("consume production o").empty());
  CHECK(complete("consume test orders ").empty());
}

TEST_CASE("flags complete wherever they stand and do not count as operands") {
  CHECK(complete("consume --au") == list{"--auto-ack"});
  CHECK(complete("consume --auto-ack --batch 3 test ma") == list{"mails"});
  CHECK(complete("--json topic list te") == list{"test"});
  CHECK(complete("consume --batch ").empty());
  CHECK(contains(complete("peek --"), "--json"));
}

TEST_CASE("a line whose quotes are open completes to nothing") { CHECK(complete("consume 'te").empty()); }

TEST_CASE("what completions have in common is added at once") {
  CHECK(common_start({}) == "");
  CHECK(common_start({"orders"}) == "orders");
  CHECK(common_start({"preview", "production"}) == "pr");
  CHECK(common_start({"a", "b"}) == "");
}

TEST_CASE("a wrong line says what is wrong with it") {
  const auto problem = [](const list& words) -> std::string {
    command_line line;
    try {
      line.parse(words);
    } catch (const bad_usage& error) {
      return error.what();
    }
    return "";
  };
  CHECK(problem({"consume", "test", "orders"}) == "");
  CHECK(problem({"pubish"}) == "unknown command `pubish`; did you mean `publish`?");
  CHECK(problem({"--json", "topic", "resise"}) == "unknown command `resise`; did you mean `resize`?");
  CHECK(problem({"topic"}).find("subcommand") != std::string::npos);
  CHECK(problem({"topic", "get", "test"}) == "TOPIC is required (mqlite_cli topic get --help)");
  CHECK(problem({"consume", "test", "orders", "x"}) ==
        "QUEUE must be a whole number of 0 or more, or any, not `x` (mqlite_cli consume --help)");
  CHECK(problem({"consume", "test", "orders", "--wait", "5"}).find("must be a duration") != std::string::npos);
  CHECK(problem({"stats", "--address", "localhost"}).find("must be HOST:PORT") != std::string::npos);
  CHECK(problem({"stats", "--json", "--raw"}) == "--json and --raw exclude each other");
}
