#include "cli/line_editor.hpp"

#include <histedit.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "cli/completion.hpp"

namespace mqlite::cli {
namespace {

/// Where the lines of earlier sessions are; empty when there is no home.
std::string history_file() {
  const char* home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.mqlite_history" : std::string();
}

struct editor_end {
  void operator()(EditLine* editor) const { el_end(editor); }
};
struct history_end {
  void operator()(History* history) const { history_end_of(history); }
  static void history_end_of(History* history) { ::history_end(history); }
};

}  // namespace

struct line_editor::implementation {
  std::string prompt;
  completer complete;
  std::string file = history_file();
  std::unique_ptr<EditLine, editor_end> editor;
  std::unique_ptr<History, history_end> history;

  void set_up();
  unsigned char complete_word();
  unsigned char clear_line();
  static implementation& of(EditLine* editor);
};

line_editor::implementation& line_editor::implementation::of(EditLine* editor) {
  void* data = nullptr;
  el_get(editor, EL_CLIENTDATA, &data);
  return *static_cast<implementation*>(data);
}

void line_editor::implementation::set_up() {
  editor.reset(el_init("mqlite_cli", stdin, stdout, stderr));
  history.reset(history_init());
  auto* const el = editor.get();
  el_set(el, EL_CLIENTDATA, this);
  el_set(
      el, EL_PROMPT, +[](EditLine* e) { return of(e).prompt.data(); });
  el_set(el, EL_EDITOR, "emacs");
  el_set(
      el, EL_ADDFN, "mqlite-complete", "Complete the word", +[](EditLine* e, int) { return of(e).complete_word(); });
  el_set(
      el, EL_ADDFN, "mqlite-clear", "Clear the line", +[](EditLine* e, int) { return of(e).clear_line(); });
  el_set(el, EL_BIND, "^I", "mqlite-complete", nullptr);
  el_set(el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // Ctrl-C clears the line: while one is edited it is a key like others.
  el_set(el, EL_SETTY, "-d", "-isig", nullptr);
  el_set(el, EL_BIND, "^C", "mqlite-clear", nullptr);
  HistEvent event;
  ::history(history.get(), &event, H_SETSIZE, 1000);
  ::history(history.get(), &event, H_SETUNIQUE, 1);
  if (!file.empty()) ::history(history.get(), &event, H_LOAD, file.c_str());
  el_set(el, EL_HIST, ::history, history.get());
}

/// Adds what all completions have in common, or lists them.
unsigned char line_editor::implementation::complete_word() {
  const auto* line = el_line(editor.get());
  const std::string_view before(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
  const auto found = complete(before);
  if (found.empty()) return CC_REFRESH_BEEP;
  const auto typed = before.size() - (before.find_last_of(" \t") + 1);
  auto more = common_start(found).substr(typed);
  if (found.size() == 1) more += ' ';
  if (!more.empty()) return el_insertstr(editor.get(), more.c_str()) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
  std::fputc('\n', stdout);
  for (const auto& candidate : found) std::fprintf(stdout, "%s  ", candidate.c_str());
  std::fputc('\n', stdout);
  return CC_REDISPLAY;
}

unsigned char line_editor::implementation::clear_line() {
  const auto* line = el_line(editor.get());
  el_cursor(editor.get(), static_cast<int>(line->lastchar - line->cursor));
  el_deletestr(editor.get(), static_cast<int>(line->lastchar - line->buffer));
  std::fputs("^C\n", stdout);
  return CC_REDISPLAY;
}

line_editor::line_editor(std::string prompt, completer complete) : me_(std::make_unique<implementation>()) {
  me_->prompt = std::move(prompt);
  me_->complete = std::move(complete);
  me_->set_up();
}

line_editor::~line_editor() {
  HistEvent event;
  if (!me_->file.empty()) ::history(me_->history.get(), &event, H_SAVE, me_->file.c_str());
}

std::optional<std::string> line_editor::read() {
  int length = 0;
  // Before the prompt is shown, as el_gets() does it behind it: who sees the prompt may type Ctrl-C or Ctrl-D.
  el_set(me_->editor.get(), EL_PREP_TERM, 1);
  const char* line = el_gets(me_->editor.get(), &length);
  if (!line || length <= 0) return std::nullopt;
  std::string text(line, static_cast<std::size_t>(length));
  if (text.ends_with('\n')) text.pop_back();
  HistEvent event;
  if (text.find_first_not_of(" \t") != std::string::npos) ::history(me_->history.get(), &event, H_ENTER, text.c_str());
  return text;
}

}  // namespace mqlite::cli
