#include "protocols/http/response_head.hpp"

#include <array>
#include <ctime>

#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

std::string_view status_line(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 201:
      return "HTTP/1.1 201 Created\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 401:
      return "HTTP/1.1 401 Unauthorized\r\n";
    case 403:
      return "HTTP/1.1 403 Forbidden\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    default:
      return "HTTP/1.1 500 Internal Server Error\r\n";
  }
}

// The line is made once a second by each thread.
void append_date(std::string& out) {
  thread_local std::time_t made_at = -1;
  thread_local std::array<char, 48> line;
  thread_local std::size_t length = 0;
  if (const auto now = std::time(nullptr); now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    made_at = now;
  }
  out.append(line.data(), length);
}

}  // namespace

void append_head(std::string& out, const response_head& head, std::size_t length) {
  out += status_line(head.status);
  out += "Content-Type: ";
  out += head.content_type;
  out += "\r\nContent-Length: ";
  append_number(out, length);
  out += "\r\n";
  append_date(out);
  out += head.fields;
  if (!head.keep_alive)
    out += "Connection: close\r\n";
  else if (head.http_1_0)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
}

void append_stream_head(std::string& out, std::string_view content_type) {
  out += status_line(200);
  out += "Content-Type: ";
  out += content_type;
  out += "\r\n";
  append_date(out);
  out += "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n";
}

}  // namespace mqlite
