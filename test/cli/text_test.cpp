#include <doctest/doctest.h>

#include <set>

#include "cli/text/escape.hpp"
#include "cli/text/table.hpp"
#include "cli/text/token.hpp"
#include "cli/text/units.hpp"

using namespace mqlite::cli;
using namespace std::chrono_literals;

TEST_CASE("text for terminals keeps what is text and escapes what steers or hides") {
  CHECK(escaped("grün \"{}\" 漢字 🎈") == "grün \"{}\" 漢字 🎈");
  CHECK(escaped("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(escaped("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(escaped(std::string_view("\0\x7f", 2)) == "\\x00\\x7f");
  CHECK(escaped("\xc2\x9b") == "\\u{9b}");  // a control character of two bytes
  CHECK(escaped("a\xe2\x80\xae"
                "b") == "a\\u{202e}b");  // from here on from right to left
  CHECK(escaped("\xff\xfe") == "\\xff\\xfe");
}

TEST_CASE("bytes that only look like UTF-8 are escaped one by one") {
  CHECK(escaped("\xc0\xaf") == "\\xc0\\xaf");                    // a slash that is longer than it must be
  CHECK(escaped("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // half of a surrogate pair
  CHECK(escaped("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");  // beyond the last character
  CHECK(escaped("\xe2\x82") == "\\xe2\\x82");                    // cut off
  CHECK(escaped("\xe2\x82z") == "\\xe2\\x82z");
}

TEST_CASE("long text is cut at characters") {
  CHECK(escaped("grün", 4) == "grün");
  CHECK(escaped("grüne", 4) == "grün...");
  CHECK(escaped("", 0).empty());
}

TEST_CASE("columns are as wide as they must be and numbers stand to the right") {
  table rows({{"NAME"}, number_column("N"), {"STATE"}});
  CHECK(rows.text() == "NAME  N  STATE\n");
  rows.add({"grün", "1,000", "ok"});
  rows.add({"b", "7"});
  CHECK(rows.text() ==
        "NAME      N  STATE\n"
        "grün  1,000  ok\n"
        "b         7\n");
}

TEST_CASE("numbers are written for people") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1,000");
  CHECK(count_text(-1234567) == "-1,234,567");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KB");
  CHECK(bytes_text(20LL << 20) == "20.0 MB");
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(0.25) == "0.2");
  CHECK(rate_text(12.4) == "12");
  CHECK(rate_text(12345.6) == "12,346");
}

TEST_CASE("durations have the units that fit") {
  CHECK(duration_text(250ms) == "250ms");
  CHECK(duration_text(1500ms) == "1.5s");
  CHECK(duration_text(30s) == "30s");
  CHECK(duration_text(125s) == "2m 5s");
  CHECK(duration_text(2min) == "2m");
  CHECK(duration_text(190min) == "3h 10m");
  CHECK(duration_text(std::chrono::hours(98)) == "4d 2h");
}

TEST_CASE("times have milliseconds and no rest of nanoseconds") {
  CHECK(time_text(1'795'399'008'053'288'818).substr(19) == ".053");
  CHECK(time_text(0).size() == 23);
}

TEST_CASE("tokens are 256 random bits that fit into a URL") {
  const unsigned char bytes[] = {0xfb, 0xff, 0xfe, 0x00};
  CHECK(base64_for_urls(bytes) == "-__-AA");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto token = new_token();
    CHECK(token.size() == 43);
    CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    seen.insert(token);
  }
  CHECK(seen.size() == 100);
}
