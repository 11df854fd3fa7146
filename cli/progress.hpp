// What `sluice run` shows while the run goes on: one line of JSON per event, a line of text per end
// of a task, or on a terminal a display that is redrawn in place. Used by the main thread only.
#pragma once

#include "cli/run_tracker.hpp"
#include "cli/session.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sluice::cli {

class progress {
public:
  virtual ~progress() = default;

  /// Called with each event before the tracker has applied it.
  virtual void show(const model::event& e) = 0;
  /// Redraws what changes in place; called after events, and once a second when `is_live`.
  virtual void redraw() {}
  /// Takes what changes in place off the screen, so that other text can be printed.
  virtual void clear() {}
  virtual bool is_live() const { return false; }
};

/// Says what a person can do about a task that is held.
std::string how_to_answer(const session& s, model::task_key key, std::string_view name);

/// Says how a person lets a gate through; empty when that is nobody's business.
std::string how_to_pass(const session& s, model::task_key key, std::string_view name,
                        const model::awaited& what, const model::workflow_spec& workflow);

/// The display for the session's form of output; borrows both arguments.
std::unique_ptr<progress> make_progress(session& s, const run_tracker& tracker);

} // namespace sluice::cli
