// What groups of tasks and budgets promise, checked event by event: nothing of a group starts after
// its timebox is over, and nothing of a run or a group after its budget is used up. Owned by a
// scenario.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "model/event.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace sluice::testing {

class group_checks {
public:
  /// Takes note of an event; `node` is the task of the specification that it is about. Returns what
  /// it violates, or an empty text.
  std::string see(const model::event& event, const logic::compiled_workflow& workflow,
                  std::optional<std::uint32_t> node);

private:
  /// A run, or one of its groups by index.
  using scope = std::pair<model::run_no, std::optional<std::uint32_t>>;

  void note_use(const model::event& event, std::optional<std::uint32_t> group);
  void note_end(const model::event& event, const logic::compiled_workflow& workflow,
                std::optional<std::uint32_t> group);
  std::string check_start(const model::event& event, const logic::compiled_workflow& workflow,
                          std::optional<std::uint32_t> group) const;

  std::map<model::attempt_key, model::amounts> told_;
  std::map<scope, model::amounts> spent_;
  std::set<scope> over_; ///< in this generation: nothing starts any more
};

} // namespace sluice::testing
