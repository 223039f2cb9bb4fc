#include "persistence/record.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "persistence/crc32c.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

TEST_CASE("the checksum is CRC-32C") {
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c("") == 0u);
  CHECK(crc32c("56789", crc32c("1234")) == 0xE3069283u);
}

TEST_CASE("a frame is the length, the checksum of length and body, and the body") {
  journal::Record record;
  record.mutable_namespace_created()->set_name("orders");
  auto framed = frame(record);
  auto body = record.SerializeAsString();
  REQUIRE(framed.size() == 8 + body.size());
  CHECK(wire::load_u32(framed.data()) == body.size());
  CHECK(framed.substr(8) == body);
  CHECK(wire::load_u32(framed.data() + 4) == crc32c(framed.substr(0, 4) + body));
}

TEST_CASE("a salt changes the checksum alone, and putting it in twice takes it out") {
  journal::Record record;
  record.mutable_namespace_created()->set_name("orders");
  auto plain = frame(record);
  auto salted = plain;
  salt_frame(salted, 0x12345678);
  CHECK(wire::load_u32(salted.data() + 4) == (wire::load_u32(plain.data() + 4) ^ 0x12345678));
  CHECK(salted.substr(8) == plain.substr(8));
  CHECK(record_checksum(std::string_view{salted}.substr(0, 4), std::string_view{salted}.substr(8), 0x12345678) ==
        wire::load_u32(salted.data() + 4));
  salt_frame(salted, 0x12345678);
  CHECK(salted == plain);
}

TEST_CASE("a record without an event cannot be framed, because length zero ends the log") {
  CHECK_THROWS_AS(frame(journal::Record{}), std::length_error);
}

TEST_CASE("a record that is too long cannot be framed") {
  journal::Record record;
  record.mutable_acknowledged()->set_ids(std::string(format::max_record_length, 'x'));
  CHECK_THROWS_AS(frame(record), std::length_error);
}

TEST_CASE("varints take as many bytes as varint_size says") {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (auto value : {(std::uint64_t{1} << bits) - 1, std::uint64_t{1} << bits, ~std::uint64_t{0} >> bits}) {
      char buffer[wire::max_varint_size];
      auto* end = wire::put_varint(buffer, value);
      CHECK(static_cast<std::size_t>(end - buffer) == wire::varint_size(value));
      std::uint64_t read = 0;
      wire::reader reader{{buffer, static_cast<std::size_t>(end - buffer)}};
      REQUIRE(reader.read_varint(read));
      CHECK(read == value);
    }
  }
}

}  // namespace mqlite
