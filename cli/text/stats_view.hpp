#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <string>
#include <string_view>

/// What the broker says of itself, for people.
namespace mqlite::cli {

/// Reads what GetStats answers. Throws std::runtime_error when it is no JSON object.
boost::json::object read_stats(std::string_view json);

/// All of it, a line for each subject.
std::string describe_stats(const boost::json::object& stats);

/// Which topics a table shows: all, those of a namespace, or one.
struct topic_filter {
  std::string name_space;
  std::string topic;
};

/// Takes the other topics out of `stats`.
void keep_topics(boost::json::object& stats, const topic_filter& filter);

/// How the broker is and what its topics hold, with rates: what happened since `before`, which lies `between` back.
std::string overview(const boost::json::object& now, const boost::json::object& before,
                     std::chrono::milliseconds between, const topic_filter& filter);

}  // namespace mqlite::cli
