#include "cli/text/words.hpp"

#include <doctest/doctest.h>

using mqlite::cli::split_words;
using list = std::vector<std::string>;

TEST_CASE("words are parted by white space") {
  CHECK(split_words("").complete.empty());
  CHECK(split_words(" \t\r\n").complete.empty());
  CHECK(split_words("  topic  get\tproduction orders ").complete == list{"topic", "get", "production", "orders"});
}

TEST_CASE("quotes keep what is between them") {
  CHECK(split_words(R"(publish n t '{"a": "b c\n"}')").complete == list{"publish", "n", "t", R"({"a": "b c\n"})"});
  CHECK(split_words(R"("a \"b\" \\ \n")").complete == list{R"(a "b" \ \n)"});
  CHECK(split_words("''").complete == list{""});
  CHECK(split_words("a''b\"c d\"").complete == list{"abc d"});
}

TEST_CASE("a backslash quotes one character") {
  CHECK(split_words(R"(a\ b \' \\)").complete == list{"a b", "'", "\\"});
}

TEST_CASE("a comment ends the line, a # inside a word does not") {
  CHECK(split_words("# nothing").complete.empty());
  CHECK(split_words("ack n t 0 id#1 # done").complete == list{"ack", "n", "t", "0", "id#1"});
}

TEST_CASE("a line that is not complete says why") {
  CHECK(split_words("publish 'a").problem == "a ' is not closed");
  CHECK(split_words("publish \"a\\\"").problem == "a \" is not closed");
  CHECK(split_words("publish \\").problem == "a backslash at the end of the line quotes nothing");
  CHECK(split_words("publish").problem.empty());
}
