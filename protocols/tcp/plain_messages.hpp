#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/translate/answers.hpp"

/// Answers with messages, as serialised TCPResponses, written without the library's tree of strings: of the time that the loop spent
/// on a consume with its ack that was a quarter.
namespace mqlite::tcp {

/// `status` of every answer but errors, as a field of a serialised TCPResponse.
inline constexpr std::string_view ok_status("\x0a\x02ok", 4);

/// The answer to a consume.
void append_consumed_response(std::string& out, std::uint64_t request_id, const message_origin& from,
                              const std::vector<delivery>& messages);
/// One message of a subscription.
void append_pushed_response(std::string& out, const message_origin& from, const delivery& message);

}  // namespace mqlite::tcp
