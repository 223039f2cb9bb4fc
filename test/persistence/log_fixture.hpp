#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "persistence/log_writer.hpp"
#include "persistence/manifest.hpp"
#include "persistence/published_record.hpp"
#include "persistence/record.hpp"
#include "persistence/recovery.hpp"

namespace mqlite::test {

/// Keeps what it visits as text: `created NAME` for a namespace, `TOPIC:PAYLOAD` for a message, `other` for anything else.
class recording_visitor final : public record_visitor {
 public:
  void on_record(const journal::Record& record) override {
    events.push_back(record.has_namespace_created() ? "created " + record.namespace_created().name() : "other");
  }
  void on_published(std::uint64_t topic, const stored_message_view& message) override {
    events.push_back(std::to_string(topic) + ":" + std::string{message.payload});
  }
  std::vector<std::string> events;
};

inline const unsigned char some_id[message_id_size] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

inline stored_message_view message_with(std::string_view payload) {
  stored_message_view message;
  message.id = some_id;
  message.payload = payload;
  return message;
}

/// A framed record that the visitor keeps as `7:PAYLOAD`.
inline std::string published(std::string_view payload) {
  published_record record{7};
  record.add(message_with(payload));
  return std::move(record).finish();
}

/// A framed record that the visitor keeps as `created NAME`.
inline std::string created(const std::string& name) {
  journal::Record record;
  record.mutable_namespace_created()->set_name(name);
  return frame(record);
}

inline const std::filesystem::path log_folder = "data";
inline const auto log_path = log_folder / incr_name(1);

/// A log folder that was recovered and is open for appending.
struct open_log {
  recovered found;
  std::vector<std::string> events;
  log_writer writer;
};

/// What a start does; throws the failure's text.
inline open_log start(file_system& files, log_options options = {}, const std::filesystem::path& folder = log_folder) {
  auto lock = folder_lock::take(files, folder);
  if (!lock) throw std::runtime_error(lock.error().text());
  recording_visitor visitor;
  auto found = recover(files, folder, visitor);
  if (!found) throw std::runtime_error(found.error().text());
  auto writer = log_writer::open(files, std::move(*lock), *found, options);
  if (!writer) throw std::runtime_error(writer.error().text());
  return {std::move(*found), std::move(visitor.events), std::move(*writer)};
}

/// The events in a folder's log; throws the failure's text.
inline std::vector<std::string> replay(file_system& files, const std::filesystem::path& folder = log_folder) {
  recording_visitor visitor;
  auto found = recover(files, folder, visitor);
  if (!found) throw std::runtime_error(found.error().text());
  return visitor.events;
}

/// Appends and flushes one record.
inline std::error_code write(log_writer& writer, std::string framed) {
  writer.append(std::move(framed));
  return writer.flush();
}

/// Starts, appends one record, flushes and dies.
inline std::error_code write_once(file_system& files, std::string framed) {
  auto opened = start(files);
  return write(opened.writer, std::move(framed));
}

using strings = std::vector<std::string>;

}  // namespace mqlite::test
