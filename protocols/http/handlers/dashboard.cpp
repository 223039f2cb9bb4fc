#include <sys/random.h>

#include <array>
#include <string>
#include <string_view>

#include "protocols/http/dashboard_text.hpp"
#include "protocols/http/exchange.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/translate/base64.hpp"

namespace mqlite {
namespace {

/// Stands in the page wherever its own style and script name the answer's nonce.
constexpr std::string_view nonce_mark = "NONCE-OF-THIS-ANSWER";

/// 128 random bits as text. A system that gives none makes the page go without its script, not without protection.
std::string new_nonce() {
  std::array<char, 16> bits{};
  std::string text;
  if (getrandom(bits.data(), bits.size(), 0) == static_cast<ssize_t>(bits.size()))
    append_base64(text, {bits.data(), bits.size()});
  return text;
}

void append_page(std::string& out, const std::string& nonce) {
  auto rest = dashboard_text();
  out.reserve(rest.size() + 64);
  for (auto at = rest.find(nonce_mark); at != std::string_view::npos; at = rest.find(nonce_mark)) {
    out.append(rest.substr(0, at)).append(nonce);
    rest.remove_prefix(at + nonce_mark.size());
  }
  out += rest;
}

}  // namespace

/// The page's own style and script run, and it may speak to this broker; anything else that got into it stays without effect.
void show_dashboard(exchange& x) {
  const auto nonce = new_nonce();
  const auto allowed = nonce.empty() ? std::string("'none'") : "'nonce-" + nonce + "'";
  append_page(x.body(), nonce);
  x.send(200, "text/html; charset=utf-8",
         "Content-Security-Policy: default-src 'none'; script-src " + allowed + "; style-src " + allowed +
             "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
             "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n");
}

}  // namespace mqlite
