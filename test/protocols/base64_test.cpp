#include "protocols/translate/base64.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace mqlite;

namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

}  // namespace

TEST_CASE("Base64 spells the examples of RFC 4648") {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : examples) {
    CHECK(encoded(plain) == text);
    CHECK(decode_base64(text) == std::string(plain));
  }
}

TEST_CASE("Base64 gives back every byte string") {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    CHECK(decode_base64(encoded(bytes)) == bytes);
  }
}

TEST_CASE("Base64 that is spelled in any other way is refused") {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v\n", " Zm9v", "Zm 9", "Zm9-",
                                      "Zm9_", "Zh==", "Zm9=", "Zg==Zg==", "Z=g=", "Zm9v="})
    CHECK_FALSE(decode_base64(text).has_value());
  CHECK_FALSE(decode_base64(std::string_view("Zm\0v", 4)).has_value());
}
