// What tasks that only wait promise, as the events tell it: each is let through by what it waits
// for, once, and not before its time.
#pragma once

#include "model/event.hpp"
#include "model/workflow.hpp"
#include "storage/store.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace sluice::testing {

class gate_checks {
public:
  /// A task's event that moved it. Returns what is wrong, or nothing. `clock_was_set`: times do not
  /// tell anything any more.
  std::string see(const model::event& event, const model::task_spec& spec, bool clock_was_set);
  /// A signal was sent to a run.
  std::string see_signal(const model::event& event);
  /// What is stored is what the events said.
  std::string compare(const std::vector<storage::waiting_gate>& stored) const;
  std::string compare(model::run_no run, const std::vector<model::kept_signal>& stored) const;

  /// Nothing waits for a switch that is open, and no quota was exceeded.
  std::string compare(const model::stored_gates& stored,
                      const std::function<const model::task_spec&(model::task_key)>& spec_of) const;

  /// Tasks that wait for a person or a signal, and what for.
  const std::map<model::task_key, model::wait_reason>& waiting() const { return waiting_; }

private:
  std::string pass(const model::event& event, const model::task_spec& spec, bool clock_was_set);

  std::map<model::task_key, model::wait_reason> waiting_;
  std::map<model::task_key, model::wall_time> due_;
  std::map<model::run_no, std::map<std::uint64_t, std::string>> signals_; ///< kept: number, name
};

} // namespace sluice::testing
