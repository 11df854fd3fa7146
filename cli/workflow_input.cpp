#include "cli/workflow_input.hpp"

#include "runtime/orchestrator.hpp"
#include "runtime/param_input.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

model::value to_json(const runtime::file_problem& problem) {
  model::value v{{"message", problem.message}};
  if (problem.line > 0) {
    v["line"] = problem.line;
    v["column"] = problem.column;
  }
  if (!problem.path.empty())
    v["path"] = problem.path;
  if (!problem.file.empty())
    v["file"] = problem.file;
  return v;
}

void print_problems(session& s, const std::string& file,
                    const std::vector<runtime::file_problem>& problems) {
  if (s.json()) {
    auto list = model::value::array();
    for (const auto& problem : problems)
      list.push_back(to_json(problem));
    s.print_json({{"file", file}, {"ok", false}, {"problems", std::move(list)}});
    return;
  }
  for (const auto& problem : problems)
    s.err.line(to_string(file, problem));
  s.err.flush();
}

} // namespace

tl::expected<runtime::loaded_workflow, int> load_workflow(session& s, const std::string& file) {
  auto loaded = runtime::load_workflow_file(file, runtime::has_builtin_handler);
  if (loaded)
    return std::move(*loaded);
  print_problems(s, file, loaded.error());
  return tl::unexpected(exit_usage);
}

tl::expected<runtime::loaded_workflow, int> load_added_tasks(session& s, const std::string& file,
                                                             const runtime::addition_target& to) {
  // What the run calls already its runtime has, which may be another program.
  const auto has_handler = [&](std::string_view name) {
    return runtime::has_builtin_handler(name)
           || std::any_of(to.workflow->tasks.begin(), to.workflow->tasks.end(),
                          [&](const auto& task) {
                            const auto* call = std::get_if<model::call_action>(&task.action);
                            return call != nullptr && call->handler == name;
                          });
  };
  auto loaded = runtime::load_added_tasks(file, to, has_handler);
  if (loaded)
    return std::move(*loaded);
  print_problems(s, file, loaded.error());
  return tl::unexpected(exit_usage);
}

tl::expected<model::submission, int> make_submission(session& s, runtime::loaded_workflow loaded,
                                                     const std::string& file,
                                                     const std::vector<std::string>& params) {
  auto values = runtime::read_params(*loaded.workflow, params);
  if (!values) {
    std::vector<runtime::file_problem> problems;
    for (auto& message : values.error())
      problems.push_back({.message = std::move(message)});
    print_problems(s, file, problems);
    return tl::unexpected(exit_usage);
  }
  return model::submission{.workflow = std::move(loaded.workflow),
                           .content_hash = std::move(loaded.content_hash),
                           .source = std::move(loaded.source),
                           .params = std::move(*values)};
}

} // namespace sluice::cli
