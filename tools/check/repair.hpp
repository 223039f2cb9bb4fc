#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persistence/log_copy.hpp"
#include "persistence/log_survey.hpp"
#include "proto/journal.pb.h"
#include "tools/check/record_feed.hpp"

namespace mqlite::check {

/// Copies the records that can be read into a log that is sound.
///
/// Most of what a gap swallows does no harm to what follows: records about messages that are not there are without effect. Three
/// things are taken care of. Messages of a topic whose creation is lost belong nowhere: they are left out, and counted. A topic may be
/// created again while the record of its deletion is lost: the deletion is put in. So is the creation of a namespace
/// that the log does not know, or knows as deleted, with a gap between that and the creation of a topic in it.
class repair {
 public:
  explicit repair(log_copy copy) : copy_(std::move(copy)) {}

  void take(const record_place& place, std::string_view body);

  /// Completes the copy. Why it could not be written, if so.
  std::optional<log_failure> finish();

  /// What was left out or put in: a line each, with the left-over files, gaps and torn tails of `survey`.
  std::string text(const log_survey& survey) const;

  std::uint64_t records() const { return records_; }

 private:
  using topic_name = std::pair<std::string, std::string>;  // namespace and name
  struct stray {
    std::uint64_t records = 0;
    std::uint64_t messages = 0;
  };

  void write(const record_place& place, std::string_view body);
  void on_event(const record_place& place, std::string_view body, const journal::Record& record);
  void on_namespace(const record_place& place, const journal::Record& record);
  void on_created(const record_place& place, const journal::TopicCreated& event);
  bool is_creation_lost(const record_place& place, const std::string& name_space) const;

  log_copy copy_;
  std::optional<log_failure> failed_;
  std::uint64_t records_ = 0;
  std::set<std::string> namespaces_;
  std::map<std::string, std::uint64_t> gone_namespaces_;  // deleted ones, and the gaps before that
  std::map<std::uint64_t, topic_name> topics_;
  std::map<topic_name, std::uint64_t> by_name_;
  std::set<std::uint64_t> gone_;           // topics that the log knows to be deleted
  std::map<std::uint64_t, stray> strays_;  // by topics whose creation is not there
  std::vector<std::string> put_in_;
};

}  // namespace mqlite::check
