#include "protocols/http/router.hpp"

#include <algorithm>

namespace mqlite {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_parameter(std::string_view segment) { return !segment.empty() && segment.front() == '{'; }

std::string_view method_name(http_method method) {
  switch (method) {
    case http_method::get:
      return "GET";
    case http_method::head:
      return "HEAD";
    case http_method::post:
      return "POST";
    case http_method::put:
      return "PUT";
    case http_method::patch:
      return "PATCH";
    case http_method::del:
      return "DELETE";
    case http_method::other:
      break;
  }
  return "";
}

bool serves(const http_route& route, http_method method) {
  return route.method == method || (method == http_method::head && route.method == http_method::get && !route.streams);
}

void add_allowed(std::string& allow, const http_route& route) {
  allow += (allow.empty() ? "" : ", ") + std::string(method_name(route.method));
  if (serves(route, http_method::head)) allow += ", HEAD";
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

router::router(std::span<const http_route> routes) {
  for (const auto& route : routes) {
    segments pattern;
    if (split(route.pattern, pattern)) by_length_[pattern.count].push_back({&route, pattern});
  }
}

router::match router::find(http_request& request) const {
  match result;
  segments path;
  if (!split(request.path(), path)) return result;
  for (const auto& candidate : by_length_[path.count]) {
    if (!fits(candidate.pattern, path)) continue;
    if (!serves(*candidate.route, request.method)) {
      result.what = match::kind::wrong_method;
      add_allowed(result.allow, *candidate.route);
      continue;
    }
    std::size_t parameter = 0;
    for (std::size_t i = 0; i < path.count; ++i) {
      if (!is_parameter(candidate.pattern.parts[i])) continue;
      if (!percent_decode(path.parts[i], request.parameters[parameter++])) return {match::kind::malformed, nullptr, {}};
    }
    return {match::kind::found, candidate.route->handler, {}};
  }
  return result;
}

bool router::split(std::string_view path, segments& out) {
  if (path.empty() || path.front() != '/') return false;
  for (std::size_t at = 1;;) {
    const auto end = std::min(path.find('/', at), path.size());
    if (out.count == most_segments) return false;
    out.parts[out.count++] = path.substr(at, end - at);
    if (end == path.size()) return true;
    at = end + 1;
  }
}

bool router::fits(const segments& pattern, const segments& path) {
  for (std::size_t i = 0; i < pattern.count; ++i) {
    const bool same = is_parameter(pattern.parts[i]) ? !path.parts[i].empty() : pattern.parts[i] == path.parts[i];
    if (!same) return false;
  }
  return true;
}

}  // namespace mqlite
