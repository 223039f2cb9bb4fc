#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "actors/message_id.hpp"

namespace mqlite::check {

/// What the command line asks for.
struct options {
  std::filesystem::path folder;
  bool dump = false;
  std::optional<message_id> explain;
  std::optional<std::filesystem::path> repair_into;
  std::string output;  ///< not empty: print this and stop (help, version)
};

/// Throws usage_error.
options parse_options(int argc, char** argv);

/// The command line, or what it names, cannot be used. Its text is one line.
class usage_error final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mqlite::check
