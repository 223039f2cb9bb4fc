#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/message_id.hpp"
#include "persistence/record_visitor.hpp"
#include "tools/check/record_feed.hpp"

namespace mqlite::check {

/// Collects what the log says of one message, in the order of the log.
class message_history final : public record_visitor {
 public:
  /// `feed` says where each record stands.
  message_history(const message_id& id, const record_feed& feed) : id_(id), feed_(feed) {}

  void on_record(const journal::Record& record) override;
  void on_published(std::uint64_t topic, const stored_message_view& message) override;

  /// One line for each event: its file, its offset, what happened. Empty when the log does not know the message.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  /// Where in a list of ids the message stands; -1 when it does not.
  int position_in(const std::string& ids) const;
  void add(const std::string& what);
  void topic_ended(std::uint64_t topic, const std::string& how);
  std::string name_of(std::uint64_t topic) const;
  void on_event(const journal::Record& record);

  message_id id_;
  const record_feed& feed_;
  std::map<std::uint64_t, std::pair<std::string, std::string>> topics_;  // namespace and name
  std::uint64_t topic_ = 0;                                              // the message's
  std::vector<std::string> lines_;
};

}  // namespace mqlite::check
