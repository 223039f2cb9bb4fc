#include "cli/options.hpp"

#include <utility>

#include "config/error.hpp"
#include "config/values.hpp"

namespace mqlite::cli {
namespace {

std::int32_t queue_or_any(const std::string& text) {
  if (text == "any" || text == "-1") return -1;
  try {
    return static_cast<std::int32_t>(whole_number(text, 0, std::numeric_limits<std::int32_t>::max()));
  } catch (const bad_value&) {
    throw bad_value("must be a whole number of 0 or more, or any, not " + backquoted(text));
  }
}

}  // namespace

CLI::Option* add_value(CLI::App* to, const std::string& names, std::function<void(const std::string&)> read,
                       const std::string& description) {
  const auto named = [read = std::move(read), name = names.substr(names.rfind(',') + 1)](const std::string& text) {
    try {
      read(text);
    } catch (const bad_value& error) {
      throw CLI::ValidationError(name + " " + error.what());
    }
  };
  return to->add_option_function<std::string>(names, named, description);
}

CLI::Option* add_duration(CLI::App* to, const std::string& names, std::function<void(std::chrono::milliseconds)> set,
                          const std::string& description) {
  const auto read = [set = std::move(set)](const std::string& text) {
    set(text == "0" ? std::chrono::milliseconds(0) : duration_value().parse(text));
  };
  return add_value(to, names, read, description)->type_name("DURATION");
}

std::int64_t whole_number(const std::string& text, std::int64_t least, std::int64_t most) {
  return integer_value<std::int64_t>(static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)).parse(text);
}

CLI::Option* add_queue_or_any(CLI::App* to, const std::string& names, std::function<void(std::int32_t)> set,
                              const std::string& description) {
  const auto read = [set = std::move(set)](const std::string& text) { set(queue_or_any(text)); };
  return add_value(to, names, read, description)->type_name("NUMBER|any");
}

}  // namespace mqlite::cli
