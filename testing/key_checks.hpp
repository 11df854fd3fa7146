// What the keys of tasks promise, checked event by event: of tasks with the same key one at a
// time is begun and not decided, and none starts while the last that did is a success. Owned by a
// scenario.
#pragma once

#include "model/event.hpp"

#include <map>
#include <set>
#include <string>

namespace sluice::testing {

class key_checks {
public:
  /// Takes note of an event that moved a task with this key. Returns what it violates, or an empty
  /// text.
  std::string see(const model::event& event, const std::string& key);

private:
  struct use {
    std::set<model::task_key> begun; ///< and not decided
    model::task_key last;            ///< that started
    bool is_done = false;            ///< that one has succeeded
  };
  std::map<std::string, use> uses_; ///< by key
};

} // namespace sluice::testing
