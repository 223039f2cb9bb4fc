#include "config/toml_file.hpp"

#include "config/error.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

namespace mqlite {

namespace {

using kind = given_value::kind;

constexpr std::size_t largest_file = 64 << 10;
constexpr std::size_t deepest_table = 8;  // no key has as many parts

std::string dotted(const std::string& parent, std::string_view part) {
  bool bare = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  auto name = bare ? std::string(part) : toml_string(part);
  return parent.empty() ? name : parent + "." + name;
}

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

given_value to_value(const toml::node& node) {
  auto name = type_name(node);
  if (const auto* text = node.as_string()) return {kind::string, text->get(), name};
  if (const auto* number = node.as_integer()) return {kind::integer, std::to_string(number->get()), name};
  if (const auto* truth = node.as_boolean()) return {kind::boolean, truth->get() ? "true" : "false", name};
  return {kind::other, "", name};
}

void collect(const toml::table& table, const std::string& parent, std::size_t depth, std::vector<file_entry>& entries) {
  for (auto&& [key, node] : table) {
    auto name = dotted(parent, key.str());
    const auto* inner = node.as_table();
    if (inner && !inner->empty() && depth < deepest_table)
      collect(*inner, name, depth + 1, entries);
    else
      entries.push_back({name, to_value(node), key.source().begin.line});
  }
}

}  // namespace

std::vector<file_entry> read_toml(const std::string& text, const std::string& path) {
  try {
    std::vector<file_entry> entries;
    collect(toml::parse(text, path), "", 1, entries);
    std::stable_sort(entries.begin(), entries.end(),
                     [](const file_entry& a, const file_entry& b) { return a.line < b.line; });
    return entries;
  } catch (const toml::parse_error& error) {
    throw config_error(path + ":" + std::to_string(error.source().begin.line), std::string(error.description()));
  }
}

std::optional<std::vector<file_entry>> read_toml_file(const std::filesystem::path& path) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  if (std::filesystem::is_directory(status)) throw config_error(path.string(), "is a folder, not a file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw config_error(path.string(), "cannot be read: " + std::generic_category().message(errno));
  std::string text(largest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw config_error(path.string(), "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file) throw config_error(path.string(), "is larger than a configuration can be (64 KB)");
  return read_toml(text, path.string());
}

}  // namespace mqlite
