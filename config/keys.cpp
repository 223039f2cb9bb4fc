#include "config/keys.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mqlite {

namespace {

template <class Access, class T>
setting_key make_key(std::string name, Access access, value_type<T> type, std::string help) {
  auto set = [access, type](settings& target, const given_value& value) {
    bool right_type = value.type == given_value::kind::text ||
                      std::find(type.from_file.begin(), type.from_file.end(), value.type) != type.from_file.end();
    if (!right_type) throw bad_value("must be " + type.expected + ", not " + value.type_name);
    access(target) = type.parse(value.text);
  };
  auto get = [access, type](const settings& source) { return type.write(access(source)); };
  return {std::move(name), std::move(help), type.placeholder, set, get};
}

// A key's name is its path inside `settings`, so that it is spelled once.
#define MQLITE_KEY(path, ...) \
  make_key(                   \
      #path, [](auto& s) -> auto& { return s.path; }, __VA_ARGS__)

std::vector<setting_key> make_keys() {
  constexpr std::uint64_t gb = 1 << 30;
  auto port = integer_value<std::uint16_t>(0, 65'535);
  auto fsync = choice_value<fsync_policy>({"always", "everysec", "no"});
  auto level = choice_value<log_level>({"trace", "debug", "info", "warn", "error"});
  auto format = choice_value<log_format>({"console", "json"});
  auto optional_path = path_value(presence::optional);
  return {
      MQLITE_KEY(ack_timeout, duration_value(), "How long a delivered message may stay unacknowledged"),
      MQLITE_KEY(drain_timeout, duration_value(), "How long a queue that a resize removes may drain"),
      MQLITE_KEY(shutdown_timeout, duration_value(), "How long a stop may take to finish what was accepted"),

      MQLITE_KEY(server.http.enabled, boolean_value(), "Serve HTTP, the dashboard and metrics"),
      MQLITE_KEY(server.http.address, address_value(), "IP address to listen on for HTTP"),
      MQLITE_KEY(server.http.port, port, "Port for HTTP; 0 takes any free one"),
      MQLITE_KEY(server.grpc.enabled, boolean_value(), "Serve gRPC"),
      MQLITE_KEY(server.grpc.address, address_value(), "IP address to listen on for gRPC"),
      MQLITE_KEY(server.grpc.port, port, "Port for gRPC; 0 takes any free one"),
      MQLITE_KEY(server.tcp.enabled, boolean_value(), "Serve the framed TCP protocol"),
      MQLITE_KEY(server.tcp.address, address_value(), "IP address to listen on for TCP"),
      MQLITE_KEY(server.tcp.port, port, "Port for TCP; 0 takes any free one"),
      MQLITE_KEY(server.caf.enabled, boolean_value(), "Serve remote CAF actors"),
      MQLITE_KEY(server.caf.address, address_value(), "IP address to listen on for remote actors"),
      MQLITE_KEY(server.caf.port, port, "Port for remote actors; 0 takes any free one"),

      MQLITE_KEY(persistence.enabled, boolean_value(), "Keep messages on disk"),
      MQLITE_KEY(persistence.aof.fsync, fsync, "When the log is synced: always, everysec or no"),
      MQLITE_KEY(persistence.aof.dir, path_value(presence::required), "Folder of the log"),
      MQLITE_KEY(persistence.aof.rewrite_min_size, size_value(0), "A smaller log is not rewritten by itself"),
      MQLITE_KEY(persistence.aof.rewrite_percentage, integer_value<std::uint32_t>(0, 1'000'000),
                 "Growth in percent that starts a rewrite; 0 = never by itself"),

      // A record of the log holds one at least, along with what else came in the same moment.
      MQLITE_KEY(limits.max_message_bytes, size_value(1, gb / 8), "Payload, headers and key of one message"),
      MQLITE_KEY(limits.max_request_bytes, size_value(1, gb), "One HTTP body, gRPC message or TCP frame"),
      MQLITE_KEY(limits.max_memory, size_value(0), "Publishes are refused above it; 0 = no limit"),
      MQLITE_KEY(limits.max_connections, integer_value<std::uint32_t>(1, 10'000'000), "Connections of all protocols"),

      MQLITE_KEY(log.level, level, "trace, debug, info, warn or error"),
      MQLITE_KEY(log.format, format, "console or json"),

      MQLITE_KEY(tls.enabled, boolean_value(), "Encrypt every protocol"),
      MQLITE_KEY(tls.certificate, optional_path, "PEM file of the server's certificate chain"),
      MQLITE_KEY(tls.key, optional_path, "PEM file of the server's private key"),
      MQLITE_KEY(tls.client_ca, optional_path, "PEM file; clients must show a certificate that it signed"),

      MQLITE_KEY(auth.enabled, boolean_value(), "Ask clients for a token"),
      MQLITE_KEY(auth.tokens_file, optional_path, "File of the tokens"),

      MQLITE_KEY(scheduler.threads, integer_value<std::uint32_t>(0, 1'024), "Worker threads; 0 = one for each core"),
  };
}

#undef MQLITE_KEY

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<setting_key>& setting_keys() {
  static const auto keys = make_keys();
  return keys;
}

const setting_key* find_key(std::string_view name) {
  const auto& keys = setting_keys();
  auto found = std::find_if(keys.begin(), keys.end(), [&](const setting_key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string environment_name(std::string_view key_name) {
  std::string result = "MQLITE_";
  for (char c : key_name) result += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t least = 0;
  for (const auto& candidate : candidates) {
    auto tolerance = std::max<std::size_t>(2, candidate.size() / 3);
    if (name.size() > candidate.size() + tolerance) continue;
    auto distance = edit_distance(name, candidate);
    if (distance <= tolerance && (!best || distance < least)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

std::string describe(const settings& source) {
  std::string result;
  for (const auto& key : setting_keys()) result += key.name + " = " + key.get(source) + "\n";
  return result;
}

}  // namespace mqlite
