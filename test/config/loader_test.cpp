#include "config/loader.hpp"

#include "config/keys.hpp"
#include "test/config/support.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdlib>

using namespace mqlite;
using namespace std::chrono_literals;

namespace {

/// Loads `text` as the file `mq.toml`; errors name it without its folder.
loaded_settings load_text(const std::string& text, const named_texts& environment = {}, const named_texts& flags = {}) {
  temporary_folder folder;
  load_options options;
  options.file = folder.write("mq.toml", text);
  options.environment = environment;
  options.flags = flags;
  try {
    return load_settings(options);
  } catch (const config_error& error) {
    std::string line = error.what();
    auto prefix = folder.path().string() + "/";
    if (!line.starts_with(prefix)) throw;
    auto name = line.substr(prefix.size());
    throw config_error(name.substr(0, name.find(": ")), name.substr(name.find(": ") + 2));
  }
}

std::string error_in(const std::string& text) {
  return config_error_of([&] { load_text(text); });
}

/// Loads without any file.
loaded_settings load_without_file(const named_texts& environment, const named_texts& flags = {}) {
  temporary_folder folder;
  load_options options;
  options.default_file = folder.path() / "mqlite.toml";
  options.environment = environment;
  options.flags = flags;
  return load_settings(options);
}

std::string error_of_variable(const std::string& name, const std::string& text) {
  return config_error_of([&] { load_without_file({{name, text}}); });
}

std::string error_of_flag(const std::string& name, const std::string& text) {
  return config_error_of([&] { load_without_file({}, {{name, text}}); });
}

}  // namespace

TEST_CASE("a file sets what it names and leaves the rest at the defaults") {
  auto loaded = load_text(
      "ack_timeout = \"2m\"\nlimits.max_memory = 4096\n[server.http]\nport = 0\nenabled = false\n"
      "[persistence]\naof = { dir = \"/var/mq\", rewrite_min_size = \"2MB\" }\n[log]\nlevel = 'debug'\n");
  settings expected;
  expected.ack_timeout = 2min;
  expected.limits.max_memory = 4096;
  expected.server.http.port = 0;
  expected.server.http.enabled = false;
  expected.persistence.aof.dir = "/var/mq";
  expected.persistence.aof.rewrite_min_size = 2 << 20;
  expected.log.level = log_level::debug;
  CHECK(describe(loaded.values) == describe(expected));
  CHECK(loaded.warnings.empty());
}

TEST_CASE("an absent default file means defaults, a named one that is absent is an error") {
  auto loaded = load_without_file({});
  CHECK(loaded.values == settings{});
  CHECK_FALSE(loaded.file.has_value());
  temporary_folder folder;
  load_options options;
  options.file = folder.path() / "none.toml";
  CHECK(config_error_of([&] { load_settings(options); }) == options.file->string() + ": there is no such file");
}

TEST_CASE("a default file that exists is read, and its name is told") {
  temporary_folder folder;
  load_options options;
  options.default_file = folder.write("mqlite.toml", "[log]\nlevel = \"warn\"\n");
  auto loaded = load_settings(options);
  CHECK(loaded.values.log.level == log_level::warn);
  CHECK(loaded.file == options.default_file);
}

TEST_CASE("a folder and an overlong file are refused") {
  temporary_folder folder;
  load_options options;
  options.file = folder.path();
  CHECK(config_error_of([&] { load_settings(options); }) == folder.path().string() + ": is a folder, not a file");
  options.file = folder.write("long.toml", std::string(64 * 1024 + 1, '#'));
  CHECK(config_error_of([&] { load_settings(options); }) ==
        options.file->string() + ": is larger than a configuration can be (64 KB)");
  options.file = folder.write("long.toml", std::string(64 * 1024, '#'));
  CHECK(load_settings(options).values == settings{});
}

TEST_CASE("a file that is not TOML is refused with the line") {
  CHECK(error_in("ack_timeout = \"30s\"\nport = = 3\n").starts_with("mq.toml:2: "));
  CHECK(error_in("\n\n[server\n").starts_with("mq.toml:3: "));
  CHECK(error_in("ack_timeout = \"1s\"\nack_timeout = \"2s\"\n").starts_with("mq.toml:2: "));
  CHECK(error_in("ack_timeout = \"\xff\"\n").starts_with("mq.toml:1: "));
  CHECK(error_in("limits.max_memory = 99999999999999999999\n").starts_with("mq.toml:1: "));
}

