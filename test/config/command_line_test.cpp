#include "config/command_line.hpp"

#include "config/keys.hpp"
#include "test/config/support.hpp"

#include <doctest/doctest.h>

using namespace mqlite;

namespace {

command_line parse(const std::vector<std::string>& arguments, const named_texts& environment = {}) {
  temporary_folder folder;
  return parse_command_line(arguments, environment, folder.path() / "mqlite.toml");
}

std::string error_of(const std::vector<std::string>& arguments) {
  return config_error_of([&] { parse(arguments); });
}

}  // namespace

TEST_CASE("an empty command line means the defaults") {
  auto line = parse({});
  CHECK(line.loaded.values == settings{});
  CHECK_FALSE(line.check_config);
  CHECK_FALSE(line.show_version);
  CHECK_FALSE(line.show_help);
}

TEST_CASE("a key's flag takes its value after a space or an equals sign, and the last one counts") {
  CHECK(parse({"--server.http.port", "8081"}).loaded.values.server.http.port == 8081);
  CHECK(parse({"--server.http.port=8081"}).loaded.values.server.http.port == 8081);
  CHECK(parse({"--server.http.port=1", "--server.http.port", "0"}).loaded.values.server.http.port == 0);
  CHECK(parse({"--persistence.aof.dir=/a=b"}).loaded.values.persistence.aof.dir == "/a=b");
  CHECK(parse({"--persistence.aof.dir", "[x,y]"}).loaded.values.persistence.aof.dir == "[x,y]");
}

TEST_CASE("an empty value after an equals sign stays empty") {
  auto line = parse({"--tls.certificate=", "--log.level=warn"});
  CHECK(line.loaded.values.tls.certificate.empty());
  CHECK(line.loaded.values.log.level == log_level::warn);
  CHECK(error_of({"--persistence.aof.dir=", "x"}) == "command line: unexpected argument `x`");
  CHECK(error_of({"--persistence.aof.dir="}) == "--persistence.aof.dir: must not be empty");
}

TEST_CASE("every key has a flag that takes what describe says") {
  for (const auto& key : setting_keys()) {
    auto value = key.get(settings{});
    if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
    CAPTURE(key.name);
    auto line = parse({"--" + key.name + "=" + value});
    CHECK(line.loaded.values == settings{});
    CHECK(line.loaded.origins.at(key.name) == "--" + key.name);
  }
}

TEST_CASE("the file is named by --config, with one dash or two") {
  temporary_folder folder;
  auto path = folder.write("my.toml", "[log]\nlevel = \"error\"\n").string();
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--config", path}, {"--config=" + path}, {"-config", path}, {"-config=" + path}}) {
    auto line = parse(arguments);
    CHECK(line.loaded.values.log.level == log_level::error);
    CHECK(line.loaded.file == path);
  }
  CHECK(error_of({"--config", path + "x"}) == path + "x: there is no such file");
  CHECK(error_of({"--config="}) == "--config: must not be empty");
}

TEST_CASE("check-config loads; help and version do not") {
  CHECK(parse({"--check-config"}).check_config);
  CHECK(error_of({"--check-config", "--log.level", "loud"}).starts_with("--log.level: must be"));
  CHECK(parse({"--version", "--log.level", "loud"}).show_version);
  CHECK(parse({"--help", "--config", "/nowhere"}).show_help);
  CHECK(parse({"-h"}).show_help);
}

TEST_CASE("a bad value, a missing value and an unknown flag name the flag") {
  CHECK(error_of({"--server.http.port", "-1"}) == "--server.http.port: must be from 0 to 65535, not -1");
  CHECK(error_of({"--log.level=info", "--server.http.port"}) == "--server.http.port: needs a value");
  CHECK(error_of({"--config"}) == "--config: needs a value");
  CHECK(error_of({"-config"}) == "--config: needs a value");
  CHECK(error_of({"--server.htpp.port", "1"}) ==
        "--server.htpp.port: unknown flag; did you mean `--server.http.port`?");
  CHECK(error_of({"--chek-config"}) == "--chek-config: unknown flag; did you mean `--check-config`?");
  CHECK(error_of({"-x"}) == "-x: unknown flag");
  CHECK(error_of({"serve"}) == "command line: unexpected argument `serve`");
  CHECK(error_of({""}) == "command line: unexpected argument ``");
}

TEST_CASE("flags win over the environment, and warnings come through") {
  auto line = parse({"--log.format", "json"}, {{"MQLITE_LOG_FORMAT", "console"}, {"MQLITE_LOG_LEVL", "info"}});
  CHECK(line.loaded.values.log.format == log_format::json);
  REQUIRE(line.loaded.warnings.size() == 1);
  CHECK(line.loaded.warnings[0] == "environment MQLITE_LOG_LEVL: unknown variable; did you mean `MQLITE_LOG_LEVEL`?");
}

TEST_CASE("help names every key with its default and what it is for") {
  auto text = help_text();
  for (const auto& key : setting_keys()) {
    CAPTURE(key.name);
    CHECK(text.find("--" + key.name + " " + key.placeholder + " [" + key.get(settings{}) + "]") != std::string::npos);
    CHECK(text.find(key.help) != std::string::npos);
  }
  for (const auto* flag : {"--config FILE", "--check-config", "--version", "--help"})
    CHECK(text.find(flag) != std::string::npos);
}
