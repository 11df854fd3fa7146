#include "cli/commands/commands.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

int validate(session& s, const std::string& file) {
  const auto loaded = load_workflow(s, file);
  if (!loaded)
    return loaded.error();
  const auto tasks = loaded->workflow->tasks.size();
  const auto children = model::count_child_tasks(*loaded->workflow);
  if (s.json())
    s.print_json({{"file", file},
                  {"ok", true},
                  {"workflow", loaded->workflow->name},
                  {"tasks", tasks},
                  {"child_tasks", children}});
  else if (s.text())
    s.out.line(file + ": ok, " + plural(tasks, "task")
               + (children == 0
                    ? ""
                    : ", and " + plural(children, "task") + " in the workflows that it starts"));
  return exit_done;
}

} // namespace

void add_validate(CLI::App& program, action& chosen) {
  const auto file = std::make_shared<std::string>();
  auto* verb = program.add_subcommand("validate", "Check a workflow file, report every problem");
  verb->add_option("FILE", *file, "The workflow, YAML or JSON")->required();
  verb->callback([file, &chosen] { chosen = [file](session& s) { return validate(s, *file); }; });
}

} // namespace sluice::cli
