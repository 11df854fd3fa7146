#include "actors/event_hub.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace sluice::actors {
namespace {

using hub_pointer = event_hub_actor::stateful_pointer<event_hub_state>;
using event_list = std::vector<model::event>;

constexpr auto read_timeout = std::chrono::seconds(60);
/// No event may come that would be an occasion to read again what could not be read.
constexpr auto pause_after_failed_read = std::chrono::seconds(1);

void serve(hub_pointer self, event_hub_state::subscriber& subscriber);

void deliver(hub_pointer self, event_hub_state::subscriber& subscriber,
             std::shared_ptr<const event_list> events) {
  subscriber.cursor = events->back().seq;
  --subscriber.credit;
  self->send(subscriber.handle, events_published{std::move(events)});
}

/// Reads the next batch for a subscriber that is behind.
void read_for(hub_pointer self, event_hub_state::subscriber& subscriber) {
  subscriber.reading = true;
  const auto id = subscriber.handle->id();
  const auto find = [self, id]() -> event_hub_state::subscriber* {
    const auto it = self->state.subscribers.find(id);
    return it == self->state.subscribers.end() ? nullptr : &it->second;
  };
  self
    ->request(self->state.readers, read_timeout,
              read_events{subscriber.cursor, self->state.options.batch_events})
    .then(
      [self, find](events_read& read) {
        auto* reader = find();
        if (reader == nullptr)
          return;
        reader->reading = false;
        if (!read.events->empty())
          deliver(self, *reader, std::move(read.events));
        serve(self, *reader);
      },
      [self, find](const caf::error& e) {
        spdlog::warn("event hub cannot read the event table error={}", from_caf(e).message);
        if (auto* reader = find())
          reader->reading = false;
        if (!std::exchange(self->state.reads_again, true)) // one for all who are behind
          self->delayed_send(self, pause_after_failed_read, read_again{});
      });
}

void serve(hub_pointer self, event_hub_state::subscriber& subscriber) {
  if (subscriber.cursor < self->state.last_seq && subscriber.credit > 0 && !subscriber.reading)
    read_for(self, subscriber);
}

/// Notes runs that come and go, so that events can name their tasks.
void note_run(event_hub_state& state, const model::record& record) {
  if (const auto* created = std::get_if<model::run_created>(&record))
    state.names[created->run_no] = model::task_names{created->request->workflow};
  const auto* added = std::get_if<model::tasks_added>(&record);
  if (const auto known = added ? state.names.find(added->run_no) : state.names.end();
      known != state.names.end() && known->second.size() == added->addition().first)
    known->second.grow_to(added->workflow); // else it comes again
  const auto* expanded = std::get_if<model::task_expanded>(&record);
  if (const auto known = expanded ? state.names.find(expanded->key.run_no) : state.names.end();
      known != state.names.end() && known->second.size() == expanded->instances.first)
    known->second.add(expanded->instances); // else it comes again
}

void forget_run(event_hub_state& state, const model::record& record) {
  if (const auto* moved = std::get_if<model::run_moved>(&record); moved && is_terminal(moved->to))
    state.names.erase(moved->run_no);
}

void on_published(hub_pointer self, const published& news) {
  auto& state = self->state;
  // Read from the table instead: what was missed, and what concerns a run that began before this
  // hub, whose tasks it cannot name.
  bool gap = news.first_seq > state.last_seq + 1;
  const bool wanted = !state.subscribers.empty();
  auto events = std::make_shared<event_list>();
  auto seq = news.first_seq;
  for (const auto& step : *news.steps) {
    for (const auto& record : step->records) {
      note_run(state, record);
      if (wanted) {
        events->push_back(model::event_of(record));
        auto& event = events->back();
        event.seq = seq;
        const auto names = state.names.find(event.run_no);
        const bool is_known =
          names != state.names.end() && event.task_idx.value_or(0) < names->second.size();
        if (!is_known)
          gap = true;
        else if (event.task_idx)
          event.task = names->second.name(*event.task_idx);
      }
      ++seq;
      forget_run(state, record);
    }
  }
  state.last_seq = std::max(state.last_seq, seq - 1);
  for (auto& [id, subscriber] : state.subscribers) {
    const bool up_to_date = subscriber.cursor + 1 == news.first_seq && !gap;
    if (up_to_date && !events->empty() && subscriber.credit > 0 && !subscriber.reading)
      deliver(self, subscriber, events);
    else
      serve(self, subscriber);
  }
}

} // namespace

event_hub_actor::behavior_type event_hub(hub_pointer self, event_hub_options options,
                                         readers_actor readers, std::int64_t last_seq) {
  auto& state = self->state;
  state.options = options;
  state.readers = std::move(readers);
  state.last_seq = last_seq;
  self->set_exception_handler(describe_exception);
  self->set_down_handler(
    [self](caf::down_msg& down) { self->state.subscribers.erase(down.source.id()); });
  return {
    [self](const published& news) { on_published(self, news); },
    [self](const subscribe_events& ask) {
      self->monitor(ask.subscriber);
      auto& subscriber = self->state.subscribers[ask.subscriber->id()];
      subscriber = {ask.subscriber, ask.after_seq, self->state.options.batches_in_flight, false};
      serve(self, subscriber);
    },
    [self](const grant_credit& grant) {
      const auto it = self->state.subscribers.find(grant.subscriber->id());
      if (it == self->state.subscribers.end())
        return;
      ++it->second.credit;
      serve(self, it->second);
    },
    [self](use_readers& change) { self->state.readers = std::move(change.readers); },
    [self](read_again) {
      self->state.reads_again = false;
      for (auto& [id, subscriber] : self->state.subscribers)
        serve(self, subscriber);
    },
  };
}

} // namespace sluice::actors
