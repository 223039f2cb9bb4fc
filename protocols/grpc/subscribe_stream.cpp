#include "protocols/grpc/subscribe_stream.hpp"

#include "protocols/grpc/raw_messages.hpp"
#include "protocols/grpc/status.hpp"
#include "protocols/translate/proto_answers.hpp"

namespace mqlite {
namespace {

/// Bytes after which a batch's end is worth a flush.
constexpr std::size_t long_flight = 32 * 1024;

/// A call that ends as it begins.
class refused_stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit refused_stream(const failure& why) { Finish(status_of(why)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* subscribe_stream::open(grpc_door& door, outcome<request::subscribe> asked) {
  if (!asked) return new refused_stream(asked.why());
  const auto stream = std::make_shared<subscribe_stream>(door, std::move(*asked));
  stream->self_ = stream;
  door.loop().post([stream] { stream->run(); });
  return stream.get();
}

// -- in the loop's thread -----------------------------------------------------------------------------------------------------

void subscribe_stream::run() {
  if (door_.stopping()) return end(shutting_down_status(), waiting::is_dropped);
  door_.opened(*this);
  door_.broker().subscribe(
      asked_.name_space, asked_.topic, asked_.queue, asked_.auto_ack, asked_.max_in_flight, shared_from_this(),
      [self = shared_from_this()](outcome<subscription> running) { self->on_subscribed(std::move(running)); });
}

// The headers tell a client that its subscription stands, before there is a message.
void subscribe_stream::on_subscribed(outcome<subscription> running) {
  if (!running) return end(status_of(running.why()), waiting::is_dropped);
  if (left_) return running->end();
  subscription_ = std::move(*running);
  const std::lock_guard lock(mutex_);
  if (!finished_ && !begun_) StartSendInitialMetadata();
  begun_ = true;
}

void subscribe_stream::deliver(consumed messages) {
  if (left_ || messages.deliveries.empty()) return;
  std::unique_lock lock(mutex_);
  if (end_) {
    lock.unlock();  // the messages return, which is better done without
    return;
  }
  waiting_.push_back(std::move(messages));
  if (!writing_) go_on(std::move(lock));
}

void subscribe_stream::closed(failure why) { end(status_of(why), waiting::is_written); }

void subscribe_stream::shut_down() {
  leave();
  end(shutting_down_status(), waiting::is_dropped);
}

void subscribe_stream::abandon() { shut_down(); }

void subscribe_stream::leave() {
  left_ = true;
  subscription_.end();
}

// -- writing ------------------------------------------------------------------------------------------------------------------

void subscribe_stream::end(grpc::Status status, waiting what) {
  std::deque<consumed> dropped;
  std::unique_lock lock(mutex_);
  if (what == waiting::is_dropped) drop_waiting(dropped);
  if (!end_) end_ = std::move(status);
  if (!writing_) go_on(std::move(lock));
}

void subscribe_stream::drop_waiting(std::deque<consumed>& to) {
  to.swap(waiting_);
  next_ = 0;
}

void subscribe_stream::go_on(std::unique_lock<std::mutex> lock) {
  if (finished_) return;
  if (waiting_.empty()) {
    if (!end_) return;
    finished_ = true;
    lock.unlock();
    return Finish(*end_);
  }
  auto& batch = waiting_.front();
  message_.Clear();
  fill(message_, {asked_.name_space, asked_.topic}, batch.deliveries[next_]);
  out_ = bytes_of(message_);
  in_flight_ += batch.deliveries[next_].message->payload().size();
  flushes_ = next_is_last_of_flight();
  if (++next_ == batch.deliveries.size()) {
    written_.push_back(std::move(batch));
    waiting_.pop_front();
    next_ = 0;
  }
  if (flushes_) in_flight_ = 0;
  writing_ = begun_ = true;
  grpc::WriteOptions options;
  if (!flushes_) options.set_buffer_hint();
  lock.unlock();
  StartWrite(&out_, options);
}

bool subscribe_stream::next_is_last_of_flight() const {
  const bool ends_batch = next_ + 1 == waiting_.front().deliveries.size();
  return ends_batch && (waiting_.size() == 1 || in_flight_ >= long_flight);
}

void subscribe_stream::OnWriteDone(bool ok) {
  std::vector<consumed> done;
  std::deque<consumed> dropped;
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (!ok) {
    drop_waiting(dropped);
    done.swap(written_);
    if (!end_) end_ = cancelled_status();
    go_on(std::move(lock));
    return;
  }
  if (flushes_) done.swap(written_);
  go_on(std::move(lock));
  for (auto& batch : done) batch.confirm();
}

void subscribe_stream::OnCancel() { end(cancelled_status(), waiting::is_dropped); }

// gRPC no longer knows the stream; the loop may.
void subscribe_stream::OnDone() {
  door_.loop().post([self = std::move(self_)] {
    self->leave();
    self->door_.closed(*self);
  });
}

}  // namespace mqlite
