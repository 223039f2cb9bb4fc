#pragma once

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
/// False for every other one, which the library then reads (and refuses, where it is malformed). `to` is new; it is
/// filled in place, because a copy of what was just written waits for the processor's store buffer.
bool read_plain_publish(std::string_view request, plain_publish& to) noexcept;

/// Appends a PublishResult as field 1 of a message, which PublishStreamResponse and PublishBatchResponse have nothing but.
void append_publish_result(std::string& out, const outcome<published>& how);

}  // namespace mqlite
