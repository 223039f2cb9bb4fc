#include "persistence/record_search.hpp"

#include <algorithm>
#include <vector>

#include "persistence/crc32c.hpp"
#include "persistence/format.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

constexpr std::size_t window_size = 4u << 20;
// A record's header and the tag and length of its event.
constexpr std::size_t head_size = format::record_header_size + 2 * wire::max_varint_size;
// About ten seconds of checksums.
constexpr std::uint64_t most_work = std::uint64_t{100} << 30;

/// True when `head`, the first bytes of a would-be record of which `rest` bytes are left in the file, looks like a record.
bool is_candidate(std::string_view head, std::uint64_t rest) {
  if (head.size() <= format::record_header_size) return false;
  auto length = wire::load_u32(head.data());
  if (length == 0 || length > format::max_record_length || format::record_header_size + length > rest) return false;
  head.remove_prefix(format::record_header_size);
  head = head.substr(0, length);
  std::uint64_t tag = 0;
  std::uint64_t content = 0;
  wire::reader reader{head};
  if (!reader.read_varint(tag) || (tag & 7) != wire::bytes || tag >> 3 == 0) return false;
  if (!reader.read_varint(content)) return false;
  return length == wire::varint_size(tag) + wire::varint_size(content) + content;
}

class search {
 public:
  search(readable_file& file, std::uint64_t limit, std::uint32_t salt) : file_(file), limit_(limit), salt_(salt) {}

  io_result<std::optional<std::uint64_t>> run(std::uint64_t from) {
    if (from >= limit_) return std::optional<std::uint64_t>{};
    std::vector<char> window(std::min<std::uint64_t>(window_size, limit_ - from));
    while (from < limit_) {
      auto got = file_.read_at(from, window);
      if (got.error) return unexpected{got.error};
      std::string_view bytes{window.data(), static_cast<std::size_t>(std::min(got.bytes, limit_ - from))};
      auto last = bytes.size() < window_size || from + bytes.size() >= limit_;
      auto places = last ? bytes.size() : bytes.size() - head_size;
      for (std::size_t i = 0; i < places; ++i) {
        if (!is_candidate(bytes.substr(i, head_size), limit_ - from - i)) continue;
        auto good = matches(from + i, bytes.substr(i));
        if (!good) return unexpected{good.error()};
        if (*good) return std::optional{from + i};
      }
      if (last) break;
      from += places;
    }
    return std::optional<std::uint64_t>{};
  }

 private:
  /// Whether the candidate at `offset` matches its checksum; `known` is what of it was read already.
  io_result<bool> matches(std::uint64_t offset, std::string_view known) {
    auto length = wire::load_u32(known.data());
    work_ += length;
    if (work_ > most_work) return true;
    auto expected_crc = wire::load_u32(known.data() + 4) ^ salt_;
    auto body = known.substr(format::record_header_size, length);
    auto crc = crc32c(body, crc32c(known.substr(0, 4)));
    auto at = offset + format::record_header_size + body.size();
    std::uint64_t rest = length - body.size();
    std::vector<char> part(std::min<std::uint64_t>(rest, window_size));
    while (rest != 0) {
      auto got = file_.read_at(at, {part.data(), static_cast<std::size_t>(std::min<std::uint64_t>(rest, part.size()))});
      if (got.error) return unexpected{got.error};
      if (got.bytes == 0) return false;
      crc = crc32c({part.data(), static_cast<std::size_t>(got.bytes)}, crc);
      at += got.bytes;
      rest -= got.bytes;
    }
    return crc == expected_crc;
  }

  readable_file& file_;
  std::uint64_t limit_;
  std::uint32_t salt_;
  std::uint64_t work_ = 0;
};

}  // namespace

io_result<std::optional<std::uint64_t>> search_record(readable_file& from_file, std::uint64_t from, std::uint64_t limit,
                                                      std::uint32_t salt) {
  return search{from_file, limit, salt}.run(from);
}

}  // namespace mqlite
