#include "persistence/log_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "persistence/crc32c.hpp"
#include "persistence/format.hpp"
#include "persistence/record.hpp"
#include "persistence/record_search.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

// Small enough to stay in a core's cache between the checksum and the decoding, large enough that system calls do not count.
constexpr std::uint64_t read_size = 1u << 20;

}  // namespace

log_reader::log_reader(std::unique_ptr<readable_file> opened, std::filesystem::path path, const manifest_entry& known)
    : file_(std::move(opened)), path_(std::move(path)), state_(known.state), limit_(known.length) {}

log_result<log_reader> log_reader::open_unread(file_system& files, std::filesystem::path path,
                                               const manifest_entry& known) {
  auto opened = files.open_for_reading(path);
  if (!opened) return unexpected{io_failure(path.string(), "open", opened.error())};
  auto size = (*opened)->size();
  if (!size) return unexpected{io_failure(path.string(), "read", size.error())};
  log_reader reader{std::move(*opened), std::move(path), known};
  if (known.state == file_state::sealed && *size < known.length) {
    return unexpected{
        damage(reader.name(), *size, "the file ends here but had " + std::to_string(known.length) + " bytes")};
  }
  reader.limit_ = known.state == file_state::open ? *size : std::min(*size, known.length);
  return reader;
}

log_result<log_reader> log_reader::open(file_system& files, std::filesystem::path path, const manifest_entry& known) {
  auto reader = open_unread(files, std::move(path), known);
  if (!reader) return reader;
  if (auto failed = reader->read_header()) return unexpected{std::move(*failed)};
  return reader;
}

std::optional<log_failure> log_reader::read_header() {
  std::array<char, format::file_header_size> bytes{};
  auto got = file_->read_at(0, bytes);
  if (got.error) return io_failure(name(), "read", got.error);
  if (got.bytes == 0) return damage(name(), 0, "the file is empty");
  return check_header({bytes.data(), static_cast<std::size_t>(got.bytes)});
}

std::optional<log_failure> log_reader::check_header(std::string_view header) {
  if (header.size() < format::file_header_size) return damage(name(), 0, "the file ends within its header");
  if (!header.starts_with(format::magic))
    return damage(name(), 0, "this is no log file: it does not begin with the magic bytes");
  version_ = wire::load_u32(header.data() + 8);
  if (version_ > format::version) {
    auto reason = "written in format " + std::to_string(version_) + "; this program knows formats up to " +
                  std::to_string(format::version) + ": a newer mqlite is needed";
    return log_failure{failure_kind::newer_format, name(), 0, reason, {}};
  }
  salt_ = wire::load_u32(header.data() + 12);
  if (version_ == 0 || file_header(salt_, version_) != header) {
    return damage(name(), 0, "the file's header does not match its checksum");
  }
  position_ = buffer_offset_ = header.size();
  return std::nullopt;
}

void log_reader::seek(std::uint64_t offset) {
  records_.clear();
  position_ = buffer_offset_ = offset;
  filled_ = 0;
  torn_.reset();
}

/// Has at least `least` bytes from position_ on in the buffer, or all up to the limit.
std::optional<log_failure> log_reader::fill(std::size_t least) {
  auto used = static_cast<std::size_t>(position_ - buffer_offset_);
  auto kept = filled_ - used;
  auto wanted = std::max<std::uint64_t>(least, std::min(read_size, limit_ - position_));
  if (wanted > capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(wanted);
    if (kept != 0) std::memcpy(larger.get(), buffer_.get() + used, kept);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  } else if (kept != 0) {
    std::memmove(buffer_.get(), buffer_.get() + used, kept);
  }
  buffer_offset_ = position_;
  auto count = std::min<std::uint64_t>(capacity_ - kept, limit_ - position_ - kept);
  auto got = file_->read_at(position_ + kept, {buffer_.get() + kept, static_cast<std::size_t>(count)});
  if (got.error) return io_failure(name(), "read", got.error);
  filled_ = kept + static_cast<std::size_t>(got.bytes);
  if (got.bytes < count) limit_ = position_ + filled_;  // the file became shorter
  return std::nullopt;
}

