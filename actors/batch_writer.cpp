#include "actors/batch_writer.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

using writer_pointer = batch_writer_actor::stateful_pointer<batch_writer_state>;

/// A group this heavy is committed before the mailbox is empty.
constexpr std::size_t full_group = 4096;

/// Sends followers to the table, up to what is committed now.
void publish_position(writer_pointer self) {
  auto& state = self->state;
  if (const auto last_seq = state.store->last_seq())
    self->send(state.hub,
               published{*last_seq + 1, std::make_shared<std::vector<logic::step_ptr>>()});
}

/// Commits what is queued. An error ends the actor: HOST restarts it after a pause and SCHEDULER
/// sends again what is not committed.
void commit_queued(writer_pointer self) {
  auto& state = self->state;
  if (state.queued.empty())
    return;
  auto group = std::make_shared<std::vector<logic::step_ptr>>(std::exchange(state.queued, {}));
  state.queued_weight = 0;
  const auto first_seq = state.store->commit(state.incarnation, *group);
  if (!first_seq) {
    self->quit(to_caf(first_seq.error()));
    return;
  }
  state.last_step = group->back()->number;
  self->send(state.scheduler, committed{state.last_step});
  if (state.store->refused() == 0) {
    self->send(state.hub, published{*first_seq, std::move(group)});
    return;
  }
  // A fault of ours, logged by the store. What was written instead is in the table.
  publish_position(self);
}

} // namespace

batch_writer_actor::behavior_type
batch_writer(writer_pointer self, std::shared_ptr<storage::store> store, std::uint64_t incarnation,
             commit_listener_actor scheduler, event_hub_actor hub) {
  auto& state = self->state;
  state.store = std::move(store);
  state.incarnation = incarnation;
  state.scheduler = std::move(scheduler);
  state.hub = std::move(hub);
  self->set_exception_handler(describe_exception);
  return {
    [self](record_step& step) {
      auto& st = self->state;
      if (step.step->number <= st.last_step)
        return; // sent again, but it had been committed
      st.queued_weight += model::weight(*step.step);
      st.queued.push_back(std::move(step.step));
      if (st.queued_weight >= full_group)
        commit_queued(self);
      else if (!std::exchange(st.marker_sent, true))
        self->send(self, drained{});
    },
    [self](report_last_commit) {
      const auto mark = self->state.store->last_commit();
      if (!mark)
        return self->quit(to_caf(mark.error()));
      if (mark->incarnation == self->state.incarnation)
        self->state.last_step = mark->step;
      self->send(self->state.scheduler, last_commit_reported{self->state.last_step});
      publish_position(self); // the writer before may have died between its commit and the news
    },
    [self](use_event_hub& change) {
      self->state.hub = std::move(change.hub);
      publish_position(self); // what the old one was told last may not have reached its followers
    },
    [self](drained) {
      self->state.marker_sent = false;
      commit_queued(self);
    },
  };
}

} // namespace sluice::actors
