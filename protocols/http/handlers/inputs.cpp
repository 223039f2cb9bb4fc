#include "protocols/http/handlers/inputs.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <limits>

#include "protocols/http/respond.hpp"
#include "protocols/translate/json_fields.hpp"
#include "protocols/translate/json_text.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite {
namespace {

bool check_name(exchange& x, std::string_view what, std::string_view name) {
  if (const auto problem = name_problem(what, name)) {
    refuse(x, *problem);
    return false;
  }
  return true;
}

void refuse_argument(exchange& x, std::string text) { refuse(x, {error_code::invalid_argument, std::move(text)}); }

}  // namespace

std::optional<path_names> namespace_in_path(exchange& x) {
  const std::string_view name_space = x.request().parameters[0];
  if (!check_name(x, "namespace", name_space)) return std::nullopt;
  return path_names{name_space, {}, any_queue};
}

std::optional<path_names> topic_in_path(exchange& x) {
  auto names = namespace_in_path(x);
  if (!names) return names;
  names->topic = x.request().parameters[1];
  if (!check_name(x, "topic", names->topic)) return std::nullopt;
  return names;
}

std::optional<path_names> queue_in_path(exchange& x) {
  auto names = topic_in_path(x);
  if (!names) return names;
  const std::string_view text = x.request().parameters[2];
  const auto number = parse_integer(text);
  if (number && *number >= 0) {
    names->queue = static_cast<queue_number>(std::min<std::int64_t>(*number, std::numeric_limits<queue_number>::max()));
    return names;
  }
  const bool digits = !text.empty() && text.find_first_not_of("-0123456789") == std::string_view::npos;
  refuse_argument(x, digits ? "`queue_id` in the path must be 0 or more" : "`queue_id` in the path must be an integer");
  return std::nullopt;
}

std::optional<std::string_view> object_in_body(exchange& x) {
  auto object = json_object_in(x.request().body);
  if (object) return *object;
  refuse(x, object.why());
  return std::nullopt;
}

std::optional<std::string> query_value(const http_request& request, std::string_view name) {
  std::optional<std::string> found;
  auto rest = request.query();
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.substr(0, part.find('=')) != name) continue;
    const auto value = part.size() > name.size() ? part.substr(name.size() + 1) : std::string_view();
    std::string decoded;
    found = percent_decode(value, decoded) ? decoded : std::string(value);
  }
  return found;
}

bool read_query(exchange& x, std::string_view name, std::int64_t least, std::int64_t most, std::int64_t& value) {
  const auto text = query_value(x.request(), name);
  if (!text) return true;
  const auto number = parse_integer(*text);
  if (!number || *number < least || *number > most) {
    refuse_argument(x, range_text(name, least, most));
    return false;
  }
  value = *number;
  return true;
}

bool read_query(exchange& x, std::string_view name, bool& value) {
  const auto text = query_value(x.request(), name);
  if (!text) return true;
  // Some libraries capitalise them.
  value = boost::beast::iequals(*text, "true") || *text == "1";
  if (value || boost::beast::iequals(*text, "false") || *text == "0") return true;
  refuse_argument(x, "`" + std::string(name) + "` must be true or false");
  return false;
}

}  // namespace mqlite
