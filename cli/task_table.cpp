#include "cli/task_table.hpp"

#include "cli/words.hpp"

namespace sluice::cli {

std::string task_detail(const runtime::task_view& task) {
  if (task.failure)
    return failure_sentence(to_string(task.failure->failure_class), task.failure->code,
                            task.failure->message);
  if (!task.waits_for.empty())
    return "waits for " + printable(task.waits_for);
  if (task.interrupted)
    return "its runtime is gone";
  if (task.losses != 0 && task.reason.empty())
    return plural(task.losses, "lost attempt");
  return printable(task.reason);
}

std::vector<cell> task_cells(const runtime::task_view& task, const session& s) {
  const auto state = task.shown_state();
  return {{printable(task.name)},
          {std::string{state}, tint_of(state)},
          {task_time(task, s.clock.wall())},
          {task_detail(task)}};
}

} // namespace sluice::cli
