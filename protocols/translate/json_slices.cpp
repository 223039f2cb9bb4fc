#include "protocols/translate/json_slices.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>

namespace mqlite {
namespace {

void skip_space(std::string_view& text) {
  std::size_t i = 0;
  while (i < text.size() && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t')) ++i;
  text.remove_prefix(i);
}

/// The position behind the string that begins at `i`.
std::size_t string_end(std::string_view text, std::size_t i) {
  for (++i; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

/// The position behind the array or object that `text` begins with.
std::size_t container_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = string_end(text, i);
      continue;
    }
    ++i;
    if (c == '{' || c == '[')
      ++depth;
    else if ((c == '}' || c == ']') && --depth == 0)
      return i;
  }
  return text.size();
}

/// Cuts the value off that `text` begins with.
std::string_view take_value(std::string_view& text) {
  skip_space(text);
  if (text.empty()) return {};
  std::size_t end;
  if (text.front() == '"')
    end = string_end(text, 0);
  else if (text.front() == '{' || text.front() == '[')
    end = container_end(text);
  else
    end = std::min(text.find_first_of(",]} \t\r\n"), text.size());
  const auto value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

/// Steps over the white space and the punctuation between two parts; false at the end of the whole.
bool to_next(std::string_view& text) {
  skip_space(text);
  if (!text.empty() && text.front() == ',') {
    text.remove_prefix(1);
    skip_space(text);
  }
  return !text.empty() && text.front() != '}' && text.front() != ']';
}

}  // namespace

object_members::object_members(std::string_view object) noexcept : rest_(object.substr(object.empty() ? 0 : 1)) {}

bool object_members::next() {
  if (!to_next(rest_)) return false;
  const auto name = take_value(rest_);
  skip_space(rest_);
  if (name.size() < 2 || rest_.empty() || rest_.front() != ':') return false;
  rest_.remove_prefix(1);
  name_ = unescape(name, unescaped_);
  value_ = take_value(rest_);
  return true;
}

array_elements::array_elements(std::string_view array) noexcept : rest_(array.substr(array.empty() ? 0 : 1)) {}

bool array_elements::next() {
  if (!to_next(rest_)) return false;
  value_ = take_value(rest_);
  return !value_.empty();
}

std::string_view unescape(std::string_view text, std::string& buffer) {
  if (text.find('\\') == std::string_view::npos) return text.substr(1, text.size() - 2);
  boost::json::error_code error;
  const auto value = boost::json::parse(text, error);
  buffer = value.is_string() ? std::string(value.get_string()) : std::string();
  return buffer;
}

}  // namespace mqlite
