#include "cli/text/stats_view.hpp"

#include <doctest/doctest.h>

using namespace mqlite::cli;
using namespace std::chrono_literals;

namespace {

/// Statistics of two topics, after `published` messages.
boost::json::object stats_after(
    int published, const std::string& log = R"({"enabled":true,"healthy":true,"bytes":2048,"fsync":"no"})") {
  const auto count = std::to_string(published);
  return read_stats(R"({"version":"1.2.3","uptime_ms":3600000,"totals":{"published":)" + count +
                    R"(,"delivered":5},"log":)" + log +
                    R"(,"memory":{"resident_bytes":1048576},"connections":{"http":2},)"
                    R"("topics":[{"namespace":"b","name":"t","queue_count":1,"ready":1234,"published":)" +
                    count + R"(},{"namespace":"a","name":"u","queue_count":3,"published":0}]})");
}

}  // namespace

TEST_CASE("rates are what was counted between two looks") {
  CHECK(overview(stats_after(250), stats_after(50), 2s, {}) ==
        "MQLite 1.2.3  up 1h  log 2.0 KB, fsync no  memory 1.0 MB\n"
        "published 100/s  delivered 0/s  acknowledged 0/s\n"
        "\n"
        "NAMESPACE  TOPIC  QUEUES  READY  LEASED  DELAYED  DEAD  CONSUMERS  PUBLISHED/S  DELIVERED/S  ACKED/S\n"
        "a          u           3      0       0        0     0          0            0            0        0\n"
        "b          t           1  1,234       0        0     0          0          100            0        0\n");
}

TEST_CASE("a broker that was restarted in between has no negative rates") {
  CHECK(overview(stats_after(0), stats_after(50), 1s, {}).find("published 0/s") != std::string::npos);
}

TEST_CASE("the table shows what it is asked for") {
  const auto stats = stats_after(0);
  const auto shows = [&](const topic_filter& filter, const char* row) {
    return overview(stats, stats, 1s, filter).find(row) != std::string::npos;
  };
  CHECK(shows({"b", ""}, "\nb  "));
  CHECK_FALSE(shows({"b", ""}, "\na  "));
  CHECK(shows({"a", "u"}, "\na  "));
  CHECK_FALSE(shows({"a", "t"}, "\na  "));
}

TEST_CASE("trouble with the log is not to be overlooked") {
  const auto stats = stats_after(0, R"({"enabled":true,"healthy":false,"problem":"disk full\u001b[0m"})");
  CHECK(describe_stats(stats).find("LOG CANNOT BE WRITTEN: disk full\\x1b[0m") != std::string::npos);
}

TEST_CASE("what a broker leaves out counts as nothing, what is no JSON is refused") {
  CHECK(describe_stats(read_stats("{}")).find("0 published") != std::string::npos);
  CHECK_THROWS_AS(read_stats("[1]"), std::runtime_error);
  CHECK_THROWS_AS(read_stats("{"), std::runtime_error);
}

TEST_CASE("other topics are taken out") {
  const auto left = [](const topic_filter& filter) {
    auto stats = stats_after(0);
    keep_topics(stats, filter);
    return stats.at("topics").as_array().size();
  };
  CHECK(left({}) == 2);
  CHECK(left({"b", ""}) == 1);
  CHECK(left({"a", "u"}) == 1);
  CHECK(left({"a", "t"}) == 0);
}
