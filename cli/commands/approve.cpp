#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/words.hpp"
#include "runtime/config_load.hpp"
#include "runtime/history.hpp"
#include "runtime/param_input.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct decision_options {
  std::string task;
  std::vector<std::string> values; ///< of an approval
  std::string note;
  std::string by;
};

/// What the form of a task asks for; nothing when the task is no approval, which whoever is asked
/// says.
std::vector<model::param_spec> form_of(const model::workflow_spec& workflow,
                                       const runtime::task_view& task) {
  const auto node = task.node_idx.value_or(task.key.task_idx);
  const auto* gate =
    workflow.has(node) ? std::get_if<model::gate_action>(&workflow.task(node).action) : nullptr;
  return gate == nullptr ? std::vector<model::param_spec>{} : gate->what->form;
}

/// The values of the form, typed; what is wrong with them is printed, and an exit code returned.
tl::expected<model::value, int> read_form(session& s, runtime::history& store,
                                          const runtime::task_view& task,
                                          const std::vector<std::string>& assignments) {
  const auto workflow = store.workflow(task.key.run_no);
  if (!workflow)
    return tl::unexpected(s.fail(workflow.error()));
  auto values = runtime::read_values(form_of(**workflow, task), assignments, "form value");
  if (values)
    return std::move(*values);
  std::string problems;
  for (const auto& problem : values.error())
    problems += (problems.empty() ? "" : "\n") + problem;
  return tl::unexpected(s.fail(problems, exit_usage));
}

int decide(session& s, const decision_options& options, model::verdict verdict) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto found = store->task(options.task);
  if (!found)
    return s.fail(found.error());
  const auto& task = found->task;
  const bool approves = verdict == model::verdict::approved;
  model::decide_gate what{task.name, verdict, model::value::object(), {options.by, options.note}};
  if (what.whose.by.empty())
    what.whose.by = runtime::user_name();
  model::value body{{"task", task.name}, {"by", what.whose.by}, {"note", options.note}};
  if (approves && task.wait_reason == model::wait_reason::approval) {
    auto values = read_form(s, *store, task, options.values);
    if (!values)
      return values.error();
    body["values"] = what.values = std::move(*values);
  }
  const auto done = carry_out(s, {.run = task.key.run_no,
                                  .what = what,
                                  .verb = approves ? "approve" : "reject",
                                  .body = std::move(body)});
  if (!done)
    return done.error();
  const std::string word = approves ? "approved" : "rejected";
  if (s.json())
    s.print_json({{"run", to_string(task.key.run_no)},
                  {"task", task.name},
                  {"decision", word},
                  {"by", what.whose.by}});
  else if (s.text())
    s.out.line(task_id(task.key, task.name) + " is " + word
               + (found->run.interrupted
                    ? "; go on with: " + s.hint("run --resume " + to_string(task.key.run_no))
                    : ""));
  return exit_done;
}

CLI::App* add_decision(CLI::App& program, action& chosen, model::verdict verdict,
                       const std::shared_ptr<decision_options>& options, const char* name,
                       const char* description) {
  auto* verb = program.add_subcommand(name, description);
  verb->add_option("TASK", options->task, "The task: r-12/publish, @last/publish")->required();
  verb->add_option("--note", options->note, "What there is to say about it");
  verb->add_option("--by", options->by, "Who decides; by default who you are");
  verb->callback([options, verdict, &chosen] {
    chosen = [options, verdict](session& s) { return decide(s, *options, verdict); };
  });
  return verb;
}

} // namespace

void add_approve(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<decision_options>();
  auto* verb = add_decision(program, chosen, model::verdict::approved, options, "approve",
                            "Let a task go on that waits for an approval");
  verb
    ->add_option("-i,--input", options->values, "A value of its form, NAME=VALUE; may be repeated")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false);
}

void add_reject(CLI::App& program, action& chosen) {
  add_decision(program, chosen, model::verdict::rejected, std::make_shared<decision_options>(),
               "reject", "Do not let a task go on that waits for an approval");
}

} // namespace sluice::cli
