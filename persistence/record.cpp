#include "persistence/record.hpp"

#include <stdexcept>

#include "persistence/crc32c.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

constexpr std::size_t length_size = 4;

void check_length(std::size_t length) {
  if (length == 0) throw std::length_error("a record of the log must not be empty");
  if (length > format::max_record_length) {
    throw std::length_error("a record of " + std::to_string(length) + " bytes is too long for the log");
  }
}

}  // namespace

std::string frame(const journal::Record& record) {
  auto length = record.ByteSizeLong();
  check_length(length);
  std::string framed(format::record_header_size + length, '\0');
  record.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(framed.data() + format::record_header_size));
  seal_frame(framed);
  return framed;
}

void seal_frame(std::span<char> framed) {
  auto body = std::string_view{framed.data(), framed.size()}.substr(format::record_header_size);
  check_length(body.size());
  wire::store_u32(framed.data(), static_cast<std::uint32_t>(body.size()));
  wire::store_u32(framed.data() + length_size, record_checksum({framed.data(), length_size}, body, 0));
}

void salt_frame(std::span<char> framed, std::uint32_t salt) {
  auto* checksum = framed.data() + length_size;
  wire::store_u32(checksum, wire::load_u32(checksum) ^ salt);
}

std::uint32_t record_checksum(std::string_view length_bytes, std::string_view body, std::uint32_t salt) {
  return crc32c(body, crc32c(length_bytes)) ^ salt;
}

std::string frame_body(std::string_view body) {
  std::string framed(format::record_header_size, '\0');
  framed += body;
  seal_frame(framed);
  return framed;
}

std::string sync_mark(std::uint64_t synced) {
  std::string body{format::mark_tag};
  body.resize(format::mark_body_size);
  wire::store_u32(body.data() + 2, static_cast<std::uint32_t>(synced));
  wire::store_u32(body.data() + 6, static_cast<std::uint32_t>(synced >> 32));
  return frame_body(body);
}

std::optional<std::uint64_t> read_sync_mark(std::string_view body) {
  if (body.size() != format::mark_body_size || !body.starts_with(format::mark_tag)) return std::nullopt;
  return wire::load_u32(body.data() + 2) | std::uint64_t{wire::load_u32(body.data() + 6)} << 32;
}

std::string file_header(std::uint32_t salt, std::uint32_t version) {
  std::string header{format::magic};
  header.resize(format::file_header_size);
  wire::store_u32(header.data() + 8, version);
  wire::store_u32(header.data() + 12, salt);
  wire::store_u32(header.data() + 16, crc32c(std::string_view{header}.substr(0, 16)));
  return header;
}

}  // namespace mqlite