TEST_CASE("an unknown key is refused with its line and the nearest known one") {
  CHECK(error_in("[server.htpp]\nport = 1\n") ==
        "mq.toml:2: unknown key `server.htpp.port`; did you mean `server.http.port`?");
  CHECK(error_in("# first\nack_timout = \"1s\"\n") ==
        "mq.toml:2: unknown key `ack_timout`; did you mean `ack_timeout`?");
  CHECK(error_in("\n\ncolour = \"red\"\n") == "mq.toml:3: unknown key `colour`");
  CHECK(error_in("\"server.http.port\" = 1\n").starts_with("mq.toml:1: unknown key `\"server.http.port\"`"));
  CHECK(error_in("\n[plugins]\n") == "mq.toml:2: unknown key `plugins`");
  CHECK(error_in("[[plugins]]\nx = 1\n") == "mq.toml:1: unknown key `plugins`");
}

TEST_CASE("the first mistake in the file is the one that is told") {
  CHECK(error_in("[server]\nhttp.port = 70000\n[limits]\nmax_memory = true\n[auth]\nx = 1\n") ==
        "mq.toml:2: server.http.port must be from 0 to 65535, not 70000");
}

TEST_CASE("a wrong type is refused with its line, what is there and what should be") {
  CHECK(error_in("[server.http]\nport = \"8080\"\n") ==
        "mq.toml:2: server.http.port must be a whole number from 0 to 65535, not a string");
  CHECK(error_in("server.http.port = 80.5\n") ==
        "mq.toml:1: server.http.port must be a whole number from 0 to 65535, not a floating-point number");
  CHECK(error_in("ack_timeout = 30\n") ==
        "mq.toml:1: ack_timeout must be a duration such as \"30s\" (units ms, s, m, h), not an integer");
  CHECK(error_in("tls.enabled = \"true\"\n") == "mq.toml:1: tls.enabled must be `true` or `false`, not a string");
  CHECK(error_in("tls.enabled = 1\n") == "mq.toml:1: tls.enabled must be `true` or `false`, not an integer");
  CHECK(error_in("log.level = [\"info\"]\n") ==
        "mq.toml:1: log.level must be `trace`, `debug`, `info`, `warn` or `error`, not an array");
  CHECK(error_in("persistence.aof.dir = 1979-05-27\n") ==
        "mq.toml:1: persistence.aof.dir must be a path as a string, not a date or time");
  CHECK(error_in("limits.max_memory = true\n") ==
        "mq.toml:1: limits.max_memory must be a size such as \"64MB\" (units KB, MB, GB) or a number of bytes, not "
        "a boolean");
}

TEST_CASE("a table where a value belongs, and a value where a table belongs, are refused") {
  CHECK(error_in("[log.level]\n") ==
        "mq.toml:1: log.level must be `trace`, `debug`, `info`, `warn` or `error`, not a table");
  CHECK(error_in("\n[server.http.port]\nx = 1\n") ==
        "mq.toml:3: server.http.port must be a whole number from 0 to 65535, not a table");
  CHECK(error_in("server = 3\n") == "mq.toml:1: server must be a table, not an integer");
  CHECK(error_in("[server]\nhttp = false\n") == "mq.toml:2: server.http must be a table, not a boolean");
  CHECK(error_in("[[server]]\nx = 1\n") == "mq.toml:1: server must be a table, not an array");
  CHECK(error_in("[server]\n[persistence.aof]\n") == "no error");
}

