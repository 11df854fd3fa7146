#include "cli/commands/commands.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

std::string left_words(const model::awaited& what, model::wall_time now) {
  if (!what.due)
    return {};
  const auto left = *what.due - now;
  return left.count() > 0 ? model::to_human(left) + " left" : "due";
}

int list_gates(session& s) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto waiting = store->waiting_gates();
  if (!waiting)
    return s.fail(waiting.error());
  table t{{"TASK", "WORKFLOW", "WAITS FOR", "", "SINCE", "LEFT"}};
  for (const auto& gate : *waiting) {
    const auto id = task_id(gate.key, gate.task);
    if (s.json())
      s.print_json(runtime::to_json(gate));
    else if (s.quiet())
      s.out.line(id);
    else
      t.row({{id},
             {gate.workflow},
             {std::string{to_string(gate.what.reason)}},
             {printable(gate.what.name + gate.what.prompt)},
             {runtime::to_date_and_time(gate.since, s.zone)},
             {left_words(gate.what, s.clock.wall())}});
  }
  if (s.text() && waiting->empty())
    s.out.line("nothing waits at a gate");
  else if (s.text())
    t.print(s.out);
  return exit_done;
}

} // namespace

void add_gate(CLI::App& program, action& chosen) {
  auto* verb = program.add_subcommand("gate", "Gates: what waits at them");
  verb->require_subcommand(1);
  auto* list = verb->add_subcommand("list", "List the tasks that wait for a time, an approval or a "
                                            "signal");
  list->fallthrough();
  list->callback([&chosen] { chosen = [](session& s) { return list_gates(s); }; });
}

} // namespace sluice::cli
