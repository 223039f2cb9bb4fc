#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlite::cli {

/// Where names come from that only the broker knows. Either may give nothing.
struct name_sources {
  std::function<std::vector<std::string>()> namespaces;
  std::function<std::vector<std::string>(const std::string& name_space)> topics;
};

/// What the last word of `line`, which ends at the cursor, can become: commands, flags, namespaces or topics, sorted. The word may be
/// empty.
std::vector<std::string> completions(const CLI::App& grammar, std::string_view line, const name_sources& names);

/// What all of them begin with.
std::string common_start(const std::vector<std::string>& words);

}  // namespace mqlite::cli
