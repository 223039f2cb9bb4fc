#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/errors.hpp"
#include "actors/operations.hpp"

namespace mqlite {

/// A publish as most of them are: names, a payload, perhaps a queue.
struct plain_publish {
  std::string_view name_space;  ///< like the other texts a part of the request; null where it is absent
  std::string_view topic;
  std::string_view payload;
  queue_number queue = any_queue;
};

/// Reads a PublishRequest that says no more than that, each once, without the library and without copies; names are not checked.
/// Nothing for every other one, which the library then reads (and refuses, where it is malformed).
std::optional<plain_publish> read_plain_publish(std::string_view request) noexcept;

/// Appends a PublishResult as field 1 of a message, which PublishStreamResponse and PublishBatchResponse have nothing but.
void append_publish_result(std::string& out, const outcome<published>& how);

}  // namespace mqlite
