#include "protocols/translate/json_fields.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "protocols/translate/json_slices.hpp"

namespace mqlite {
namespace {

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

}  // namespace

json_fields::json_fields(std::string_view object, std::span<const std::string_view> known)
    : known_(known.first(std::min(known.size(), most))) {
  for (object_members members(object); members.next();) {
    const auto at = std::find(known_.begin(), known_.end(), members.name());
    if (at != known_.end()) values_[static_cast<std::size_t>(at - known_.begin())] = members.value();
  }
}

std::string_view json_fields::raw(std::string_view name) const noexcept {
  const auto at = std::find(known_.begin(), known_.end(), name);
  return at == known_.end() ? std::string_view() : values_[static_cast<std::size_t>(at - known_.begin())];
}

bool json_fields::has(std::string_view name) const noexcept {
  const auto value = raw(name);
  return !value.empty() && value != "null";
}

std::optional<std::int64_t> json_fields::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  if (!has(name)) return std::nullopt;
  const auto text = raw(name);
  const auto value = parse_integer(text);
  if (value && *value >= least && *value <= most) return value;
  const bool digits = text.find_first_not_of("-0123456789") == std::string_view::npos;
  refuse(digits ? range_text(name, least, most) : quoted(name) + " must be an integer");
  return std::nullopt;
}

std::optional<bool> json_fields::boolean(std::string_view name) {
  if (!has(name)) return std::nullopt;
  const auto text = raw(name);
  if (text == "true" || text == "false") return text == "true";
  refuse(quoted(name) + " must be true or false");
  return std::nullopt;
}

std::optional<std::string> json_fields::string(std::string_view name) {
  if (!has(name)) return std::nullopt;
  const auto text = raw(name);
  if (text.front() != '"') {
    refuse(quoted(name) + " must be a string");
    return std::nullopt;
  }
  std::string buffer;
  return std::string(unescape(text, buffer));
}

std::optional<std::chrono::nanoseconds> json_fields::duration(std::string_view name, std::int64_t least) {
  const auto value = integer(name, least, longest_ms);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

std::optional<std::size_t> json_fields::choice(std::string_view name, std::span<const std::string_view> choices) {
  if (!has(name)) return std::nullopt;
  std::string buffer;
  const auto text = raw(name);
  const auto at =
      text.front() == '"' ? std::find(choices.begin(), choices.end(), unescape(text, buffer)) : choices.end();
  if (at != choices.end()) return static_cast<std::size_t>(at - choices.begin());
  refuse(choice_text(name, choices));
  return std::nullopt;
}

void json_fields::refuse(error_code code, std::string text) {
  if (!refusal_) refusal_ = failure{code, std::move(text)};
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string range_text(std::string_view name, std::int64_t least, std::int64_t most) {
  auto text = quoted(name) + " must be " + std::to_string(least);
  if (most == std::numeric_limits<std::int64_t>::max()) return text + " or more";
  return text + " to " + std::to_string(most);
}

std::string choice_text(std::string_view name, std::span<const std::string_view> choices) {
  auto text = quoted(name) + " must be ";
  for (std::size_t i = 0; i < choices.size(); ++i)
    text += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + quoted(choices[i]);
  return text;
}

}  // namespace mqlite
