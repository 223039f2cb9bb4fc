#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mqlite {

inline constexpr std::string_view json_content = "application/json";
inline constexpr std::string_view event_content = "text/event-stream";

/// What the head of an answer says.
struct response_head {
  int status = 200;
  std::string_view content_type = json_content;
  std::string_view fields;  ///< more header lines, each with its end
  bool keep_alive = true;
  bool http_1_0 = false;  ///< the client has to be told that the connection stays
};

/// Appends the head of an answer whose body has `length` bytes.
void append_head(std::string& out, const response_head& head, std::size_t length);

/// Appends the head of an answer that lasts until the connection is closed.
void append_stream_head(std::string& out, std::string_view content_type);

}  // namespace mqlite
