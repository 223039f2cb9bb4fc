#pragma once

#include <string>
#include <string_view>

/// Cuts JSON text that json_problem() has found sound. Without recursion and without copies; on text that was not checked the
/// results mean nothing, but nothing outside the text is read.
namespace mqlite {

/// Walks over the members of an object.
class object_members {
 public:
  /// `object` begins with `{`.
  explicit object_members(std::string_view object) noexcept;

  /// To the next member; false when there is none.
  bool next();

  /// The member's name, unescaped; valid until next().
  std::string_view name() const noexcept { return name_; }
  /// The text of its value, without the white space around it.
  std::string_view value() const noexcept { return value_; }

 private:
  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::string unescaped_;
};

/// Walks over the elements of an array.
class array_elements {
 public:
  /// `array` begins with `[`.
  explicit array_elements(std::string_view array) noexcept;

  bool next();
  std::string_view value() const noexcept { return value_; }

 private:
  std::string_view rest_;
  std::string_view value_;
};

/// What a string's text (with its quotes) stands for. The result is a part of `text` where that needs no unescaping, else of
/// `buffer`.
std::string_view unescape(std::string_view text, std::string& buffer);

}  // namespace mqlite
