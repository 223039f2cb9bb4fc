#include "persistence/manifest.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "persistence/crc32c.hpp"
#include "persistence/format.hpp"

namespace mqlite {

namespace {

constexpr std::string_view first_words = "mqlite manifest ";
constexpr std::string_view checksum_word = "crc32c ";
constexpr std::string_view name_end = ".log";
constexpr std::size_t digits = 10;

std::string numbered(const char* prefix, std::uint64_t number) {
  std::array<char, 48> text;
  auto length =
      std::snprintf(text.data(), text.size(), "%s%010llu.log", prefix, static_cast<unsigned long long>(number));
  return {text.data(), static_cast<std::size_t>(length)};
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string hex(std::uint32_t value) {
  std::array<char, 16> text;
  auto length = std::snprintf(text.data(), text.size(), "%08x", value);
  return {text.data(), static_cast<std::size_t>(length)};
}

void write_entry(std::ostream& out, const char* kind, const manifest_entry& entry) {
  out << kind << ' ' << entry.name;
  switch (entry.state) {
    case file_state::open:
      out << " open\n";
      break;
    case file_state::cut:
      out << " cut " << entry.length << '\n';
      break;
    case file_state::sealed:
      out << " sealed " << entry.length << '\n';
      break;
  }
}

/// Reads what stands behind `base ` or `incr `.
std::optional<manifest_entry> read_entry(std::string_view line, std::string_view prefix) {
  std::istringstream words{std::string{line}};
  manifest_entry entry;
  std::string state, length, extra;
  words >> entry.name >> state >> length >> extra;
  if (!entry.name.starts_with(prefix) || !log_file_number(entry.name) || !extra.empty()) return std::nullopt;
  if (state == "open" && length.empty()) return entry;
  if (state != "cut" && state != "sealed") return std::nullopt;
  entry.state = state == "cut" ? file_state::cut : file_state::sealed;
  if (!read_number(length, entry.length) || entry.length < format::file_header_size) return std::nullopt;
  return entry;
}

/// Takes the first line, without its end, off `text`.
std::string_view take_line(std::string_view& text) {
  auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool take_entry(std::string_view line, manifest& into) {
  auto rest = line.substr(std::min<std::size_t>(line.size(), 5));
  if (line.starts_with("base ") && !into.base && into.incrs.empty()) {
    into.base = read_entry(rest, "base-");
    return into.base.has_value();
  }
  if (!line.starts_with("incr ")) return false;
  auto entry = read_entry(rest, "incr-");
  if (entry) into.incrs.push_back(std::move(*entry));
  return entry.has_value();
}

log_failure bad(const std::string& path, std::string reason) {
  return {failure_kind::bad_manifest, path, 0, std::move(reason), {}};
}

/// Nothing when the first line is that of a manifest this program can read.
std::optional<log_failure> check_first_line(std::string_view line, const std::string& path) {
  std::uint32_t version = 0;
  if (!line.starts_with(first_words) || !read_number(line.substr(first_words.size()), version) || version == 0) {
    return bad(path, "this is no manifest: its first line is not \"mqlite manifest \" and a number");
  }
  if (version <= format::version) return std::nullopt;
  return log_failure{failure_kind::newer_format,
                     path,
                     0,
                     "written in format " + std::to_string(version) + "; this program knows formats up to " +
                         std::to_string(format::version) + ": a newer mqlite is needed",
                     {}};
}

}  // namespace

std::string manifest::text() const {
  std::ostringstream out;
  out << first_words << format::version << '\n';
  if (base) write_entry(out, "base", *base);
  for (const auto& entry : incrs) write_entry(out, "incr", entry);
  auto lines = out.str();
  return lines + std::string{checksum_word} + hex(crc32c(lines)) + '\n';
}

log_result<manifest> manifest::parse(std::string_view text, const std::string& path) {
  if (text.empty()) return unexpected{bad(path, "the manifest is empty")};
  auto rest = text;
  if (auto failed = check_first_line(take_line(rest), path)) return unexpected{std::move(*failed)};
  manifest read;
  for (int number = 2; !rest.empty(); ++number) {
    auto start = text.size() - rest.size();
    auto line = take_line(rest);
    if (line.starts_with(checksum_word)) {
      auto sound = line.substr(checksum_word.size()) == hex(crc32c(text.substr(0, start))) && rest.empty();
      if (sound && text.ends_with('\n')) return read;
      return unexpected{bad(path, "the manifest's checksum does not match its content")};
    }
    if (!take_entry(line, read)) {
      return unexpected{bad(path, "line " + std::to_string(number) + " of the manifest cannot be understood")};
    }
  }
  return unexpected{bad(path, "the manifest's last line, its checksum, is missing")};
}

manifest_written write_manifest(file_system& files, const std::filesystem::path& folder, const manifest& content) {
  auto draft = folder / format::manifest_draft_name;
  auto failed_to = [](const std::filesystem::path& path, const char* doing, std::error_code code,
                      bool in_force = false) {
    return manifest_written{io_failure(path.string(), doing, code), in_force};
  };
  // What an earlier try has left is of no use to anybody.
  files.remove(draft);
  auto created = files.create(draft);
  if (!created) return failed_to(draft, "create", created.error());
  auto text = content.text();
  std::string_view part = text;
  auto written = (*created)->write_at(0, {&part, 1});
  if (written.error) return failed_to(draft, "write", written.error);
  if (written.bytes != text.size()) return failed_to(draft, "write", std::make_error_code(std::errc::io_error));
  if (auto error = (*created)->sync()) return failed_to(draft, "fsync", error);
  auto path = folder / format::manifest_name;
  if (auto error = files.rename(draft, path)) return failed_to(path, "rename", error);
  if (auto error = files.sync_folder(folder)) return failed_to(folder, "fsync", error, true);
  return {std::nullopt, true};
}

std::string base_name(std::uint64_t number) { return numbered("base-", number); }

std::string incr_name(std::uint64_t number) { return numbered("incr-", number); }

std::optional<std::uint64_t> log_file_number(std::string_view name) {
  if (!name.starts_with("base-") && !name.starts_with("incr-")) return std::nullopt;
  name.remove_prefix(5);
  if (!name.ends_with(name_end)) return std::nullopt;
  name.remove_suffix(name_end.size());
  std::uint64_t number = 0;
  if (name.size() < digits || !read_number(name, number)) return std::nullopt;
  return number;
}

}  // namespace mqlite
