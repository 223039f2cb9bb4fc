#include "protocols/http/refusal.hpp"

#include <string>

#include "protocols/http/response_head.hpp"
#include "protocols/net/last_words.hpp"
#include "protocols/translate/answers.hpp"

namespace mqlite {
namespace {

std::string answer_text(std::uint64_t most) {
  std::string body = "{\"success\":false,";
  append_failure_members(body, {error_code::resource_exhausted,
                                "there are " + std::to_string(most) + " connections already (limits.max_connections)"});
  body += '}';
  std::string text;
  append_head(text, {.status = 429, .fields = {}, .keep_alive = false}, body.size());
  return text + body;
}

}  // namespace

void refuse_connection(tcp_socket socket, std::uint64_t most_connections) {
  say_and_close(std::move(socket), answer_text(most_connections));
}

}  // namespace mqlite
