#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqlite/client/types.hpp"

/// The client's values as the JSON of the contract.
namespace mqlite::adapter {

namespace api = mqlite::client;

/// The members of a sound JSON object.
class fields {
 public:
  explicit fields(std::string_view object) : object_(object) {}

  /// The text of the value, or nothing.
  std::string_view raw(std::string_view name) const;
  std::string text(std::string_view name, std::string_view absent = "") const;
  std::optional<std::int64_t> number(std::string_view name) const;
  std::optional<api::milliseconds> duration(std::string_view name) const;
  bool flag(std::string_view name) const { return raw(name) == "true"; }
  fields object(std::string_view name) const { return fields(raw(name)); }
  std::vector<fields> objects(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::optional<std::vector<std::string>> texts_or_none(std::string_view name) const;

  api::result<api::draft> message() const;
  api::consume_options consuming() const;
  api::topic_settings settings() const;

 private:
  std::string_view object_;
};

/// `"code":"...","<name>":"..."`.
void append_problem(std::string& out, const api::failure& why, std::string_view name);
void append(std::string& out, const std::string& text);
void append(std::string& out, const api::published& where);
void append(std::string& out, const api::topic_info& info);
void append(std::string& out, const api::topic_details& details);
void append(std::string& out, const api::resized& how);
void append(std::string& out, const api::settled& how, std::string_view action);
void append(std::string& out, const api::message& one, const std::string& name_space, const std::string& topic);
void append(std::string& out, const api::peeked& one, const std::string& name_space, const std::string& topic);

template <class T>
void append_list(std::string& out, const std::vector<T>& all) {
  out += '[';
  for (const auto& one : all) {
    if (&one != &all.front()) out += ',';
    append(out, one);
  }
  out += ']';
}

template <class T>
void append_messages(std::string& out, const std::vector<T>& all, const std::string& name_space,
                     const std::string& topic) {
  out += '[';
  for (const auto& one : all) {
    if (&one != &all.front()) out += ',';
    append(out, one, name_space, topic);
  }
  out += ']';
}

}  // namespace mqlite::adapter