TEST_CASE("an out-of-range value in the file is refused with its line") {
  CHECK(error_in("\nserver.tcp.port = -1\n") == "mq.toml:2: server.tcp.port must be from 0 to 65535, not -1");
  CHECK(error_in("ack_timeout = \"0s\"\n") == "mq.toml:1: ack_timeout must be more than zero, but is `0s`");
  CHECK(error_in("limits.max_memory = -5\n") == "mq.toml:1: limits.max_memory must not be negative, but is `-5`");
  CHECK(error_in("limits.max_memory = \"99999999999GB\"\n") ==
        "mq.toml:1: limits.max_memory is too large: `99999999999GB`");
  CHECK(error_in("limits.max_message_bytes = 0\n") ==
        "mq.toml:1: limits.max_message_bytes must be at least 1, not `0`");
  CHECK(error_in("limits.max_request_bytes = \"2GB\"\n") ==
        "mq.toml:1: limits.max_request_bytes must be at most 1GB, not `2GB`");
  CHECK(error_in("limits.max_connections = 0\n") ==
        "mq.toml:1: limits.max_connections must be from 1 to 10000000, not 0");
  CHECK(error_in("persistence.aof.fsync = \"never\"\n") ==
        "mq.toml:1: persistence.aof.fsync must be `always`, `everysec` or `no`, not `never`");
  CHECK(error_in("server.http.address = \"localhost\"\n") ==
        "mq.toml:1: server.http.address must be an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\", not "
        "`localhost`");
  CHECK(error_in("persistence.aof.dir = \"\"\n") == "mq.toml:1: persistence.aof.dir must not be empty");
}

TEST_CASE("an error is one line whatever the value holds") {
  CHECK(error_in("log.format = \"a\\nb\"\n") == "mq.toml:1: log.format must be `console` or `json`, not `a\\x0ab`");
  CHECK(error_in("log.format = \"" + std::string(500, 'x') + "\"\n") ==
        "mq.toml:1: log.format must be `console` or `json`, not `" + std::string(80, 'x') + "...`");
}

TEST_CASE("a mistake in the environment names the variable") {
  CHECK(error_of_variable("MQLITE_SERVER_HTTP_PORT", "70000") ==
        "environment MQLITE_SERVER_HTTP_PORT: must be from 0 to 65535, not 70000");
  CHECK(error_of_variable("MQLITE_ACK_TIMEOUT", "soon") ==
        "environment MQLITE_ACK_TIMEOUT: must be a duration such as \"30s\" (units ms, s, m, h), not `soon`");
  CHECK(error_of_variable("MQLITE_LOG_LEVEL", "") ==
        "environment MQLITE_LOG_LEVEL: must be `trace`, `debug`, `info`, `warn` or `error`, not ``");
}

TEST_CASE("a mistake in a flag names the flag") {
  CHECK(error_of_flag("server.http.port", "x") ==
        "--server.http.port: must be a whole number from 0 to 65535, not `x`");
  CHECK(error_of_flag("server.htpp.port", "1") == "--server.htpp.port: unknown flag; did you mean `server.http.port`?");
}

TEST_CASE("the environment takes every type as text") {
  auto values = load_without_file({{"MQLITE_SERVER_GRPC_PORT", "0"},
                                   {"MQLITE_SERVER_CAF_ENABLED", "false"},
                                   {"MQLITE_PERSISTENCE_AOF_REWRITE_MIN_SIZE", "1GB"},
                                   {"MQLITE_LIMITS_MAX_MEMORY", "123"},
                                   {"MQLITE_SHUTDOWN_TIMEOUT", "250ms"},
                                   {"MQLITE_PERSISTENCE_AOF_FSYNC", "always"}})
                    .values;
  CHECK(values.server.grpc.port == 0);
  CHECK_FALSE(values.server.caf.enabled);
  CHECK(values.persistence.aof.rewrite_min_size == 1ULL << 30);
  CHECK(values.limits.max_memory == 123);
  CHECK(values.shutdown_timeout == 250ms);
  CHECK(values.persistence.aof.fsync == fsync_policy::always);
}

TEST_CASE("an unknown variable of ours is warned about, others are none of our business") {
  auto loaded = load_without_file({{"MQLITE_SERVER_HTPP_PORT", "1"},
                                   {"MQLITE_", "x"},
                                   {"MQLITE_COLOUR", "red"},
                                   {"MQLITE_CLI_ADDRESS", "a:1"},
                                   {"PATH", "/bin"}});
  CHECK(loaded.values == settings{});
  REQUIRE(loaded.warnings.size() == 3);
  CHECK(loaded.warnings[0] ==
        "environment MQLITE_SERVER_HTPP_PORT: unknown variable; did you mean `MQLITE_SERVER_HTTP_PORT`?");
  CHECK(loaded.warnings[1] == "environment MQLITE_: unknown variable");
  CHECK(loaded.warnings[2] == "environment MQLITE_COLOUR: unknown variable");
}

