#include "config/command_line.hpp"
#include "config/keys.hpp"
#include "config/toml_file.hpp"
#include "test/config/support.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <random>

using namespace mqlite;
using namespace std::string_literals;

namespace {

using generator = std::mt19937;

std::size_t below(generator& random, std::size_t bound) { return bound == 0 ? 0 : random() % bound; }

/// One to eight small damages: a byte changed, removed or inserted, a piece repeated or cut out.
std::string mutated(std::string text, generator& random) {
  static const auto bytes = "=\"'[]{}.,#\n\r\t \\-+_0123456789eExXaMBsmh:\0\x7f\x80\xc3\xff"s;
  for (auto n = 1 + below(random, 8); n > 0; --n) {
    auto at = below(random, text.size() + 1);
    auto length = below(random, 20);
    switch (below(random, 5)) {
      case 0:
        text.insert(at, 1, bytes[below(random, bytes.size())]);
        break;
      case 1:
        text.erase(at, 1);
        break;
      case 2:
        text.insert(at, text.substr(below(random, text.size() + 1), length));
        break;
      case 3:
        text.erase(at, length);
        break;
      default:
        if (at < text.size()) text[at] = bytes[below(random, bytes.size())];
    }
  }
  return text;
}

/// True if `action` either succeeds or fails with a config_error of one line; anything else escapes and fails the test.
template <class Action>
bool ends_orderly(Action action) {
  try {
    action();
    return true;
  } catch (const config_error& error) {
    std::string_view line = error.what();
    return line.find(": ") != std::string_view::npos && line.find('\n') == std::string_view::npos;
  }
}

}  // namespace

TEST_CASE("a damaged file loads or is refused in one line") {
  std::ifstream file(MQLITE_TOML);
  const std::string sound{std::istreambuf_iterator<char>(file), {}};
  temporary_folder folder;
  generator random(1);
  int refused = 0;
  for (int round = 0; round < 2'000; ++round) {
    load_options options;
    options.file = folder.write("damaged.toml", mutated(sound, random));
    CAPTURE(round);
    CHECK(ends_orderly([&] {
      try {
        load_settings(options);
      } catch (const config_error&) {
        ++refused;
        throw;
      }
    }));
  }
  CHECK(refused > 500);  // else the damages were too gentle to test anything
  CHECK(refused < 2'000);
}

TEST_CASE("a deeply nested file is refused or read") {
  std::string dotted = "a";
  for (int depth = 0; depth < 30'000; ++depth) dotted += ".a";
  const std::string brackets(30'000, '[');
  for (const auto& text : {dotted + " = 1\n", "[" + dotted + "]\n", "a = " + brackets + "\n", brackets + "\n"})
    CHECK(ends_orderly([&] { read_toml(text, "deep.toml"); }));
}

TEST_CASE("damaged values in flags and in the environment are taken or refused in one line") {
  generator random(2);
  const settings defaults;
  for (const auto& key : setting_keys())
    for (int round = 0; round < 100; ++round) {
      auto text = mutated(key.get(defaults), random);
      CAPTURE(key.name);
      CAPTURE(text);
      CHECK(ends_orderly([&] {
        load_options options;
        options.default_file = "/nonexistent/mqlite.toml";
        options.environment = {{mutated(environment_name(key.name), random), text}, {environment_name(key.name), text}};
        load_settings(options);
      }));
      CHECK(ends_orderly([&] {
        parse_command_line({mutated("--" + key.name, random), text}, {}, "/nonexistent/mqlite.toml");
      }));
    }
}
