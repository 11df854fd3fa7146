#include "logic/added_tasks.hpp"

#include "logic/spec_path.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace sluice::logic {
namespace {

using problems_t = std::vector<spec_problem>;

/// What is said of a run, not of tasks: it has been said when that was submitted.
void check_is_only_tasks(const model::workflow_spec& added, problems_t& problems) {
  const auto refuse = [&](bool is_said, const char* key) {
    if (is_said)
      problems.push_back(
        {key, "is of the run, which has begun: only tasks and their defaults can be added", 0,
         true});
  };
  refuse(!added.params.empty(), "params");
  refuse(added.finally_count > 0, "finally");
  refuse(added.on_failure != model::on_failure::stop, "on_failure");
  refuse(added.deadline.has_value(), "deadline");
  refuse(added.active_tasks.has_value() || added.active_runs.has_value(), "limits");
  refuse(!added.out.empty(), "out");
  refuse(!added.groups.empty(), "groups");
  refuse(added.budget.has_value(), "budget");
  refuse(!added.additions.empty(), "additions");
  if (added.tasks.empty())
    problems.push_back({"tasks", "there is no task to add", 0, false});
}

/// Returns the paths of the tasks whose names are taken.
std::unordered_set<std::string> check_names(const addition_request& request, problems_t& problems) {
  std::unordered_set<std::string_view> names;
  for (const auto& task : request.workflow.tasks)
    names.insert(task.name);
  std::unordered_set<std::string> taken;
  for (const auto& task : request.added.tasks)
    if (names.contains(task.name)) {
      const auto path = path_of("tasks", task.name);
      problems.push_back({path, "the run has a task '" + task.name + "' already", 0, true});
      taken.insert(path);
    }
  return taken;
}

std::string in_directory(const std::string& directory, const std::optional<std::string>& path) {
  if (!path)
    return directory;
  return path->starts_with('/') || directory.empty() ? *path : directory + "/" + *path;
}

/// Files of secrets are beside the file that names them.
void place_in(const std::string& directory, model::secret_references& secrets) {
  for (auto& [name, reference] : secrets)
    if (const auto parsed = model::parse_secret_reference(reference);
        parsed && parsed->source == model::secret_source::file)
      reference = model::file_reference(in_directory(directory, parsed->place));
}

std::shared_ptr<const model::workflow_spec> merged(const addition_request& request) {
  const auto& added = request.added;
  auto all = std::make_shared<model::workflow_spec>(request.workflow);
  model::task_addition made{.first = request.first,
                            .position = static_cast<std::uint32_t>(all->tasks.size()),
                            .count = static_cast<std::uint32_t>(added.tasks.size()),
                            .defaults = request.workflow.defaults};
  made.defaults.env.clear(); // the workflow's own is the run's, and all tasks get it
  made.defaults.workdir.reset();
  auto defaults = added.defaults;
  place_in(added.base_dir, defaults.secrets);
  lay_over(made.defaults, std::move(defaults));
  made.defaults.workdir = in_directory(added.base_dir, added.defaults.workdir);
  if (made.defaults.workdir->empty())
    made.defaults.workdir.reset();
  all->additions.push_back(std::move(made));
  all->tasks.reserve(all->tasks.size() + added.tasks.size());
  for (const auto& task : added.tasks) {
    all->tasks.push_back(task);
    auto& own = all->tasks.back();
    own.addition = static_cast<std::uint32_t>(all->additions.size());
    if (task.settings.is_set() && task.settings->workdir)
      own.settings->workdir = in_directory(added.base_dir, task.settings->workdir);
    if (task.settings.is_set() && !task.settings->secrets.empty())
      place_in(added.base_dir, own.settings->secrets);
  }
  return all;
}

} // namespace

tl::expected<std::shared_ptr<const compiled_workflow>, problems_t>
compile_with_added(const addition_request& request, const handler_lookup& has_handler) {
  problems_t problems;
  check_is_only_tasks(request.added, problems);
  const auto taken = check_names(request, problems);
  if (request.added.tasks.empty() || !request.added.additions.empty())
    return tl::unexpected(std::move(problems));
  std::vector<std::uint32_t> in_part;
  for (const auto position : request.read_in_part)
    in_part.push_back(request.first + position);
  auto compiled = compile(merged(request), has_handler, in_part);
  if (!compiled) // a name that is taken stands twice, which was said
    std::copy_if(std::make_move_iterator(compiled.error().begin()),
                 std::make_move_iterator(compiled.error().end()), std::back_inserter(problems),
                 [&](const spec_problem& problem) { return !taken.contains(problem.path); });
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  return compiled;
}

} // namespace sluice::logic
