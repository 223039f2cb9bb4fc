#include "cli/text/token.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "protocols/translate/base64.hpp"

namespace mqlite::cli {

std::string base64_for_urls(std::span<const unsigned char> bytes) {
  std::string text;
  append_base64(text, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string new_token() {
  std::array<unsigned char, 32> secret{};
  if (getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
    throw std::system_error(errno, std::generic_category(), "no random bytes");
  return base64_for_urls(secret);
}

}  // namespace mqlite::cli
