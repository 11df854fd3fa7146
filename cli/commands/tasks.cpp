#include "cli/commands/commands.hpp"
#include "cli/filter.hpp"
#include "cli/found_run.hpp"
#include "cli/live_waits.hpp"
#include "cli/task_table.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <CLI/CLI.hpp>

#include <array>

namespace sluice::cli {
namespace {

struct tasks_options {
  std::string run;
  bool dead = false; ///< only what failed for good, or is held for it
  list_options list{.limit = 1000};
};

expected<void> check_state(const std::string& state) {
  if (state.empty() || state == "interrupted" || model::parse_task_state(state))
    return {};
  return fail(errc::invalid_argument, "'" + state + "' is not the state of a task");
}

table headed(bool dead) {
  return dead ? table{{"ID", "TASK", "CLASS", "CODE", "ATTEMPTS", "ERROR"}}
              : table{{"ID", "TASK", "STATE", "ATTEMPT", "", "TIME", ""}};
}

std::vector<cell> dead_cells(const runtime::task_view& task) {
  const auto failure = task.failure.value_or(model::failure{});
  return {{to_string(task.key)},
          {printable(task.name)},
          {std::string{to_string(failure.failure_class)}, tint::red},
          {printable(failure.code)},
          {std::to_string(task.attempt)},
          {printable(failure.message)}};
}

/// Prints a task that was found, or keeps it for the table.
void take(session& s, table& t, const runtime::task_view& task, bool dead) {
  if (s.json())
    return s.print_json(to_json(task));
  if (s.quiet())
    return s.out.line(to_string(task.key));
  if (dead)
    return t.row(dead_cells(task));
  auto cells = task_cells(task, s);
  cells.insert(cells.begin(), {to_string(task.key)});
  cells.insert(cells.begin() + 3, {task.attempt == 0 ? "" : std::to_string(task.attempt)});
  cells.insert(cells.begin() + 4, {generation_words(task.generation)});
  t.row(std::move(cells));
}

int list_tasks(session& s, const tasks_options& options) {
  constexpr std::array<std::string_view, 3> keys{"state", "name", "group"};
  auto filters = read_filters(options.list.filters, keys);
  if (!filters)
    return s.fail(filters.error());
  const auto state = (*filters)["state"], name = (*filters)["name"], group = (*filters)["group"];
  if (const auto checked = check_state(state); !checked)
    return s.fail(checked.error());
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  std::shared_ptr<const model::workflow_spec> spec; // which knows the groups
  if (!group.empty()) {
    auto workflow = store.workflow(run.run_no);
    if (!workflow)
      return s.fail(workflow.error());
    spec = std::move(*workflow);
  }
  const auto is_of_group = [&](const runtime::task_view& task) {
    const auto node = task.node_idx.value_or(task.key.task_idx);
    return spec->has(node) // else it was added since
           && setting_of(*spec, spec->task(node), &model::task_settings::group) == group;
  };
  auto t = headed(options.dead);
  std::size_t found = 0, more = 0;
  std::vector<runtime::task_view> listed;
  const auto read = store.each_task(run, [&](const runtime::task_view& task) {
    const bool is_undone = task.state == model::task_state::rolled_back && task.failure;
    const bool is_dead = task.state == model::task_state::failed || is_undone
                         || task.wait_reason == model::wait_reason::hold;
    const bool wanted = (!options.dead || is_dead) && (state.empty() || task.shown_state() == state)
                        && (name.empty() || task.name.find(name) != std::string::npos)
                        && (group.empty() || is_of_group(task));
    if (wanted && ++found > options.list.limit)
      ++more;
    else if (wanted)
      listed.push_back(task);
    return !s.out.is_closed();
  });
  if (!read)
    return s.fail(read.error());
  add_live_waits(s, run, listed);
  for (const auto& task : listed)
    take(s, t, task, options.dead);
  if (!s.text())
    return exit_done;
  if (t.empty())
    s.out.line("no tasks");
  else
    t.print(s.out);
  if (more != 0)
    s.out.line("and " + std::to_string(more) + " more, see --limit");
  if (options.dead && found != 0 && model::is_terminal(run.state))
    s.out.line("again: " + s.hint("retry " + to_string(run.run_no)));
  return exit_done;
}

} // namespace

void add_tasks(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<tasks_options>();
  auto* verb = program.add_subcommand("tasks", "List the tasks of a run");
  verb->add_option("RUN", options->run, "r-12, 12, @last or @last-failed")->required();
  verb->add_flag("--dead", options->dead,
                 "Only those that failed for good, or are held for it, with why");
  verb->add_option("--limit", options->list.limit, "At most this many")->capture_default_str();
  verb->add_option("--filter", options->list.filters, "state=STATE, name=PART or group=NAME")
    ->allow_extra_args(false);
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return list_tasks(s, *options); }; });
}

} // namespace sluice::cli
