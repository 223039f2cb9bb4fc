#include "config/values.hpp"

#include <doctest/doctest.h>

using namespace mqlite;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string reason(const value_type<T>& type, std::string_view text) {
  try {
    type.parse(text);
  } catch (const bad_value& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a duration is a number with one of four units") {
  auto duration = duration_value();
  CHECK(duration.parse("250ms") == 250ms);
  CHECK(duration.parse("30s") == 30s);
  CHECK(duration.parse("5m") == 5min);
  CHECK(duration.parse("1h") == 1h);
  CHECK(duration.parse("8760h") == 8760h);
}

TEST_CASE("a malformed duration is refused with what it should look like") {
  auto duration = duration_value();
  const std::string expected = "must be a duration such as \"30s\" (units ms, s, m, h), not ";
  for (std::string text :
       {"30", "", "s", "30 s", " 30s", "30s ", "1.5h", "30S", "30sec", "1m30s", "+3s", "-", "-s", "0x1s"})
    CHECK(reason(duration, text) == expected + "`" + text + "`");
}

TEST_CASE("a duration is more than zero and at most a year") {
  auto duration = duration_value();
  CHECK(reason(duration, "0s") == "must be more than zero, but is `0s`");
  CHECK(reason(duration, "-5s") == "must not be negative, but is `-5s`");
  CHECK(reason(duration, "8761h") == "must be at most 8760h, not `8761h`");
  CHECK(reason(duration, "18446744073709551616ms") == "is too large: `18446744073709551616ms`");
  CHECK(reason(duration, "18446744073709551615h") == "is too large: `18446744073709551615h`");
}

TEST_CASE("a size counts bytes or powers of 1024") {
  auto size = size_value(0);
  CHECK(size.parse("0") == 0);
  CHECK(size.parse("1500") == 1500);
  CHECK(size.parse("2KB") == 2048);
  CHECK(size.parse("64MB") == 67'108'864);
  CHECK(size.parse("3gb") == 3ULL << 30);
  CHECK(size.parse("18446744073709551615") == UINT64_MAX);
}

TEST_CASE("a malformed size is refused with what it should look like") {
  auto size = size_value(0);
  const std::string expected = "must be a size such as \"64MB\" (units KB, MB, GB) or a number of bytes, not ";
  for (std::string text : {"", "MB", "64 MB", "64MiB", "64M", "1.5GB", "1e3", "0x10", "64MBs", "-"})
    CHECK(reason(size, text) == expected + "`" + text + "`");
}

TEST_CASE("a size is neither negative nor larger than 64 bits nor outside its bounds") {
  auto size = size_value(1, 1 << 20);
  CHECK(reason(size, "-1") == "must not be negative, but is `-1`");
  CHECK(reason(size, "0") == "must be at least 1, not `0`");
  CHECK(reason(size, "2MB") == "must be at most 1MB, not `2MB`");
  CHECK(reason(size, "18446744073709551616") == "is too large: `18446744073709551616`");
  CHECK(reason(size, "17179869184GB") == "is too large: `17179869184GB`");
}

TEST_CASE("a number stays inside its bounds") {
  auto port = integer_value<std::uint16_t>(0, 65'535);
  CHECK(port.parse("0") == 0);
  CHECK(port.parse("65535") == 65'535);
  CHECK(reason(port, "65536") == "must be from 0 to 65535, not 65536");
  CHECK(reason(port, "-1") == "must be from 0 to 65535, not -1");
  CHECK(reason(port, "99999999999999999999") == "must be from 0 to 65535, not 99999999999999999999");
  for (std::string text : {"", "http", "80.0", "8_0", " 80", "80 ", "+80", "0x50", "--1"})
    CHECK(reason(port, text) == "must be a whole number from 0 to 65535, not `" + text + "`");
}

TEST_CASE("an address is a numeric one of IPv4 or IPv6") {
  auto address = address_value();
  for (std::string text : {"127.0.0.1", "0.0.0.0", "::1", "::", "fe80::1"}) CHECK(address.parse(text) == text);
  const std::string expected = "must be an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\", not ";
  for (std::string text : {"", "localhost", "256.0.0.1", "1.2.3", "[::1]", "127.0.0.1:80", "*"})
    CHECK(reason(address, text) == expected + "`" + text + "`");
  CHECK(reason(address, std::string_view("::1\0x", 5)) == expected + "`::1\\x00x`");
}

TEST_CASE("a boolean, a choice and a path take nothing else") {
  CHECK(boolean_value().parse("true"));
  CHECK_FALSE(boolean_value().parse("false"));
  CHECK(reason(boolean_value(), "yes") == "must be `true` or `false`, not `yes`");
  auto colour = choice_value<int>({"red", "green", "blue"});
  CHECK(colour.parse("blue") == 2);
  CHECK(reason(colour, "Blue") == "must be `red`, `green` or `blue`, not `Blue`");
  CHECK(path_value(presence::optional).parse("").empty());
  CHECK(reason(path_value(presence::required), "") == "must not be empty");
  CHECK(reason(path_value(presence::required), std::string_view("a\0b", 3)) == "must not contain a zero character");
}

TEST_CASE("values are written the shortest way that is exact") {
  CHECK(duration_value().write(30s) == "\"30s\"");
  CHECK(duration_value().write(1500ms) == "\"1500ms\"");
  CHECK(duration_value().write(120min) == "\"2h\"");
  CHECK(size_value(0).write(0) == "\"0\"");
  CHECK(size_value(0).write(1025) == "\"1025\"");
  CHECK(size_value(0).write(1ULL << 40) == "\"1024GB\"");
  CHECK(toml_string("a\"b\\c\n") == R"("a\"b\\c\u000a")");
}
