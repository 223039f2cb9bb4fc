#include "config/keys.hpp"

#include "config/loader.hpp"
#include "test/config/support.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <set>

using namespace mqlite;
using namespace std::chrono_literals;

namespace {

loaded_settings load_file(const std::filesystem::path& path) {
  load_options options;
  options.file = path;
  return load_settings(options);
}

}  // namespace

TEST_CASE("mqlite.toml names every key, with its default") {
  auto loaded = load_file(MQLITE_TOML);
  CHECK(describe(loaded.values) == describe(settings{}));
  CHECK(loaded.values == settings{});
  for (const auto& key : setting_keys()) {
    CAPTURE(key.name);
    CHECK(loaded.origins.contains(key.name));
  }
}

TEST_CASE("mqlite.toml explains every key on its line") {
  auto loaded = load_file(MQLITE_TOML);
  std::vector<std::string> lines;
  std::ifstream file(MQLITE_TOML);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  for (const auto& [key, origin] : loaded.origins) {
    auto line = std::stoul(origin.substr(origin.rfind(':') + 1));
    CAPTURE(origin);
    REQUIRE(line <= lines.size());
    CHECK(lines[line - 1].starts_with(key.substr(key.rfind('.') + 1) + " = "));
    CHECK(lines[line - 1].find(" # ") != std::string::npos);
  }
}

TEST_CASE("the defaults are those that users are promised") {
  const settings defaults;
  CHECK(defaults.ack_timeout == 30s);
  CHECK(defaults.drain_timeout == 30s);
  CHECK(defaults.shutdown_timeout == 5s);
  CHECK(defaults.server.http == listener_settings{true, "127.0.0.1", 8080});
  CHECK(defaults.server.grpc == listener_settings{true, "127.0.0.1", 9090});
  CHECK(defaults.server.tcp == listener_settings{true, "127.0.0.1", 7070});
  CHECK(defaults.server.caf == listener_settings{true, "127.0.0.1", 6060});
  CHECK(defaults.persistence.enabled);
  CHECK(defaults.persistence.aof.fsync == fsync_policy::everysec);
  CHECK(defaults.persistence.aof.dir == "./data");
  CHECK(defaults.persistence.aof.rewrite_min_size == 64 * 1024 * 1024);
  CHECK(defaults.persistence.aof.rewrite_percentage == 100);
  CHECK(defaults.limits.max_message_bytes == 1024 * 1024);
  CHECK(defaults.limits.max_request_bytes == 16 * 1024 * 1024);
  CHECK(defaults.limits.max_memory == 0);
  CHECK(defaults.limits.max_connections == 10'000);
  CHECK(defaults.log.level == log_level::info);
  CHECK(defaults.log.format == log_format::console);
  CHECK_FALSE(defaults.tls.enabled);
  CHECK_FALSE(defaults.auth.enabled);
  CHECK(defaults.scheduler.threads == 0);
}

TEST_CASE("no two keys share a name or an environment variable") {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const auto& key : setting_keys()) {
    CAPTURE(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(variables.insert(environment_name(key.name)).second);
  }
  CHECK(environment_name("server.http.port") == "MQLITE_SERVER_HTTP_PORT");
}

TEST_CASE("what describe writes loads as the same settings") {
  settings changed;
  changed.ack_timeout = 1500ms;
  changed.drain_timeout = 90min;
  changed.server.tcp = {false, "::1", 0};
  changed.persistence.aof.dir = "/a \"b\"\\c\t#";
  changed.persistence.aof.fsync = fsync_policy::always;
  changed.limits.max_memory = UINT64_MAX;
  changed.log = {log_level::error, log_format::json};
  changed.scheduler.threads = 3;
  temporary_folder folder;
  CHECK(load_file(folder.write("all.toml", describe(changed))).values == changed);
}

TEST_CASE("setting a key changes what its getter says and nothing else") {
  for (const auto& key : setting_keys()) {
    CAPTURE(key.name);
    settings changed;
    // Between them these texts have a value for every type, and one that is not the default.
    for (std::string text : {"true", "false", "7s", "7", "10.0.0.7", "json", "always", "debug"}) {
      try {
        key.set(changed, {given_value::kind::text, text, ""});
      } catch (const bad_value&) {
        continue;
      }
      if (key.get(changed) != key.get(settings{})) break;
    }
    REQUIRE(key.get(changed) != key.get(settings{}));
    std::size_t different = 0;
    for (const auto& other : setting_keys()) different += other.get(changed) != other.get(settings{});
    CHECK(different == 1);
  }
}

TEST_CASE("the nearest name is found for a slip and not for something else") {
  const std::vector<std::string> names{"server.http.port", "server.tcp.port", "log.level"};
  CHECK(nearest("server.htpp.port", names) == "server.http.port");
  CHECK(nearest("server.tpc.port", names) == "server.tcp.port");
  CHECK(nearest("log.levle", names) == "log.level");
  CHECK(nearest("loglevel", names) == "log.level");
  CHECK_FALSE(nearest("colour", names).has_value());
  CHECK_FALSE(nearest("", names).has_value());
  CHECK_FALSE(nearest(std::string(100'000, 'x'), names).has_value());
}
