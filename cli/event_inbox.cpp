#include "cli/event_inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace sluice::cli {

event_inbox::event_inbox(std::size_t capacity)
  : capacity_(capacity), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

event_inbox::~event_inbox() {
  if (fd_ >= 0)
    ::close(fd_);
}

void event_inbox::push(std::span<const model::event> events) {
  const std::lock_guard lock{mutex_};
  for (const auto& e : events) {
    // After a gap nothing is kept: order matters, and the store has it all.
    if (has_gap_ || events_.size() == capacity_) {
      has_gap_ = true;
      break;
    }
    events_.push_back(e);
  }
  wake();
}

void event_inbox::close(error why) {
  const std::lock_guard lock{mutex_};
  if (!closed_by_)
    closed_by_ = std::move(why);
  wake();
}

event_inbox::batch event_inbox::take(std::size_t most) {
  const std::lock_guard lock{mutex_};
  batch taken;
  while (!events_.empty() && taken.events.size() < most) {
    taken.events.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  if (events_.empty()) {
    taken.has_gap = std::exchange(has_gap_, false);
    eventfd_t count = 0;
    if (!closed_by_) // the end stays readable
      ::eventfd_read(fd_, &count);
  }
  return taken;
}

std::optional<error> event_inbox::closed_by() {
  const std::lock_guard lock{mutex_};
  return closed_by_;
}

void event_inbox::wake() {
  ::eventfd_write(fd_, 1);
}

} // namespace sluice::cli
