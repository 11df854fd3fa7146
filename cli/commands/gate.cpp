#include "api/requests.hpp"
#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "runtime/config_load.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct gate_options {
  std::string name;
  std::string reason;
  std::string by;
};

struct gate_list_options {
  bool history = false;
  std::size_t limit = 50;
};

std::string left_words(const model::awaited& what, model::wall_time now) {
  if (!what.due)
    return {};
  const auto left = *what.due - now;
  return left.count() > 0 ? model::to_human(left) + " left" : "due";
}

void print_switches(session& s, const std::vector<model::switch_state>& switches) {
  table t{{"GATE", "STATE", "SINCE", "BY", "REASON"}};
  for (const auto& one : switches)
    t.row({{printable(one.name)},
           {one.is_open ? "open" : "closed", one.is_open ? tint::green : tint::yellow},
           {runtime::to_date_and_time(one.changed_at, s.zone)},
           {printable(one.by)},
           {printable(one.reason)}});
  t.print(s.out);
}

void print_waiting(session& s, const std::vector<storage::waiting_gate>& waiting) {
  table t{{"TASK", "WORKFLOW", "WAITS FOR", "", "SINCE", "LEFT"}};
  for (const auto& gate : waiting)
    t.row({{task_id(gate.key, gate.task)},
           {gate.workflow},
           {std::string{to_string(gate.what.reason)}},
           {printable(gate.what.name + gate.what.prompt)},
           {runtime::to_date_and_time(gate.since, s.zone)},
           {left_words(gate.what, s.clock.wall())}});
  t.print(s.out);
}

int list_gates(session& s, const gate_list_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  auto switches = options.history
                    ? store->switch_changes(options.limit)
                    : store->gates().map([](auto&& all) { return std::move(all.switches); });
  auto waiting =
    options.history ? expected<std::vector<storage::waiting_gate>>{} : store->waiting_gates();
  if (!switches || !waiting)
    return s.fail(switches ? waiting.error() : switches.error());
  if (s.json()) {
    for (const auto& one : *switches)
      s.print_json(runtime::to_json(one));
    for (const auto& gate : *waiting)
      s.print_json(runtime::to_json(gate));
  } else if (s.quiet()) {
    for (const auto& gate : *waiting)
      s.out.line(task_id(gate.key, gate.task));
  } else {
    if (!switches->empty())
      print_switches(s, *switches);
    if (!switches->empty() && !waiting->empty())
      s.out.line("");
    if (!waiting->empty())
      print_waiting(s, *waiting);
    else if (!options.history)
      s.out.line("nothing waits at a gate");
    else if (switches->empty())
      s.out.line("no gate was ever closed");
  }
  return exit_done;
}

int set_gate(session& s, const gate_options& options, model::switch_position to) {
  const bool closes = to == model::switch_position::closed;
  const auto by = options.by.empty() ? runtime::user_name() : options.by;
  const std::string word = closes ? "close" : "open";
  const auto done =
    carry_out(s, {.run = {},
                  .what = model::set_switch{options.name, to, {by, options.reason}},
                  .verb = "gate " + word,
                  .body = {{"by", by}, {"reason", options.reason}},
                  .target = "/api/v1/gates/" + api::percent_encoded(options.name) + "/" + word});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json(
      {{"gate", options.name}, {"state", closes ? "closed" : "open"}, {"tasks", done->tasks}});
  else if (s.text())
    s.out.line("gate '" + printable(options.name) + "' is " + (closes ? "closed" : "open")
               + (done->tasks.empty()
                    ? ""
                    : "; " + some_of(done->tasks)
                        + (done->tasks.size() == 1 ? (closes ? " waits" : " goes on")
                                                   : (closes ? " wait" : " go on"))));
  return exit_done;
}

void add_setter(CLI::App& gate, action& chosen, model::switch_position to, const char* name,
                const char* description) {
  const auto options = std::make_shared<gate_options>();
  auto* verb = gate.add_subcommand(name, description);
  verb->add_option("NAME", options->name, "The switch, as workflows name it")->required();
  verb->add_option("--reason", options->reason, "Why");
  verb->add_option("--by", options->by, "Who does it; by default who you are");
  verb->fallthrough();
  verb->callback([options, to, &chosen] {
    chosen = [options, to](session& s) { return set_gate(s, *options, to); };
  });
}

} // namespace

void add_gate(CLI::App& program, action& chosen) {
  auto* verb = program.add_subcommand("gate", "Gates: what waits at them, and switches");
  verb->require_subcommand(1);
  const auto options = std::make_shared<gate_list_options>();
  auto* list = verb->add_subcommand("list", "List the switches, and the tasks that wait at gates");
  list->add_flag("--history", options->history, "What was done to switches instead, newest first");
  list->add_option("--limit", options->limit, "At most this many changes")->capture_default_str();
  list->fallthrough();
  list->callback(
    [options, &chosen] { chosen = [options](session& s) { return list_gates(s, *options); }; });
  add_setter(*verb, chosen, model::switch_position::open, "open", "Open a switch");
  add_setter(*verb, chosen, model::switch_position::closed, "close",
             "Close a switch: what needs it does not start");
}

} // namespace sluice::cli
