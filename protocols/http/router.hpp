#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/http/request.hpp"

namespace mqlite {

class exchange;

/// Answers a request.
using http_handler = void (*)(exchange&);

/// One line of the table of routes; a segment `{...}` of the pattern stands for any text that is not empty.
struct http_route {
  http_method method;
  std::string_view pattern;
  http_handler handler;
  bool streams = false;  ///< the answer has no end: HEAD is not served
};

/// Decodes `%XX`; false when something else follows a `%`.
bool percent_decode(std::string_view text, std::string& out);

/// Finds the handler of a request.
class router {
 public:
  /// `routes` outlive this; the first that matches counts.
  explicit router(std::span<const http_route> routes);

  /// What a path and method lead to.
  struct match {
    enum class kind { found, unknown_path, wrong_method, malformed };
    kind what = kind::unknown_path;
    http_handler handler = nullptr;
    std::string allow;  ///< the methods that the path knows, where the method is wrong
  };
  /// Sets `request.parameters`. HEAD goes where GET goes.
  match find(http_request& request) const;

 private:
  static constexpr std::size_t most_segments = 8;
  struct segments {
    std::array<std::string_view, most_segments> parts;
    std::size_t count = 0;
  };
  struct entry {
    const http_route* route;
    segments pattern;
  };

  static bool split(std::string_view path, segments& out);
  static bool fits(const segments& pattern, const segments& path);

  std::array<std::vector<entry>, most_segments + 1> by_length_;
};

}  // namespace mqlite
