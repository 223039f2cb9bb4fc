#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include "protocols/http/request.hpp"

namespace mqlite {

/// Reads one request into an http_request: Beast's parser, keeping of the header only what is used.
class request_parser final : public boost::beast::http::basic_parser<true> {
 public:
  request_parser(http_request& into, std::uint64_t most_body_bytes);

  /// Reads from the front of `input`, which holds all bytes that were received and not yet taken, and returns how many it took.
  std::size_t put(boost::asio::const_buffer input, boost::beast::error_code& error);

 private:
  using verb = boost::beast::http::verb;
  using field = boost::beast::http::field;
  using text = boost::beast::string_view;
  using error_type = boost::beast::error_code;

  void on_request_impl(verb method, text method_text, text target, int version, error_type& error) override;
  void on_response_impl(int, text, int, error_type&) override {}
  void on_field_impl(field name, text name_text, text value, error_type& error) override;
  void on_header_impl(error_type& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_type& error) override;
  std::size_t on_body_impl(text part, error_type& error) override;
  void on_chunk_header_impl(std::uint64_t, text, error_type&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remaining, text part, error_type& error) override;
  void on_finish_impl(error_type& error) override;

  http_request& into_;
  bool has_host_ = false;
};

}  // namespace mqlite