/// Collects the good records that are wholly in the buffer. Returns why it had to stop before the buffer's end, or nullptr; then
/// `wanted` is how many bytes the next record needs, 0 at the end of the log.
const char* log_reader::collect(std::size_t& wanted) {
  wanted = 0;
  const auto* at = buffer_.get() + (position_ - buffer_offset_);
  const auto* end = buffer_.get() + filled_;
  while (true) {
    auto rest = limit_ - position_;
    if (rest == 0) return nullptr;
    if (rest < format::record_header_size) return "the file ends within a record's header";
    wanted = format::record_header_size;
    if (static_cast<std::size_t>(end - at) < wanted) return nullptr;
    auto length = wire::load_u32(at);
    if (length == 0) return "a record's length is zero";
    if (length > format::max_record_length) return "a record's length is impossible";
    wanted += length;
    if (wanted > rest) return "a record is longer than the rest of the file";
    if (static_cast<std::size_t>(end - at) < wanted) return nullptr;
    std::string_view body{at + format::record_header_size, length};
    if (record_checksum({at, 4}, body, salt_) != wire::load_u32(at + 4)) return "a record does not match its checksum";
    take(body);
    position_ += wanted;
    at += wanted;
  }
}

/// A good record at position_.
void log_reader::take(std::string_view body) {
  auto marked = read_sync_mark(body);
  if (!marked) return records_.push_back({position_, body});
  if (*marked <= position_) synced_ = std::max(synced_, *marked);
}

log_result<std::span<const record_view>> log_reader::next() {
  records_.clear();
  std::size_t wanted = format::record_header_size;
  while (!torn_ && position_ < limit_) {
    if (auto failed = fill(wanted)) return unexpected{std::move(*failed)};
    const auto* reason = collect(wanted);
    if (!records_.empty()) break;
    if (reason == nullptr) continue;
    if (auto failed = finish(reason)) return unexpected{std::move(*failed)};
    break;
  }
  return std::span<const record_view>{records_};
}

/// At a place where no good record stands: the end of the log, a torn tail, or damage?
std::optional<log_failure> log_reader::finish(const char* reason) {
  if (state_ == file_state::sealed) return damage(name(), position_, reason);
  auto data_end = end_of_data(position_);
  if (!data_end) return std::move(data_end.error());
  if (*data_end == position_) {
    limit_ = position_;  // zeros only: the file was preallocated
    return std::nullopt;
  }
  auto found = find_record(position_ + 1);
  if (!found) return std::move(found.error());
  auto torn = *found ? is_power_cut(**found) : log_result<bool>{true};
  if (!torn) return std::move(torn.error());
  if (!*torn) {
    return damage(name(), position_,
                  std::string{reason} + ", and a good record follows at offset " + std::to_string(**found));
  }
  torn_ = torn_tail{position_, *data_end - position_, found->has_value()};
  return std::nullopt;
}

/// Whether a power cut explains the bad place at position_, with good records from `next_good` on: a sector of it is missing, and no
/// mark behind it says that it had been synced. (Marks before it cannot speak of it.)
log_result<bool> log_reader::is_power_cut(std::uint64_t next_good) {
  if (version_ < format::first_version_with_marks) return false;
  auto lacking = lacks_sector(position_, next_good);
  if (!lacking || !*lacking) return lacking;
  auto bad = position_;
  auto marked = last_mark(next_good);
  seek(bad);
  if (!marked) return unexpected{std::move(marked.error())};
  return *marked <= bad;
}

