// BATCH WRITER: see interfaces.hpp. Group commit without a timer: while one commit runs, steps
// queue in the mailbox; the next commit takes all of them.
#pragma once

#include "actors/interfaces.hpp"
#include "storage/store.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

struct batch_writer_state {
  batch_writer_state() = default;

  std::shared_ptr<storage::store> store;
  std::uint64_t incarnation = 0;
  commit_listener_actor scheduler;
  event_hub_actor hub;

  std::vector<logic::step_ptr> queued;
  std::size_t queued_weight = 0;
  std::uint64_t last_step = 0; ///< committed, of this incarnation
  bool marker_sent = false;

  static inline const char* name = "batch_writer";
};

/// `incarnation` is the scheduler's, drawn anew whenever a runtime starts.
batch_writer_actor::behavior_type
batch_writer(batch_writer_actor::stateful_pointer<batch_writer_state> self,
             std::shared_ptr<storage::store> store, std::uint64_t incarnation,
             commit_listener_actor scheduler, event_hub_actor hub);

} // namespace sluice::actors
