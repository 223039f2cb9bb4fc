#include "protocols/http/request_parser.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <utility>

namespace mqlite {
namespace {

constexpr std::uint32_t most_header_bytes = 16 * 1024;
/// Room made for a body whose length was announced; what really comes decides about more.
constexpr std::uint64_t trusted_length = 64 * 1024;
/// The least that is still to come while a chunked body is being read: `0`, and two ends of lines.
constexpr std::size_t shortest_end_of_chunks = 5;

http_method method_of(boost::beast::http::verb method) {
  using boost::beast::http::verb;
  switch (method) {
    case verb::get:
      return http_method::get;
    case verb::head:
      return http_method::head;
    case verb::post:
      return http_method::post;
    case verb::put:
      return http_method::put;
    case verb::patch:
      return http_method::patch;
    case verb::delete_:
      return http_method::del;
    default:
      return http_method::other;
  }
}

}  // namespace

request_parser::request_parser(http_request& into, std::uint64_t most_body_bytes) : into_(into) {
  into_.clear();
  eager(true);
  header_limit(most_header_bytes);
  body_limit(most_body_bytes);
}

// Beast asserts that it never sees the last chunk with fewer bytes behind it than that, and is wrong about it when they come one by
// one: a peer could end the process. Waiting for them costs nothing, because they have to come anyhow.
std::size_t request_parser::put(boost::asio::const_buffer input, error_type& error) {
  if (is_header_done() && chunked() && input.size() < shortest_end_of_chunks) {
    error = boost::beast::http::error::need_more;
    return 0;
  }
  return basic_parser::put(input, error);
}

void request_parser::on_request_impl(verb method, text method_text, text target, int version, error_type& error) {
  into_.method = method_of(method);
  into_.method_text.assign(method_text.data(), method_text.size());
  // The absolute form, as it is sent to proxies, is to be understood everywhere (RFC 9112, 3.2.2).
  if (boost::beast::iequals(target.substr(0, 7), "http://")) {
    const auto path = target.find('/', 7);
    target = path == text::npos ? text("/") : target.substr(path);
  }
  into_.target.assign(target.data(), target.size());
  into_.http_1_0 = version == 10;
  error = {};
}

void request_parser::on_field_impl(field name, text, text value, error_type& error) {
  // Where the body of any other coding ends is not known, and a guess would take a part of it for the next request (RFC 9112, 6.3).
  if (name == field::transfer_encoding && !boost::beast::iequals(value, "chunked")) {
    error = boost::beast::http::error::bad_transfer_encoding;
    return;
  }
  // Whoever passes requests on by one of two hosts may mean the other (RFC 9112, 3.2).
  if (name == field::host && std::exchange(has_host_, true)) {
    error = boost::beast::http::error::bad_field;
    return;
  }
  if (name == field::expect) into_.expects_continue = boost::beast::iequals(value, "100-continue");
  error = {};
}

void request_parser::on_header_impl(error_type& error) {
  into_.keep_alive = keep_alive();
  error = {};
}

void request_parser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_type& error) {
  if (length) into_.body.reserve(static_cast<std::size_t>(std::min(*length, trusted_length)));
  error = {};
}

std::size_t request_parser::on_body_impl(text part, error_type& error) {
  into_.body.append(part.data(), part.size());
  error = {};
  return part.size();
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, text part, error_type& error) {
  return on_body_impl(part, error);
}

void request_parser::on_finish_impl(error_type& error) { error = {}; }

}  // namespace mqlite
