#include "protocols/grpc/publish_stream.hpp"

#include "protocols/grpc/raw_messages.hpp"
#include "protocols/grpc/status.hpp"
#include "protocols/translate/plain_publish.hpp"

namespace mqlite {
namespace {

/// Publishes without a written answer: beyond either, reading pauses.
constexpr std::size_t most_unanswered = 8192;
constexpr std::size_t most_unanswered_bytes = std::size_t{8} << 20;
/// Results in one answer.
constexpr std::size_t most_results = 1000;

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* publish_stream::open(grpc_door& door) {
  const auto stream = std::make_shared<publish_stream>(door);
  stream->self_ = stream;
  door.loop().post([stream] { stream->run(); });
  return stream.get();
}

// -- reading ------------------------------------------------------------------------------------------------------------------

void publish_stream::OnReadDone(bool ok) {
  auto read = ok ? burst_.read(whole_message(in_).bytes(), door_.terms()) : outcome<std::size_t>(0);
  in_.Clear();
  std::unique_lock lock(mutex_);
  reading_ = false;
  if (!read && !end_) end_ = status_of(read.why());
  if (!ok || !read) read_all_ = true;
  if (!read_all_ && !over_) take_burst(*read);
  go_on(std::move(lock));
}

/// What was read gets its places in the stream; the first of it wakes the loop.
void publish_stream::take_burst(std::size_t bytes) {
  const bool first = arrived_.empty();
  const auto before = places_.size();
  burst_.move_to(places_, arrived_);
  unanswered_ += places_.size() - before;
  unanswered_bytes_ += bytes;
  if (first && !arrived_.empty()) door_.loop().post([self = shared_from_this()] { self->publish_arrived(); });
}

bool publish_stream::has_room() const {
  return unanswered_ < most_unanswered && unanswered_bytes_ < most_unanswered_bytes;
}

// -- in the loop's thread -----------------------------------------------------------------------------------------------------

void publish_stream::run() {
  door_.opened(*this);
  if (door_.stopping()) return shut_down();
  std::unique_lock lock(mutex_);
  go_on(std::move(lock));
}

void publish_stream::publish_arrived() {
  std::vector<topic_publishes> arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(arrived_);
  }
  for (auto& b : arrived)
    door_.broker().publish_batch(
        b.name_space, b.topic, std::move(b.drafts),
        [self = shared_from_this(), places = std::move(b.places),
         begun = std::chrono::steady_clock::now()](outcome<std::vector<outcome<published>>> how) {
          self->door_.publish_times().observe(std::chrono::steady_clock::now() - begun, places.size());
          self->on_published(places, std::move(how));
        });
}

void publish_stream::on_published(const std::vector<std::uint64_t>& places,
                                  outcome<std::vector<outcome<published>>> how) {
  bool unavailable = false;
  std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto one = how ? std::move((*how)[i]) : outcome<published>(how.why());
    unavailable |= !one && one.why().code == error_code::unavailable;
    if (!over_) places_[places[i] - first_place_].how = std::move(one);
  }
  if (unavailable) door_.health().look();
  go_on(std::move(lock));
}

/// What was read is answered; then the stream ends.
void publish_stream::shut_down() {
  std::unique_lock lock(mutex_);
  read_all_ = true;
  if (!end_) end_ = shutting_down_status();
  go_on(std::move(lock));
}

void publish_stream::abandon() {
  std::unique_lock lock(mutex_);
  over_ = true;
  if (!end_) end_ = shutting_down_status();
  go_on(std::move(lock));
}

// -- answering ----------------------------------------------------------------------------------------------------------------

void publish_stream::go_on(std::unique_lock<std::mutex> lock) {
  if (finished_) return;
  const bool write = !writing_ && !over_ && fill_answers();
  writing_ |= write;
  const bool finish = !writing_ && (over_ || (read_all_ && places_.empty()));
  finished_ = finish;
  const bool read = !finish && !reading_ && !read_all_ && !over_ && has_room();
  reading_ |= read;
  auto status = finish ? end_.value_or(grpc::Status::OK) : grpc::Status::OK;
  // A write keeps the stream from finishing; a read does not, and must not begin behind the finish of another thread.
  if (read) StartRead(&in_);
  lock.unlock();
  if (write) StartWrite(&out_);
  if (finish) Finish(std::move(status));
}

bool publish_stream::fill_answers() {
  if (places_.empty() || !places_.front().how) return false;
  std::string results;
  writing_bytes_ = 0;
  writing_count_ = 0;
  for (; writing_count_ < most_results && !places_.empty() && places_.front().how; ++writing_count_) {
    append_publish_result(results, *places_.front().how);
    writing_bytes_ += places_.front().bytes;
    places_.pop_front();
    ++first_place_;
  }
  const grpc::Slice slice(results);
  out_ = grpc::ByteBuffer(&slice, 1);
  return true;
}

void publish_stream::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  unanswered_ -= writing_count_;
  unanswered_bytes_ -= writing_bytes_;
  if (!ok) over_ = true;
  if (!ok && !end_) end_ = cancelled_status();
  go_on(std::move(lock));
}

void publish_stream::OnCancel() {
  std::unique_lock lock(mutex_);
  over_ = true;
  if (!end_) end_ = cancelled_status();
  go_on(std::move(lock));
}

void publish_stream::OnDone() {
  door_.loop().post([self = std::move(self_)] { self->door_.closed(*self); });
}

}  // namespace mqlite
