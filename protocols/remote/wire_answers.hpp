#pragma once

#include <caf/error.hpp>
#include <utility>
#include <vector>

#include "mqlite/client/interfaces.hpp"
#include "protocols/translate/requests.hpp"

/// What the broker answers, as CAF clients read it.
namespace mqlite::remote {

namespace wire = mqlite::client;

wire::errc code_of(error_code code) noexcept;
caf::error error_of(const failure& why);

/// What the broker answers about the messages that it was given, and between them what was refused before, by position.
wire::publish_results to_wire(const std::vector<outcome<published>>& outcomes,
                              const std::vector<std::pair<std::size_t, failure>>& refused);
std::vector<wire::message> to_wire(const std::vector<delivery>& deliveries);
wire::peeked_batch to_wire(const std::vector<peeked>& seen);
wire::settled to_wire(const settled& how, const named_messages& named);
wire::topic_list to_wire(const std::vector<topic_info>& topics);
wire::topic_details to_wire(const topic_details& details);
wire::resized to_wire(const resized& how);

}  // namespace mqlite::remote
