#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mqlite {

enum class http_method { get, head, post, put, patch, del, other };

/// A request as it arrived. Its memory is used again for the connection's next request.
struct http_request {
  http_method method = http_method::other;
  std::string method_text;
  std::string target;  ///< path and query, as sent
  std::string body;
  std::array<std::string, 3> parameters;  ///< what stands for the `{...}` of the route, percent-decoded, in order
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;  ///< the sender waits for `100 Continue` before it sends the body

  std::string_view path() const noexcept { return std::string_view(target).substr(0, target.find('?')); }
  /// What stands behind the `?`.
  std::string_view query() const noexcept {
    const auto at = target.find('?');
    return at == std::string::npos ? std::string_view() : std::string_view(target).substr(at + 1);
  }

  void clear() {
    method = http_method::other;
    method_text.clear();
    target.clear();
    if (body.capacity() > kept_capacity) std::string().swap(body);
    body.clear();
    http_1_0 = expects_continue = false;
    keep_alive = true;
  }

  /// Memory that a connection keeps for its next request; more is given back.
  static constexpr std::size_t kept_capacity = 64 * 1024;
};

}  // namespace mqlite
