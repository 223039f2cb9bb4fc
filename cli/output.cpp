#include "cli/output.hpp"

#include <unistd.h>

#include <map>
#include <string>

#include "cli/text/answer_json.hpp"
#include "cli/text/escape.hpp"
#include "cli/text/units.hpp"

namespace mqlite::cli {

output::output(output_style style) : style_(style), on_terminal_(isatty(STDOUT_FILENO) == 1) {}

void output::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw output_failed();
}

void output::line(std::string_view text) {
  write(text);
  write("\n");
}

void output::flush() {
  if (std::fflush(stdout) != 0) throw output_failed();
}

void output::remark(std::string_view text) const {
  if (style_ == output_style::people) std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void output::answer(const google::protobuf::Message& answer) {
  std::string text;
  append_json(text, answer);
  line(text);
}

void output::describe(const v1::Message& message, std::string_view more) {
  std::string text =
      message.receipt() + "  queue " + std::to_string(message.queue_id()) + "  " + time_text(message.timestamp());
  if (!message.routing_key().empty()) text += "  key " + escaped(message.routing_key());
  text += more;
  line(text);
  for (const auto& [name, value] : std::map(message.headers().begin(), message.headers().end()))
    line("  " + escaped(name) + ": " + escaped(value));
  line("  " + escaped(message.payload()));
}

void output::message(const v1::Message& message) {
  if (style_ == output_style::raw) return line(on_terminal_ ? escaped(message.payload()) : message.payload());
  if (style_ == output_style::people) return describe(message, {});
  std::string text;
  append_json(text, message);
  line(text);
}

void output::messages(const google::protobuf::RepeatedPtrField<v1::Message>& messages) {
  for (const auto& each : messages) message(each);
  if (messages.empty()) remark("no messages");
}

void output::dead_message(const v1::DeadMessage& dead) {
  if (style_ != output_style::people) return message(dead.message());
  describe(dead.message(), "  " + escaped(dead.reason()) + " at " + time_text(dead.dead_at()));
}

}  // namespace mqlite::cli
