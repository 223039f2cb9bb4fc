#pragma once

#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "proto/mqlite.pb.h"

namespace mqlite::cli {

/// How answers are written.
enum class output_style {
  people,  ///< tables and sentences
  json,    ///< one JSON value a line
  raw,     ///< of messages the payloads alone, each with a line end
};

/// Standard output could not be written.
class output_failed : public std::runtime_error {
 public:
  output_failed() : std::runtime_error("standard output cannot be written") {}
};

/// Standard output, and remarks for people on standard error.
class output {
 public:
  explicit output(output_style style);

  output_style style() const noexcept { return style_; }
  bool json() const noexcept { return style_ == output_style::json; }
  /// Whether someone looks at it.
  bool on_terminal() const noexcept { return on_terminal_; }

  /// Writes `text` as it is. Throws output_failed.
  void write(std::string_view text);
  /// Writes a line that a terminal may see, and its end.
  void line(std::string_view text);
  /// What has been written is seen from here on.
  void flush();
  /// For people alone, on standard error; nothing where the output is for machines.
  void remark(std::string_view text) const;

  /// The whole answer as one line of JSON.
  void answer(const google::protobuf::Message& answer);

  /// Of operations that say in a sentence what was done.
  template <class Response>
  void done(const Response& response) {
    json() ? answer(response) : line(response.message());
  }

  /// One message, or several; an empty list is remarked upon.
  void message(const v1::Message& message);
  void messages(const google::protobuf::RepeatedPtrField<v1::Message>& messages);
  void dead_message(const v1::DeadMessage& dead);

 private:
  void describe(const v1::Message& message, std::string_view more);

  output_style style_;
  bool on_terminal_;
};

}  // namespace mqlite::cli
