#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations.hpp"
#include "protocols/http/request.hpp"
#include "protocols/http/response_head.hpp"

namespace mqlite {

class gateway;
struct http_environment;

/// What an answer that goes on and on is made of. Used in the connection's thread.
class stream_source {
 public:
  virtual ~stream_source() = default;

  /// Appends what there is to send, some 100 KB at most, and to `sent` what is to be confirmed when it was written. False: nothing
  /// comes after this.
  virtual bool fill(std::string& out, std::vector<consumed>& sent) = 0;
  /// The server is stopping: fill() says so and ends.
  virtual void shut_down() = 0;
  /// The connection is gone: nothing is sent any more.
  virtual void disconnected() = 0;
};

/// One request and the way to its answer, as handlers see the connection. It is answered once, by send() or stream(), at once or
/// later; until then the request stays as it is. Belongs to its loop's thread; whoever answers later holds a shared_ptr.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  virtual ~exchange() = default;

  virtual const http_request& request() const noexcept = 0;
  virtual gateway& broker() noexcept = 0;
  virtual http_environment& environment() noexcept = 0;

  /// The answer's body, empty at first.
  virtual std::string& body() noexcept = 0;
  /// Sends body(). `fields` are more header lines, each with its end.
  virtual void send(int status, std::string_view content_type = json_content, std::string_view fields = {}) = 0;
  /// What is in body() is confirmed when it was written; before send().
  virtual void confirm_when_written(consumed messages) = 0;

  /// `f` runs when the answer should not be waited for any longer: the client has gone (then gone() is true) or the server is
  /// stopping. The answer is still owed.
  virtual void on_hurry(std::function<void()> f) = 0;
  /// The client has closed its side: nobody may be there to receive messages.
  virtual bool gone() const noexcept = 0;

  /// Answers with `source` for as long as the connection lasts.
  virtual void stream(std::shared_ptr<stream_source> source) = 0;
  /// The source has something to send.
  virtual void wake_stream() = 0;
};

}  // namespace mqlite