/// Whether a sector between the two places is zeros, from its beginning or from `from` on. That is what an append leaves that did not
/// reach the disk: files are preallocated, and a half-filled sector ended where a record began.
log_result<bool> log_reader::lacks_sector(std::uint64_t from, std::uint64_t to) {
  std::vector<char> part(std::min<std::uint64_t>(read_size, to - from));
  for (auto at = from; at < to;) {
    auto end = std::min(to, at - at % format::sector_size + read_size);
    auto got = file_->read_at(at, {part.data(), static_cast<std::size_t>(end - at)});
    if (got.error) return unexpected{io_failure(name(), "read", got.error)};
    for (std::uint64_t begin = 0; begin < got.bytes;) {
      auto sector_end =
          std::min(end, (at + begin) / format::sector_size * format::sector_size + format::sector_size) - at;
      if (at + sector_end == to && to % format::sector_size != 0) break;  // a good record begins in it
      auto zeros = [&](auto byte) { return byte == 0; };
      if (sector_end <= got.bytes && std::all_of(part.data() + begin, part.data() + sector_end, zeros)) return true;
      begin = sector_end;
    }
    if (got.bytes < end - at) break;
    at = end;
  }
  return false;
}

/// What the sync marks from `from` on say, over damage as well. Moves the reader.
log_result<std::uint64_t> log_reader::last_mark(std::uint64_t from) {
  for (std::optional<std::uint64_t> next = from; next;) {
    seek(*next);
    const char* stopped = nullptr;
    for (std::size_t wanted = format::record_header_size; stopped == nullptr && position_ < limit_;) {
      records_.clear();
      if (auto failed = fill(wanted)) return unexpected{std::move(*failed)};
      stopped = collect(wanted);
    }
    if (stopped == nullptr) break;
    auto found = find_record(position_ + 1);
    if (!found) return unexpected{std::move(found.error())};
    next = *found;
  }
  return synced_;
}

/// Where the zeros begin that fill the file from some place at or after `from` to its end.
log_result<std::uint64_t> log_reader::end_of_data(std::uint64_t from) {
  auto data_end = from;
  std::vector<char> part(std::min<std::uint64_t>(read_size, limit_ - from));
  for (auto at = from; at < limit_;) {
    auto count = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), limit_ - at));
    auto got = file_->read_at(at, {part.data(), count});
    if (got.error) return unexpected{io_failure(name(), "read", got.error)};
    if (got.bytes == 0) break;
    for (std::size_t i = got.bytes; i-- > 0;) {
      if (part[i] == 0) continue;
      data_end = at + i + 1;
      break;
    }
    at += got.bytes;
  }
  return data_end;
}

// -- without a header ---------------------------------------------------------

log_result<log_reader> log_reader::open_without_header(file_system& files, std::filesystem::path path,
                                                       const manifest_entry& known) {
  auto reader = open_unread(files, std::move(path), known);
  if (!reader) return reader;
  auto found = reader->find_salt();
  if (!found) return unexpected{std::move(found.error())};
  if (!*found)
    return unexpected{damage(reader->name(), 0, "the file's header is lost, and its records cannot be told without")};
  reader->seek(format::file_header_size);
  return reader;
}

/// A record's checksum tells the salt, if it is a record: it is when the one behind it tells the same.
log_result<bool> log_reader::find_salt() {
  std::array<char, format::file_header_size> header{};
  auto got = file_->read_at(0, header);
  if (got.error) return unexpected{io_failure(name(), "read", got.error)};
  salt_ = wire::load_u32(header.data() + 12);
  auto left = find_record(format::file_header_size);
  if (!left) return unexpected{std::move(left.error())};
  if (*left) return true;
  std::optional<std::uint32_t> told;
  for (std::uint64_t at = format::file_header_size; at + format::record_header_size <= limit_;) {
    std::array<char, format::record_header_size> head{};
    got = file_->read_at(at, head);
    auto length = wire::load_u32(head.data());
    if (got.error || length == 0 || length > limit_ - at - head.size()) return false;
    std::string body(length, '\0');
    got = file_->read_at(at + head.size(), body);
    if (got.error || got.bytes != length) return false;
    salt_ = record_checksum({head.data(), 4}, body, wire::load_u32(head.data() + 4));
    if (told == salt_) return true;
    if (told) return false;
    told = salt_;
    at += head.size() + length;
  }
  return false;
}

// -- searching ----------------------------------------------------------------

log_result<std::optional<std::uint64_t>> log_reader::find_record(std::uint64_t from) {
  auto found = search_record(*file_, from, limit_, salt_);
  if (!found) return unexpected{io_failure(name(), "read", found.error())};
  return *found;
}

}  // namespace mqlite
