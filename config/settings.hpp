#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mqlite {

/// When the log calls fsync.
enum class fsync_policy {
  always,    ///< before each answer; one fsync serves every record that waits for it
  everysec,  ///< about once a second
  no,        ///< when the operating system likes
};

/// The least important log line that is still written.
enum class log_level { trace, debug, info, warn, error };

/// How log lines look.
enum class log_format {
  console,  ///< for people
  json,     ///< one JSON object a line
};

/// Where one protocol listens.
struct listener_settings {
  bool enabled = true;
  std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address
  std::uint16_t port = 0;             ///< 0 takes any free port

  bool operator==(const listener_settings&) const = default;
};

struct server_settings {
  listener_settings http{.port = 8080};
  listener_settings grpc{.port = 9090};
  listener_settings tcp{.port = 7070};
  listener_settings caf{.port = 6060};

  bool operator==(const server_settings&) const = default;
};

/// The append-only log.
struct aof_settings {
  fsync_policy fsync = fsync_policy::everysec;
  std::string dir = "./data";
  std::uint64_t rewrite_min_size = 64ULL << 20;  ///< bytes; a smaller log is not rewritten by itself
  std::uint32_t rewrite_percentage = 100;        ///< growth since the last rewrite that starts one; 0 = never by itself

  bool operator==(const aof_settings&) const = default;
};

struct persistence_settings {
  bool enabled = true;
  aof_settings aof;

  bool operator==(const persistence_settings&) const = default;
};

struct limit_settings {
  std::uint64_t max_message_bytes = 1ULL << 20;   ///< payload, headers and key of one message
  std::uint64_t max_request_bytes = 16ULL << 20;  ///< one body or frame
  std::uint64_t max_memory = 0;                   ///< bytes above which publishes are refused; 0 = no limit
  std::uint32_t max_connections = 10'000;

  bool operator==(const limit_settings&) const = default;
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::console;

  bool operator==(const log_settings&) const = default;
};

struct tls_settings {
  bool enabled = false;
  std::string certificate;  ///< PEM file with the server's chain
  std::string key;          ///< PEM file with its private key
  std::string client_ca;    ///< PEM file; when named, clients must show a certificate that it signed

  bool operator==(const tls_settings&) const = default;
};

struct auth_settings {
  bool enabled = false;
  std::string tokens_file;

  bool operator==(const auth_settings&) const = default;
};

struct scheduler_settings {
  std::uint32_t threads = 0;  ///< 0 = as many as there are cores

  bool operator==(const scheduler_settings&) const = default;
};

/// Everything that can be configured. The initialisers of these structs are the defaults and stand nowhere else in
/// code.
struct settings {
  std::chrono::milliseconds ack_timeout{30'000};
  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds shutdown_timeout{5'000};
  server_settings server;
  persistence_settings persistence;
  limit_settings limits;
  log_settings log;
  tls_settings tls;
  auth_settings auth;
  scheduler_settings scheduler;

  bool operator==(const settings&) const = default;
};

}  // namespace mqlite
