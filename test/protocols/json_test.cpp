#include <doctest/doctest.h>

#include "protocols/translate/json_fields.hpp"
#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/json_text.hpp"

using namespace mqlite;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("a JSON string escapes what JSON wants escaped and nothing else") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a\"b\\c/d") == "\"a\\\"b\\\\c/d\"");
  CHECK(quoted(std::string_view("\0\x01\x1f\n\r\t\x7f", 7)) == "\"\\u0000\\u0001\\u001f\\n\\r\\t\x7f\"");
  CHECK(quoted("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

TEST_CASE("bytes that are no UTF-8 become replacement characters") {
  const std::string_view broken[] = {"\xff",     "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                     "\xe2\x82", "\x80"};
  for (const auto bytes : broken) {
    const auto text = quoted(bytes);
    CHECK(is_json(text));
    CHECK(text.find("\xef\xbf\xbd") != std::string::npos);
  }
}

TEST_CASE("JSON is checked strictly") {
  for (const std::string_view good :
       {"{}", " [1, 2.50, -0, 1e400, 123456789012345678901234567890] ", "null", "\"\\u20ac\"", "\t{\"a\":[{}]}\n"})
    CHECK(is_json(good));
  for (const std::string_view bad : {"", " ", "{", "{} {}", "[1,]", "01", "1.", "+1", "nul", "NaN", "'a'", "{a:1}",
                                     "// c\n1", "\"\xff\"", "\"\\ud800\"", "\"\n\"", "\xef\xbb\xbf{}"})
    CHECK_FALSE(is_json(bad));
}

TEST_CASE("nesting ends where it is too deep, without harm") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(is_json(nested(deepest_json)));
  CHECK(json_problem(nested(deepest_json + 1)) == "nested deeper than 1000");
  CHECK_FALSE(is_json(std::string(1'000'000, '[')));
  CHECK_FALSE(is_json(std::string(1'000'000, '{')));
}

TEST_CASE("a body has to be one object") {
  CHECK(*json_object_in("") == "{}");
  CHECK(*json_object_in(" \r\n") == "{}");
  CHECK(*json_object_in(" {\"a\":1}\n") == "{\"a\":1}");
  for (const std::string_view other : {"[]", "1", "\"{\"", "null"})
    CHECK(json_object_in(other).why().text == "the body must be a JSON object");
  CHECK(json_object_in("{\"a\":}").why().text == "the body is no valid JSON: syntax error at byte 5");
  CHECK(json_object_in("{}x", "`data`").why().text.starts_with("`data` is no valid JSON: extra data"));
  CHECK(json_object_in("{\"a\":").why().code == error_code::invalid_argument);
}

TEST_CASE("members are cut out as they are spelled") {
  object_members members(
      R"({ "a" : 1.50 , "b\u0063":{"x":"}\"]","y":[1,{"z":"\\"}]}, "s":"te\"xt" ,"n":null,"":[ ] })");
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"a", "1.50"}, {"bc", R"({"x":"}\"]","y":[1,{"z":"\\"}]})"}, {"s", R"("te\"xt")"}, {"n", "null"}, {"", "[ ]"}};
  for (const auto& [name, value] : expected) {
    REQUIRE(members.next());
    CHECK(members.name() == name);
    CHECK(members.value() == value);
  }
  CHECK_FALSE(members.next());
  CHECK_FALSE(object_members("{ }").next());
}

TEST_CASE("elements are cut out as they are spelled") {
  array_elements elements(R"([ 1 ,"a,]",[2,3] , {"b":[]},true])");
  for (const std::string_view expected : {"1", R"("a,]")", "[2,3]", R"({"b":[]})", "true"}) {
    REQUIRE(elements.next());
    CHECK(elements.value() == expected);
  }
  CHECK_FALSE(elements.next());
  CHECK_FALSE(array_elements("[]").next());
}

TEST_CASE("strings are unescaped") {
  std::string buffer;
  CHECK(unescape("\"plain\"", buffer) == "plain");
  CHECK(unescape("\"\"", buffer).empty());
  CHECK(unescape(R"("a\"\\\/\n\u20ac\ud83d\ude00")", buffer) == "a\"\\/\n\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(unescape(R"("\u0000x")", buffer) == std::string_view("\0x", 2));
}

TEST_CASE("fields are read by type, and the first wrong one is remembered") {
  constexpr std::string_view known[] = {"i", "b", "s", "d", "c"};
  constexpr std::string_view choices[] = {"one", "two", "three"};
  const auto problem = [&](std::string_view object, auto read) {
    json_fields fields(object, known);
    read(fields);
    return fields.refusal() ? fields.refusal()->text : std::string("none");
  };
  const auto integer = [](json_fields& f) { f.integer("i", -1, 10); };
  CHECK(problem(R"({"i":10})", integer) == "none");
  CHECK(problem(R"({"i":null})", integer) == "none");
  CHECK(problem(R"({"i":11})", integer) == "`i` must be -1 to 10");
  CHECK(problem(R"({"i":-2})", integer) == "`i` must be -1 to 10");
  CHECK(problem(R"({"i":99999999999999999999})", integer) == "`i` must be -1 to 10");
  for (const std::string_view wrong :
       {R"({"i":1.0})", R"({"i":1e1})", R"({"i":"1"})", R"({"i":true})", R"({"i":[1]})", R"({"i":{}})"})
    CHECK(problem(wrong, integer) == "`i` must be an integer");
  CHECK(problem(R"({"b":1})", [](json_fields& f) { f.boolean("b"); }) == "`b` must be true or false");
  CHECK(problem(R"({"b":"true"})", [](json_fields& f) { f.boolean("b"); }) == "`b` must be true or false");
  CHECK(problem(R"({"s":1})", [](json_fields& f) { f.string("s"); }) == "`s` must be a string");
  CHECK(problem(R"({"d":0})", [](json_fields& f) { f.duration("d", 1); }) == "`d` must be 1 to 3155760000000");
  CHECK(problem(R"({"c":"four"})", [&](json_fields& f) { f.choice("c", choices); }) ==
        "`c` must be `one`, `two` or `three`");
  CHECK(problem(R"({"c":2})", [&](json_fields& f) { f.choice("c", choices); }) ==
        "`c` must be `one`, `two` or `three`");
  CHECK(problem(R"({"i":77,"b":1})", [](json_fields& f) { f.integer("i", 0, 1), f.boolean("b"); }) ==
        "`i` must be 0 to 1");
}

TEST_CASE("of a repeated member the last counts") {
  constexpr std::string_view known[] = {"a"};
  json_fields fields(R"({"a":1,"b":5,"\u0061":2})", known);
  CHECK(fields.integer("a", 0, 9) == 2);
}
