#include "protocols/tcp/push_stream.hpp"

#include "protocols/tcp/session.hpp"

namespace mqlite::tcp {

void push_stream::open() {
  open_ = true;
  wake();
}

// The subscription holds this as its sink, so that it has to be ended: nothing would destroy it.
void push_stream::end() {
  over_ = true;
  waiting_.clear();
  subscription_.end();
}

bool push_stream::fill(std::string& out, std::size_t most, length_count count, std::vector<consumed>& sent) {
  while (!waiting_.empty() && out.size() < most) {
    write_pushed(out, as_, count, {from_.name_space, from_.topic}, waiting_.front().deliveries);
    waiting_.front().deliveries.clear();
    sent.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (!waiting_.empty()) return true;
  if (end_ && !over_) {
    write_closed(out, as_, count, from_, *end_);
    over_ = true;
  }
  return false;
}

void push_stream::deliver(consumed messages) {
  if (over_) return;
  waiting_.push_back(std::move(messages));
  wake();
}

void push_stream::closed(failure why) {
  if (over_) return;
  end_ = std::move(why);
  wake();
}

void push_stream::wake() {
  if (!open_) return;
  if (const auto to = connection_.lock()) to->push_from(shared_from_this());
}

}  // namespace mqlite::tcp
