#include "config/loader.hpp"

#include "config/keys.hpp"
#include "config/toml_file.hpp"

#include <unistd.h>
#include <algorithm>
#include <string_view>

extern char** environ;  // POSIX leaves the declaration to the program

namespace mqlite {

namespace {

constexpr std::string_view environment_prefix = "MQLITE_";
/// Variables of the command line, which may be set where a broker is started.
constexpr std::string_view client_variables = "MQLITE_CLI_";

std::vector<std::string> names_of_keys() {
  std::vector<std::string> names;
  for (const auto& key : setting_keys()) names.push_back(key.name);
  return names;
}

std::string suggestion(const std::optional<std::string>& name) {
  return name ? "; did you mean " + backquoted(*name) + "?" : "";
}

/// True if keys begin with `name` and a dot.
bool is_section(const std::string& name) {
  const auto& keys = setting_keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const setting_key& key) { return key.name.starts_with(name + "."); });
}

given_value plain_text(const std::string& text) { return {given_value::kind::text, text, "text"}; }

void set_value(loaded_settings& result, const setting_key& key, const given_value& value, const std::string& origin,
               const std::string& subject) {
  try {
    key.set(result.values, value);
  } catch (const bad_value& error) {
    throw config_error(origin, subject + error.what());
  }
  result.origins[key.name] = origin;
}

/// The known key that is a part of `name`, as in `server.http.port.x`: the value there should not have been a table.
const setting_key* key_above(const std::string& name) {
  const auto& keys = setting_keys();
  auto found =
      std::find_if(keys.begin(), keys.end(), [&](const setting_key& key) { return name.starts_with(key.name + "."); });
  return found == keys.end() ? nullptr : &*found;
}

void apply_entry(loaded_settings& result, const file_entry& entry, const std::string& path) {
  auto origin = path + ":" + std::to_string(entry.line);
  if (const auto* key = find_key(entry.name)) return set_value(result, *key, entry.value, origin, key->name + " ");
  if (const auto* key = key_above(entry.name))
    return set_value(result, *key, {given_value::kind::other, "", "a table"}, origin, key->name + " ");
  if (is_section(entry.name)) {
    if (entry.value.type_name == "a table") return;  // `[server]` with nothing in it
    throw config_error(origin, entry.name + " must be a table, not " + entry.value.type_name);
  }
  throw config_error(origin,
                     "unknown key " + backquoted(entry.name) + suggestion(nearest(entry.name, names_of_keys())));
}

void apply_file(loaded_settings& result, const load_options& options) {
  auto path = options.file.value_or(options.default_file);
  auto entries = read_toml_file(path);
  if (!entries && options.file) throw config_error(path.string(), "there is no such file");
  if (!entries) return;
  result.file = path;
  for (const auto& entry : *entries) apply_entry(result, entry, path.string());
}

void apply_environment(loaded_settings& result, const named_texts& environment) {
  std::map<std::string, const setting_key*> keys;
  std::vector<std::string> names;
  for (const auto& key : setting_keys()) {
    names.push_back(environment_name(key.name));
    keys[names.back()] = &key;
  }
  for (const auto& [name, text] : environment) {
    if (!name.starts_with(environment_prefix)) continue;
    auto origin = "environment " + name;
    auto found = keys.find(name);
    if (found != keys.end())
      set_value(result, *found->second, plain_text(text), origin, "");
    else if (!name.starts_with(client_variables))
      result.warnings.emplace_back(config_error(origin, "unknown variable" + suggestion(nearest(name, names))).what());
  }
}

void apply_flags(loaded_settings& result, const named_texts& flags) {
  for (const auto& [name, text] : flags) {
    const auto* key = find_key(name);
    if (!key) throw config_error("--" + name, "unknown flag" + suggestion(nearest(name, names_of_keys())));
    set_value(result, *key, plain_text(text), "--" + name, "");
  }
}

/// Where the value of the first of `keys` that is not a default was given.
std::string origin_of(const loaded_settings& result, const std::vector<std::string>& keys) {
  for (const auto& key : keys)
    if (auto found = result.origins.find(key); found != result.origins.end()) return found->second;
  return "defaults";
}

struct named_listener {
  std::string name;
  const listener_settings& listener;

  std::string port_key() const { return std::string("server.").append(name).append(".port"); }
};

bool is_wildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

bool collide(const listener_settings& a, const listener_settings& b) {
  return a.enabled && b.enabled && a.port != 0 && a.port == b.port &&
         (a.address == b.address || is_wildcard(a.address) || is_wildcard(b.address));
}

std::string same_port(const std::string& first, const std::string& second, int port) {
  return first + " and " + second + " are both " + std::to_string(port);
}

void check_listeners(const loaded_settings& result) {
  const auto& server = result.values.server;
  const std::vector<named_listener> all{
      {"http", server.http}, {"grpc", server.grpc}, {"tcp", server.tcp}, {"caf", server.caf}};
  for (auto b = all.begin(); b != all.end(); ++b)
    for (auto a = all.begin(); a != b; ++a)
      if (collide(a->listener, b->listener)) {
        const auto first = a->port_key();
        const auto second = b->port_key();
        throw config_error(origin_of(result, {second, first}), same_port(first, second, a->listener.port));
      }
}

void check_companions(const loaded_settings& result) {
  const auto& values = result.values;
  auto need = [&](bool enabled, const std::string& switch_key, const std::string& text, const std::string& key) {
    if (enabled && text.empty())
      throw config_error(origin_of(result, {switch_key}), switch_key + " is true, but " + key + " is empty");
  };
  need(values.tls.enabled, "tls.enabled", values.tls.certificate, "tls.certificate");
  need(values.tls.enabled, "tls.enabled", values.tls.key, "tls.key");
  need(values.auth.enabled, "auth.enabled", values.auth.tokens_file, "auth.tokens_file");
}

void check_what_is_built(const loaded_settings& result) {
  auto refuse = [&](bool enabled, const std::string& key, const std::string& why) {
    if (enabled) throw config_error(origin_of(result, {key}), key + ": " + why);
  };
  refuse(result.values.tls.enabled, "tls.enabled", "this version does not speak TLS yet; put a TLS proxy in front");
  refuse(result.values.auth.enabled, "auth.enabled", "this version does not check tokens yet");
}

}  // namespace

loaded_settings load_settings(const load_options& options) {
  loaded_settings result;
  apply_file(result, options);
  apply_environment(result, options.environment);
  apply_flags(result, options.flags);
  check_listeners(result);
  check_companions(result);
  check_what_is_built(result);
  return result;
}

named_texts mqlite_environment() {
  named_texts result;
  for (char** entry = environ; entry && *entry; ++entry) {
    std::string_view text = *entry;
    auto equals = text.find('=');
    if (text.starts_with(environment_prefix) && equals != std::string_view::npos)
      result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace mqlite