TEST_CASE("a flag wins over the environment, that over the file, that over the default") {
  const std::string file = "[server]\nhttp.port = 1001\ngrpc.port = 1002\ntcp.port = 1003\n";
  const named_texts environment{{"MQLITE_SERVER_HTTP_PORT", "2001"}, {"MQLITE_SERVER_GRPC_PORT", "2002"}};
  auto loaded = load_text(file, environment, {{"server.http.port", "3000"}, {"server.http.port", "3001"}});
  CHECK(loaded.values.server.http.port == 3001);
  CHECK(loaded.values.server.grpc.port == 2002);
  CHECK(loaded.values.server.tcp.port == 1003);
  CHECK(loaded.values.server.caf.port == 6060);
  CHECK(loaded.origins.at("server.http.port") == "--server.http.port");
  CHECK(loaded.origins.at("server.grpc.port") == "environment MQLITE_SERVER_GRPC_PORT");
  CHECK(loaded.origins.at("server.tcp.port").ends_with("/mq.toml:4"));
  CHECK(loaded.origins.size() == 3);
}

TEST_CASE("a mistake is told even where a stronger source overrides it") {
  CHECK(config_error_of([] {
          load_text("server.http.port = -1\n", {}, {{"server.http.port", "1"}});
        }) == "mq.toml:1: server.http.port must be from 0 to 65535, not -1");
}

TEST_CASE("two listeners cannot have one port, unless it is 0, their addresses differ or one is off") {
  CHECK(error_in("[server]\nhttp.port = 7070\n") == "mq.toml:2: server.http.port and server.tcp.port are both 7070");
  CHECK(error_in("[server]\nhttp.port = 1\ngrpc.port = 1\n") ==
        "mq.toml:3: server.http.port and server.grpc.port are both 1");
  CHECK(error_in("[server]\nhttp.port = 7070\nhttp.address = \"0.0.0.0\"\n") ==
        "mq.toml:2: server.http.port and server.tcp.port are both 7070");
  CHECK(error_in("[server]\nhttp.port = 7070\nhttp.address = \"127.0.0.2\"\n") == "no error");
  CHECK(error_in("[server]\nhttp.port = 7070\ntcp.enabled = false\n") == "no error");
  CHECK(error_in("[server]\nhttp.port = 0\ngrpc.port = 0\ntcp.port = 0\ncaf.port = 0\n") == "no error");
}

TEST_CASE("what is switched on needs its files") {
  CHECK(error_in("[tls]\nenabled = true\nkey = \"k\"\n") ==
        "mq.toml:2: tls.enabled is true, but tls.certificate is empty");
  CHECK(error_in("[tls]\nenabled = true\ncertificate = \"c\"\n") ==
        "mq.toml:2: tls.enabled is true, but tls.key is empty");
  CHECK(error_in("[auth]\nenabled = true\n") == "mq.toml:2: auth.enabled is true, but auth.tokens_file is empty");
}

TEST_CASE("what is not built yet cannot be switched on") {
  CHECK(error_in("[tls]\nenabled = true\ncertificate = \"c\"\nkey = \"k\"\n") ==
        "mq.toml:2: tls.enabled: this version does not speak TLS yet; put a TLS proxy in front");
  CHECK(error_in("[auth]\nenabled = true\ntokens_file = \"t\"\n") ==
        "mq.toml:2: auth.enabled: this version does not check tokens yet");
}

TEST_CASE("the process's environment is searched for our prefix") {
  REQUIRE(setenv("MQLITE_CONFIG_TEST_VARIABLE", "a=b", 1) == 0);
  auto variables = mqlite_environment();
  unsetenv("MQLITE_CONFIG_TEST_VARIABLE");
  CHECK(std::count(variables.begin(), variables.end(),
                   std::pair<std::string, std::string>("MQLITE_CONFIG_TEST_VARIABLE", "a=b")) == 1);
  for (const auto& [name, text] : variables) CHECK(name.starts_with("MQLITE_"));
}
