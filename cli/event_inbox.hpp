// Committed events on their way from an actor's thread to the main thread, which may be held up by
// a slow reader of standard output. Bounded: when it is full, events are dropped here and read from
// the store later, so neither memory nor the run depends on who reads.
#pragma once

#include "model/event.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace sluice::cli {

class event_inbox {
public:
  struct batch {
    std::vector<model::event> events;
    bool has_gap = false; ///< events after these were dropped: continue from the store
  };

  explicit event_inbox(std::size_t capacity);
  event_inbox(const event_inbox&) = delete;
  event_inbox& operator=(const event_inbox&) = delete;
  ~event_inbox();

  /// Any thread; never waits for the reader.
  void push(std::span<const model::event> events);
  /// Any thread: nothing more will come, because of this.
  void close(error why);

  /// Readable while there is something to take.
  int descriptor() const { return fd_; }
  /// At most `most` events, in order. A gap is told once all events before it are taken.
  batch take(std::size_t most);
  std::optional<error> closed_by();

private:
  void wake();

  const std::size_t capacity_;
  int fd_ = -1; ///< eventfd
  std::mutex mutex_;
  std::deque<model::event> events_;
  bool has_gap_ = false;
  std::optional<error> closed_by_;
};

} // namespace sluice::cli
