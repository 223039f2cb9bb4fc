#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations.hpp"
#include "protocols/translate/requests.hpp"

/// What clients are told, appended to `out` as JSON: the values of `data`, the same over HTTP and TCP.
namespace mqlite {

/// Where messages come from. Names need no escaping.
struct message_origin {
  std::string_view name_space;
  std::string_view topic;
};

/// As settings are told.
inline std::int64_t whole_milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// Why a message is a dead letter, as clients read it.
std::string_view name_of(dead_reason reason) noexcept;

void append_message(std::string& out, const message_origin& from, const delivery& message);
void append_messages(std::string& out, const message_origin& from, const std::vector<delivery>& messages);
/// Messages that were looked at; dead letters with `reason` and `dead_at` (unix nanoseconds).
void append_messages(std::string& out, const message_origin& from, const std::vector<peeked>& messages);

void append_published(std::string& out, const published& where);
/// `{"code","message"}` without braces around it.
void append_failure_members(std::string& out, const failure& why);

void append_settled(std::string& out, settlement what, const settled& result, const named_messages& named);
void append_names(std::string& out, const std::vector<std::string>& names);
void append_topic_info(std::string& out, const topic_info& info);
void append_topics(std::string& out, const std::vector<topic_info>& topics);
void append_topic_details(std::string& out, const topic_details& details);
void append_resized(std::string& out, const resized& result);
void append_backed_up(std::string& out, const backed_up& result);
/// `{"<name>":<count>}`, as in `{"purged":3}`.
void append_count(std::string& out, std::string_view name, std::uint64_t count);

}  // namespace mqlite
