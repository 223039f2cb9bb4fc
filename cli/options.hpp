#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

/// Options and operands whose values say what is wrong with them in words.
namespace mqlite::cli {

/// One whose text `read` takes, which throws bad_value.
CLI::Option* add_value(CLI::App* to, const std::string& names, std::function<void(const std::string&)> read,
                       const std::string& description);

/// A duration with a unit, as in `--wait 30s`, or 0.
CLI::Option* add_duration(CLI::App* to, const std::string& names, std::function<void(std::chrono::milliseconds)> set,
                          const std::string& description);

/// A whole number from `least` to `most`. Throws bad_value.
std::int64_t whole_number(const std::string& text, std::int64_t least, std::int64_t most);

/// A whole number that is `least` or more.
template <class T>
CLI::Option* add_number(CLI::App* to, const std::string& names, T least, std::function<void(T)> set,
                        const std::string& description) {
  const auto read = [least, set = std::move(set)](const std::string& text) {
    set(static_cast<T>(whole_number(text, least, std::numeric_limits<T>::max())));
  };
  return add_value(to, names, read, description)->type_name("NUMBER");
}

/// The same into `number`, which outlives `to`.
template <class T>
CLI::Option* add_number(CLI::App* to, const std::string& names, T least, T& number, const std::string& description) {
  return add_number<T>(to, names, least, std::function<void(T)>([&number](T given) { number = given; }), description);
}

/// The number of a queue, or `any`, which is -1.
CLI::Option* add_queue_or_any(CLI::App* to, const std::string& names, std::function<void(std::int32_t)> set,
                              const std::string& description);

}  // namespace mqlite::cli
