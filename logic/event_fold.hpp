// The event log as states: what the tables have to say, worked out from the audit trail alone.
// Pure; applies one event after the other and refuses what cannot follow.
#pragma once

#include "model/error.hpp"
#include "model/event.hpp"
#include "model/run.hpp"

#include <map>
#include <vector>

namespace sluice::logic {

struct folded_task {
  model::task_state state = model::task_state::pending; ///< as stored
  std::uint32_t attempt = 0;                            ///< current one, 0: none yet
  friend bool operator==(const folded_task&, const folded_task&) = default;
};

struct folded_run {
  model::run_state state = model::run_state::running;
  std::uint32_t generation = 1;
  bool paused = false;
  std::vector<folded_task> tasks; ///< of the specification, then instances and added ones
  model::state_counts counts{};   ///< as stored

  struct instances {
    std::uint32_t task = 0; ///< that is fanned out
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool superseded = false;
    friend bool operator==(const instances&, const instances&) = default;
  };
  std::vector<instances> fan_outs; ///< ascending
  /// Whether it counts as a task: instances do in the place of the task they are of.
  bool is_counted(std::uint32_t task) const;
  /// Whether it is an instance that counts no more.
  bool is_superseded(std::uint32_t task) const;
  /// The task that an instance is one of, or the task itself.
  std::uint32_t node(std::uint32_t task) const;
};

class event_fold {
public:
  /// Of a whole log, or of the events of some runs, between which others were left out.
  enum class log : std::uint8_t { complete, of_some_runs };
  explicit event_fold(log which = log::complete) : log_(which) {}

  /// Applies the next event. An error, `internal`, says what does not fit: a gap in seq, a state
  /// the thing was not in, a move that the table of transitions does not have, a wrong attempt.
  expected<void> apply(const model::event& e);

  std::int64_t last_seq() const { return last_seq_; }
  const std::map<model::run_no, folded_run>& runs() const { return runs_; }
  const folded_run* find(model::run_no run) const;

private:
  expected<void> apply_to_run(const model::event& e);
  expected<void> apply_pause(const model::event& e, folded_run& run);
  static expected<void> note_signal(const model::event& e, const folded_run& run);
  static expected<void> add_tasks(const model::event& e, folded_run& run);
  static expected<void> expand(const model::event& e, folded_run& run);
  static void fold(folded_run& run, std::uint32_t task);
  expected<void> apply_to_task(const model::event& e, folded_run& run);

  log log_;
  std::int64_t last_seq_ = 0;
  std::map<model::run_no, folded_run> runs_;
};

} // namespace sluice::logic
