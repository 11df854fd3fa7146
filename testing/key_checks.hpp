// What the keys of tasks promise, checked event by event: of tasks with the same name and key one
// at a time is begun and not decided, and none starts while the last that did is a success. Owned
// by a scenario, for runs of one workflow name and keys without expressions.
#pragma once

#include "model/event.hpp"
#include "model/workflow.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>

namespace sluice::testing {

class key_checks {
public:
  /// Takes note of an event that moved a task. Returns what it violates, or an empty text.
  std::string see(const model::event& event, const model::task_spec& task);

private:
  struct use {
    std::set<model::task_key> begun; ///< and not decided
    model::task_key last;            ///< that started
    bool is_done = false;            ///< that one has succeeded
  };
  std::map<std::pair<std::string, std::string>, use> uses_; ///< by name and key
};

} // namespace sluice::testing
