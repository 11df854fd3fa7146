#include "cli/commands/commands.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"
#include "runtime/planning.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

constexpr std::size_t most_names = 6; // of one stage, or of the critical path

std::string estimate_words(const model::execution_plan& plan) {
  return plan.estimate ? model::to_human(*plan.estimate) : "-";
}

/// The critical path from its end, `report <- load <- extract`, its middle left out when long.
std::string path_words(const model::workflow_spec& workflow, const model::execution_plan& plan) {
  const auto& path = plan.critical_path;
  std::string words;
  for (std::size_t i = path.size(); i-- > 0;) {
    const bool is_left_out = path.size() > most_names && i >= 2 && i + 3 < path.size();
    if (is_left_out && i != 2)
      continue;
    words += (words.empty() ? "" : " <- ")
             + (is_left_out ? "..." : printable(workflow.tasks[path[i]].name));
  }
  return words;
}

/// `extract[3]`, or `extract[?]` when it depends on the run into how many it is fanned out.
std::string task_words(const model::workflow_spec& workflow, const model::execution_plan& plan,
                       std::uint32_t task) {
  auto words = printable(workflow.tasks[task].name);
  if (const auto fanned = plan.instances.find(task); fanned != plan.instances.end())
    words += "[" + (fanned->second ? std::to_string(*fanned->second) : "?") + "]";
  if (const auto* child = child_of(workflow.tasks[task]))
    words += " (" + printable(child->spec->name) + ": "
             + plural(child->spec->tasks.size() + count_child_tasks(*child->spec), "task") + ")";
  return words;
}

std::string stage_words(const model::workflow_spec& workflow, const model::execution_plan& plan,
                        const model::stage& stage) {
  std::string words;
  for (std::size_t i = 0; i < stage.tasks.size() && i < most_names; ++i)
    words += (i == 0 ? "" : ", ") + task_words(workflow, plan, stage.tasks[i]);
  if (stage.tasks.size() > most_names)
    words += " and " + std::to_string(stage.tasks.size() - most_names) + " more";
  return words;
}

void print_plan(session& s, const model::workflow_spec& workflow,
                const model::execution_plan& plan) {
  s.out.line(s.out.tinted(workflow.name, tint::bold) + "  " + plural(plan.task_count, "task") + "  "
             + plural(plan.stages.size(), "stage") + "  width " + std::to_string(plan.width)
             + "  estimate " + estimate_words(plan));
  s.out.line("critical path " + plural(plan.critical_path.size(), "task") + ": "
             + path_words(workflow, plan));
  table t{{"STAGE", "TASKS", "MAX PARALLEL", "ESTIMATE"}};
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& stage = plan.stages[i];
    const bool is_limited = stage.max_parallel < stage.width;
    t.row({{std::to_string(i + 1)},
           {stage_words(workflow, plan, stage)},
           {std::to_string(stage.max_parallel) + (is_limited ? " (limit)" : "")},
           {"-"}});
  }
  t.print(s.out);
}

model::value to_json(const model::workflow_spec& workflow, const model::execution_plan& plan) {
  const auto names = [&](const std::vector<std::uint32_t>& tasks) {
    auto list = model::value::array();
    for (const auto task : tasks)
      list.push_back(workflow.tasks[task].name);
    return list;
  };
  auto stages = model::value::array();
  for (const auto& stage : plan.stages)
    stages.push_back({{"tasks", names(stage.tasks)}, {"max_parallel", stage.max_parallel}});
  model::value v{{"workflow", workflow.name},
                 {"task_count", plan.task_count},
                 {"width", plan.width},
                 {"stages", std::move(stages)},
                 {"critical_path", names(plan.critical_path)},
                 {"estimate_ms", nullptr}};
  for (const auto& task : workflow.tasks)
    if (const auto* child = child_of(task))
      v["children"][task.name] = {
        {"workflow", child->spec->name},
        {"task_count", child->spec->tasks.size() + count_child_tasks(*child->spec)}};
  for (const auto& [task, count] : plan.instances)
    v["instances"][workflow.tasks[task].name] = count ? model::value(*count) : model::value{};
  if (plan.estimate)
    v["estimate_ms"] = plan.estimate->count();
  return v;
}

int plan(session& s, const std::string& file) {
  const auto loaded = load_workflow(s, file);
  if (!loaded)
    return loaded.error();
  const auto made = runtime::plan_of(loaded->workflow);
  if (!made)
    return s.fail(made.error());
  if (s.json())
    s.print_json(to_json(*loaded->workflow, *made));
  else if (s.text())
    print_plan(s, *loaded->workflow, *made);
  return exit_done;
}

} // namespace

void add_plan(CLI::App& program, action& chosen) {
  const auto file = std::make_shared<std::string>();
  auto* verb =
    program.add_subcommand("plan", "Show what a workflow file would do, without doing it");
  verb->add_option("FILE", *file, "The workflow, YAML or JSON")->required();
  verb->callback([file, &chosen] { chosen = [file](session& s) { return plan(s, *file); }; });
}

} // namespace sluice::cli
