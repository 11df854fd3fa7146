#include "actors/readers.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

expected<storage::reader*> opened(readers_state& state) {
  if (state.reader == nullptr) {
    auto reader = state.open();
    if (!reader)
      return tl::unexpected(reader.error());
    state.reader = std::move(*reader);
  }
  return state.reader.get();
}

} // namespace

readers_actor::behavior_type readers(readers_actor::stateful_pointer<readers_state> self,
                                     reader_factory open) {
  self->state.open = std::move(open);
  self->set_exception_handler(describe_exception);
  return {
    [self](const read_outputs& ask) -> caf::result<outputs_read> {
      auto outputs =
        opened(self->state).and_then([&](storage::reader* r) { return r->outputs(ask.task); });
      if (!outputs)
        return to_caf(outputs.error());
      return outputs_read{std::move(*outputs)};
    },
    [self](const read_run& ask) -> caf::result<run_read> {
      auto run =
        opened(self->state).and_then([&](storage::reader* r) { return r->stored_run(ask.run_no); });
      if (!run)
        return to_caf(run.error());
      return run_read{std::make_shared<const model::stored_run>(std::move(*run))};
    },
    [self](const read_runs& ask) -> caf::result<runs_read> {
      auto found = opened(self->state).and_then([&](storage::reader* r) {
        return read_live_runs(*r, ask.ours, ask.now);
      });
      if (!found)
        return to_caf(found.error());
      return runs_read{std::move(*found)};
    },
    [self](const read_checkpoint& ask) -> caf::result<checkpoint_read> {
      auto found =
        opened(self->state).and_then([&](storage::reader* r) { return r->checkpoint(ask.task); });
      if (!found)
        return to_caf(found.error());
      if (!*found)
        return checkpoint_read{};
      return checkpoint_read{std::make_shared<const model::checkpoint>(std::move((*found)->what))};
    },
    [self](const read_snapshot& ask) -> caf::result<snapshot_read> {
      auto found =
        opened(self->state).and_then([&](storage::reader* r) { return r->snapshot(ask.task); });
      if (!found)
        return to_caf(found.error());
      if (!*found)
        return to_caf({errc::not_found, "task " + to_string(ask.task) + " has no snapshot"});
      return snapshot_read{std::make_shared<const std::string>(std::move((*found)->what))};
    },
    [self](const read_key& ask) -> caf::result<key_read> {
      auto found = opened(self->state).and_then([&](storage::reader* r) {
        return r->run_of_key(ask.digest, ask.now);
      });
      if (!found)
        return to_caf(found.error());
      return key_read{std::move(*found)};
    },
    [self](const read_result& ask) -> caf::result<result_read> {
      auto found = opened(self->state).and_then([&](storage::reader* r) {
        return r->result_of_key(ask.digest, ask.now);
      });
      if (!found)
        return to_caf(found.error());
      return result_read{std::move(*found)};
    },
    [self](const read_events& ask) -> caf::result<events_read> {
      auto events = opened(self->state).and_then([&](storage::reader* r) {
        return r->events({.after_seq = ask.after_seq, .run_no = std::nullopt, .limit = ask.limit});
      });
      if (!events)
        return to_caf(events.error());
      return events_read{std::make_shared<const std::vector<model::event>>(std::move(*events))};
    },
  };
}

} // namespace sluice::actors
