#include "protocols/translate/json_text.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace mqlite {
namespace {

namespace json = boost::json;

/// Takes a parser's events and keeps nothing: what is left is validation.
struct ignore_events {
  using error = json::error_code&;
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error) { return true; }
  bool on_document_end(error) { return true; }
  bool on_object_begin(error) { return true; }
  bool on_object_end(std::size_t, error) { return true; }
  bool on_array_begin(error) { return true; }
  bool on_array_end(std::size_t, error) { return true; }
  bool on_key_part(json::string_view, std::size_t, error) { return true; }
  bool on_key(json::string_view, std::size_t, error) { return true; }
  bool on_string_part(json::string_view, std::size_t, error) { return true; }
  bool on_string(json::string_view, std::size_t, error) { return true; }
  bool on_number_part(json::string_view, error) { return true; }
  bool on_int64(std::int64_t, json::string_view, error) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error) { return true; }
  bool on_double(double, json::string_view, error) { return true; }
  bool on_bool(bool, error) { return true; }
  bool on_null(error) { return true; }
  bool on_comment_part(json::string_view, error) { return true; }
  bool on_comment(json::string_view, error) { return true; }
};

/// Where and why `text` is no JSON; the error is clear when it is.
struct verdict {
  json::error_code error;
  std::size_t position = 0;
};

verdict judge(std::string_view text) {
  json::parse_options options;
  options.max_depth = deepest_json;
  json::basic_parser<ignore_events> parser(options);
  verdict result;
  result.position = parser.write_some(false, text.data(), text.size(), result.error);
  if (!result.error && result.position < text.size()) result.error = json::error::extra_data;
  return result;
}

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The length of the UTF-8 sequence that `text` begins with, 0 when it begins with none (Unicode, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned least = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned most = lead == 0xed ? 0x9f : 0xbf;
    return at(1) >= least && at(1) <= most && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned least = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xf4 ? 0x8f : 0xbf;
    return at(1) >= least && at(1) <= most && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += hex[byte >> 4];
  out += hex[byte & 15];
}

}  // namespace

std::optional<std::string> json_problem(std::string_view text) {
  const auto found = judge(text);
  if (!found.error) return std::nullopt;
  if (found.error == json::error::too_deep) return "nested deeper than " + std::to_string(deepest_json);
  return found.error.message() + " at byte " + std::to_string(found.position);
}

bool is_json(std::string_view bytes) { return !judge(bytes).error; }

outcome<std::string_view> json_object_in(std::string_view body, std::string_view what) {
  auto text = body;
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.empty()) return std::string_view("{}");
  if (auto problem = json_problem(body))
    return failure{error_code::invalid_argument, std::string(what) + " is no valid JSON: " + *problem};
  if (text.front() != '{') return failure{error_code::invalid_argument, std::string(what) + " must be a JSON object"};
  return text;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // start of what was not yet appended
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++i;
      continue;
    }
    const auto length = byte < 0x80 ? 0 : utf8_length(text.substr(i));
    if (length > 0) {
      i += length;
      continue;
    }
    out.append(text, plain, i - plain);
    if (byte < 0x80)
      append_escape(out, text[i]);
    else
      out += "\xef\xbf\xbd";
    plain = ++i;
  }
  out.append(text, plain);
  out += '"';
}

}  // namespace mqlite
