#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "protocols/net/io_loop.hpp"
#include "protocols/net/open_sessions.hpp"
#include "protocols/net/sockets.hpp"
#include "protocols/tcp/answer_line.hpp"
#include "protocols/tcp/environment.hpp"
#include "protocols/tcp/frame.hpp"
#include "protocols/tcp/receive_buffer.hpp"

namespace mqlite::tcp {

class session;

/// What the sessions of one loop share; of that loop's thread.
class session_group {
 public:
  session_group(environment& shared, broker_actor broker, io_loop& loop);

  environment& shared;
  std::shared_ptr<gateway> broker;
  command_reader reader;
  open_sessions<session> sessions;

  /// Runs session::on_turn() once, behind what is ready in this turn of the loop.
  void schedule(std::shared_ptr<session> one);
  /// See io_loop::defer().
  void defer(std::function<void()> f) { loop_.defer(std::move(f)); }
  /// See io_loop::heard().
  void heard(const session& from, std::size_t bytes) noexcept { loop_.heard(&from, bytes); }

 private:
  void turn();

  io_loop& loop_;
  std::vector<std::shared_ptr<session>> scheduled_;
  std::vector<std::shared_ptr<session>> running_;
};

/// One TCP connection.
///
/// Operation: what a read brought is cut into frames, and their commands begin at once, as far as they need not wait for those before
/// them. Publishes that follow each other go on as one batch for each topic. Answers are lined up in the order of the commands; what
/// is at the front and known is written once in a turn of the loop, and pushed messages behind it; then the next is read. While too much
/// is owed or unsent, nothing is read.
///
/// Concurrency: everything happens in the thread of the group's loop. Operations of the socket or the timer and commands that are
/// under way hold the session.
class session final : public std::enable_shared_from_this<session> {
 public:
  session(tcp_socket socket, std::shared_ptr<session_group> group);
  ~session();

  /// Begins to read; the connection was counted before.
  void start();
  /// Ends the connection in order: commands that were begun are answered.
  void shut_down();
  /// Ends the connection now.
  void close();

  /// Does what a turn of the loop has gathered: writes, and reads on.
  void on_turn();
  /// A stream has messages to push.
  void push_from(std::shared_ptr<push_stream> stream);
  bool pushes() const noexcept { return !pushing_.empty(); }

 private:
  using clock = std::chrono::steady_clock;
  using error_type = boost::system::error_code;

  /// Bytes for the peer, and what is to be confirmed when they were written.
  struct outgoing {
    std::string text;
    std::vector<consumed> messages;
  };

  // -- frames (session.cpp) ---------------------------------------------------------------------------------------------------

  void advance();
  void take_frames();
  bool may_take() const noexcept;
  bool may_read() const noexcept;
  bool take(const frame_step& step, const publish_terms& terms);
  void read_soon();
  void read();
  void on_read(error_type error, std::size_t size);
  void peer_ended();

  // -- commands (session_commands.cpp) ----------------------------------------------------------------------------------------

  void begin_publish(answer_address to, publishing& message, std::size_t bytes);
  void send_run();
  void on_run_answered(answer_line::number n, std::size_t batch, clock::time_point begun,
                       outcome<std::vector<outcome<published>>> results);
  answer_line::number owe(work kind, std::size_t bytes);
  void refuse(const answer_address& to, const failure& why, std::size_t bytes);

  template <class Request>
  void begin(answer_address to, Request request, std::size_t bytes);
  void begin(answer_address to, request::publish_batch request, std::size_t bytes);
  void begin(answer_address to, request::consume request, std::size_t bytes);
  void begin(answer_address to, request::subscribe request, std::size_t bytes);
  void begin(answer_address to, request::unsubscribe request, std::size_t bytes);
  void begin(answer_address to, request::stats request, std::size_t bytes);
  void begin(answer_address to, request::ping request, std::size_t bytes);
  void begin(answer_address to, request::auth request, std::size_t bytes);

  /// The answer of a command: `write(out)` writes its frame. False when nobody wants it any more.
  template <class Write>
  bool answer(answer_line::number n, Write write);
  void on_subscribed(answer_line::number n, const answer_address& to, const std::shared_ptr<push_stream>& stream,
                     outcome<subscription> running);
  void on_consumed(answer_line::number n, const answer_address& to, const request::queue_address& from, bool cancelled,
                   outcome<consumed> messages);
  std::shared_ptr<push_stream> find_stream(const request::queue_address& from) const;
  void remove_stream(const std::shared_ptr<push_stream>& stream);
  void end_streams();
  void cancel_waits();
  length_count count() const noexcept { return frames_.count(); }
  gateway& broker() noexcept { return *group_->broker; }
  environment& shared() noexcept { return group_->shared; }

  // -- output (session_output.cpp) --------------------------------------------------------------------------------------------

  void schedule();
  void line_up();
  void fill_from_streams();
  bool flush();
  void write_rest();
  void on_written(error_type error, std::size_t size);
  void all_written();
  void end_if_done();
  void finish();
  void discard_input();
  std::size_t unsent() const noexcept { return output_.text.size() + being_sent_.text.size(); }

  // -- deadlines (session_output.cpp) -----------------------------------------------------------------------------------------

  void expect_frame();
  void arm_timer();
  void on_timer();
  void report(std::string_view what);

  std::shared_ptr<session_group> group_;
  tcp_socket socket_;
  loop_timer timer_;
  clock::time_point read_by_ = clock::time_point::max();
  clock::time_point write_by_ = clock::time_point::max();
  clock::time_point timer_at_ = clock::time_point::max();  // when the timer goes off; max = it is not armed

  receive_buffer input_;
  std::size_t read_size_;
  frame_reader frames_;
  std::optional<clock::time_point> frame_begun_;

  answer_line line_;
  std::optional<answer_line::number> run_;  // the run that still takes publishes
  work_set waits_for_ = 0;                  // what the next command must not overtake
  outgoing output_;                         // gathers
  outgoing being_sent_;                     // not touched while writing_
  std::size_t sent_ = 0;                    // of being_sent_
  std::vector<std::shared_ptr<push_stream>> streams_;
  std::deque<std::shared_ptr<push_stream>> pushing_;  // have something to write

  bool reading_ = false;
  bool reads_soon_ = false;  // see read_soon()
  bool writing_ = false;
  bool scheduled_ = false;
  bool ambiguous_ = false;   // see frame_step
  bool peer_ended_ = false;  // nothing comes from the peer any more
  bool last_frame_ = false;  // nothing is taken from the peer any more
  bool stopping_ = false;    // the server is
  bool finishing_ = false;   // everything was said; the peer is given time to read it
  bool reported_ = false;
  bool closed_ = false;
};

}  // namespace mqlite::tcp
