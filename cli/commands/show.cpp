#include "cli/commands/commands.hpp"
#include "cli/live_waits.hpp"
#include "cli/report.hpp"
#include "cli/task_table.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

namespace sluice::cli {
namespace {

struct show_options {
  std::string id;
  std::size_t limit = 30;
};

/// What a person looks for first: failures, then what is held or under way, then what waits.
std::size_t interest(const runtime::task_view& task) {
  if (has_failed(task))
    return 0;
  const bool is_held = task.wait_reason == model::wait_reason::hold
                       || task.wait_reason == model::wait_reason::approval;
  if (is_held || task.interrupted || model::is_active(task.state))
    return 1;
  if (task.shown == model::task_state::cancelled)
    return 2;
  if (task.shown == model::task_state::ready)
    return 3;
  if (!model::is_terminal(task.shown))
    return 4;
  return task.shown == model::task_state::skipped || task.shown == model::task_state::rolled_back
           ? 5
           : 6;
}
constexpr std::size_t interests = 7;

void print_values(session& s, const char* title, const model::value& values) {
  if (!values.is_object())
    return;
  for (const auto& item : values.items())
    s.out.line("  " + std::string{title} + "  " + item.key() + " = "
               + shortened(printable(model::to_text(item.value())), 200));
}

/// `cost 6.10 / 25.00  time 2h / 10h`
std::string budget_words(const runtime::budget_view& budget) {
  std::string words;
  for (std::size_t i = 0; i < budget.limits.size(); ++i) {
    const auto kind = static_cast<model::budget_kind>(i);
    if (budget.limits[i])
      words += (words.empty() ? "" : "  ") + std::string{to_string(kind)} + " "
               + model::to_text(kind, budget.used[i]) + " / "
               + model::to_text(kind, *budget.limits[i]);
  }
  return words;
}

void print_header(session& s, const runtime::run_view& run, const model::value& results,
                  const std::vector<runtime::budget_view>& budgets) {
  std::string of_run;
  for (const auto& budget : budgets)
    if (budget.group.empty())
      of_run = "  " + budget_words(budget);
  const auto state = run.shown_state();
  s.out.line(s.out.tinted(run.workflow, tint::bold) + " " + to_string(run.run_no) + "  "
             + s.out.tinted(state, tint_of(state)) + (run.degraded ? " (degraded)" : "")
             + (run.is_paused() ? " (paused)" : "") + "  " + generation_words(run.generation)
             + (run.generation > 1 ? "  " : "") + run_time(run, s.clock.wall())
             + (run_time(run, s.clock.wall()).empty() ? "" : "  ") + "submitted "
             + runtime::to_date_and_time(run.submitted_at, s.zone) + of_run);
  std::size_t done = 0;
  for (std::size_t i = 0; i < run.counts.size(); ++i)
    if (model::is_terminal(static_cast<model::task_state>(i)))
      done += run.counts[i];
  const auto counts = count_words(run);
  s.out.line(bar(done, run.task_count(), 46) + "  " + std::to_string(done) + "/"
             + std::to_string(run.task_count()) + (counts.empty() ? "" : "   " + counts));
  for (const auto& budget : budgets)
    if (!budget.group.empty())
      s.out.line("group '" + printable(budget.group) + "'  " + budget_words(budget));
  if (!run.error.empty())
    s.out.line(printable(run.error));
  if (run.parent)
    s.out.line(parent_words(run));
  if (!run.params.empty()) {
    std::string params;
    for (const auto& item : run.params.items())
      params += "  " + item.key() + "=" + printable(model::to_plain_text(item.value()));
    s.out.line("params" + shortened(params, 200));
  }
  print_values(s, "out", results);
}

expected<void> print_tasks(session& s, runtime::history& store, const runtime::run_view& run,
                           std::size_t limit) {
  std::array<std::vector<runtime::task_view>, interests> by_interest;
  std::size_t total = 0;
  const auto read = store.each_task(run, [&](const runtime::task_view& task) {
    ++total;
    auto& group = by_interest[interest(task)];
    if (group.size() < limit)
      group.push_back(task);
    return true;
  });
  if (!read)
    return read;
  for (auto& group : by_interest)
    add_live_waits(s, run, group);
  const auto spec = store.workflow(run.run_no);
  if (!spec)
    return tl::unexpected(spec.error());
  const auto allowed = allowed_to_fail(**spec);
  std::size_t printed = 0;
  table t;
  for (std::size_t group = 0; group < interests; ++group)
    for (const auto& task : by_interest[group]) {
      if (printed++ == limit)
        break;
      if (group == 0)
        print_failure(s, store, task, allowed.contains(name_in_file(task)));
      else
        t.row(task_cells(task, s));
    }
  t.print(s.out, "  ");
  if (total > limit)
    s.out.line("  and " + std::to_string(total - limit)
               + " more: " + s.hint("tasks " + to_string(run.run_no)));
  return {};
}

int show_run(session& s, runtime::history& store, const show_options& options) {
  const auto run = store.run(options.id);
  if (!run)
    return s.fail(run.error());
  if (s.quiet()) {
    s.out.line(run->shown_state());
    return exit_done;
  }
  const auto results = store.results(run->run_no);
  if (!results)
    return s.fail(results.error());
  const auto budgets = store.budgets(*run, s.clock.wall());
  if (!budgets)
    return s.fail(budgets.error());
  if (s.json()) {
    auto v = to_json(*run);
    for (const auto& budget : *budgets)
      v["budgets"].push_back(to_json(budget));
    if (!results->is_null())
      v["out"] = *results;
    auto& list = v["task_list"] = model::value::array();
    std::vector<runtime::task_view> tasks;
    const auto read = store.each_task(*run, [&](const runtime::task_view& task) {
      tasks.push_back(task);
      return tasks.size() < options.limit;
    });
    if (!read)
      return s.fail(read.error());
    add_live_waits(s, *run, tasks);
    for (const auto& task : tasks)
      list.push_back(to_json(task));
    s.print_json(v);
    return exit_done;
  }
  print_header(s, *run, *results, *budgets);
  if (const auto printed = print_tasks(s, store, *run, options.limit); !printed)
    return s.fail(printed.error());
  if (const auto root = store.root_of(*run); run->interrupted && root)
    s.out.line("go on with: " + s.hint("run --resume " + to_string(*root)));
  return exit_done;
}

/// What the attempt ran, when that was not the task's action.
std::string role_words(const storage::attempt_row& attempt) {
  if (attempt.role == model::command_role::action)
    return {};
  return std::string{to_string(attempt.role)} + (attempt.failure ? ": " : "");
}

/// `cost 0.5  tokens 12`
std::string usage_words(const model::value& usage) {
  std::string words;
  if (usage.is_object())
    for (const auto& [name, number] : usage.items())
      words += (words.empty() ? "" : "  ") + name + " " + model::to_plain_text(number);
  return shortened(printable(words), 60);
}

/// The run that an attempt was; nothing when it was none.
std::optional<model::run_no> run_of(const storage::attempt_row& attempt,
                                    const std::vector<model::child_run>& children) {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const auto& child) { return child.parent == attempt.key; });
  return found == children.end() ? std::nullopt : std::optional{found->run_no};
}

void print_attempts(session& s, const runtime::history& store,
                    const std::vector<storage::attempt_row>& attempts,
                    const std::vector<model::child_run>& children) {
  table t{{"ATTEMPT", "", "STATE", "DISPATCHED", "TIME", "CPU", "MEMORY", "USAGE", "", "LOG"}};
  for (const auto& attempt : attempts) {
    const auto log = store.log_of(attempt.key);
    std::error_code absent;
    const auto size = std::filesystem::file_size(log, absent);
    const bool has_log = !absent && size > 0;
    const auto start = attempt.started_at.value_or(attempt.dispatched_at);
    const auto used = attempt.usage != model::resource_usage{};
    const auto run = run_of(attempt, children);
    t.row({{to_string(attempt.key)},
           {generation_words(attempt.generation)},
           {std::string{to_string(attempt.state)}, tint_of(to_string(attempt.state))},
           {runtime::to_date_and_time(attempt.dispatched_at, s.zone)},
           {attempt.finished_at ? model::to_human(*attempt.finished_at - start) : ""},
           {used ? model::to_human(attempt.usage.cpu) : ""},
           {used ? std::to_string(attempt.usage.peak_rss_bytes / 1024) + " KiB" : ""},
           {usage_words(attempt.own_usage)},
           {role_words(attempt) + (attempt.failure ? failure_words(*attempt.failure) : "")},
           {run       ? "run " + to_string(*run)
            : has_log ? log.string()
                      : ""}});
  }
  t.print(s.out, "  ");
}

int show_task(session& s, runtime::history& store, const show_options& options) {
  const auto found = store.task(options.id);
  if (!found)
    return s.fail(found.error());
  const auto& task = found->task;
  const auto attempts = store.attempts(task.key);
  if (!attempts)
    return s.fail(attempts.error());
  const auto children = store.children(task.key);
  if (!children)
    return s.fail(children.error());
  const auto outputs = store.outputs(task.key);
  if (!outputs)
    return s.fail(outputs.error());
  const auto snapshot = store.snapshot(task.key);
  if (!snapshot)
    return s.fail(snapshot.error());
  const auto checkpoint = store.checkpoint(task.key);
  if (!checkpoint)
    return s.fail(checkpoint.error());
  if (s.quiet()) {
    s.out.line(task.shown_state());
    return exit_done;
  }
  if (s.json()) {
    auto v = to_json(task);
    v["outputs"] = task.instances ? runtime::by_output(*outputs) : *outputs;
    if (*checkpoint)
      v["checkpoint"] = {{"token", (*checkpoint)->what.token},
                         {"bytes", (*checkpoint)->what.data.size()},
                         {"attempt", (*checkpoint)->attempt},
                         {"saved_at", model::to_rfc3339((*checkpoint)->saved_at)}};
    if (*snapshot)
      v["snapshot"] = {{"bytes", (*snapshot)->what.size()},
                       {"saved_at", model::to_rfc3339((*snapshot)->saved_at)}};
    for (const auto& attempt : *attempts) {
      v["attempts"].push_back(runtime::to_json(attempt));
      if (const auto run = run_of(attempt, *children))
        v["attempts"].back()["child_run"] = to_string(*run);
    }
    s.print_json(v);
    return exit_done;
  }
  const auto state = task.shown_state();
  const auto detail = task_detail(task, s.clock.wall());
  const auto id = task_id(task.key, task.name);
  s.out.line(s.out.tinted(id, tint::bold) + "  "
             + (id.ends_with(task.name) ? "" : printable(task.name) + "  ")
             + s.out.tinted(state, tint_of(state)) + "  " + task_time(task, s.clock.wall()));
  if (!detail.empty())
    s.out.line("  " + detail);
  if (!attempts->empty())
    print_values(s, "in ", attempts->back().inputs);
  print_values(s, "out", task.instances ? runtime::by_output(*outputs) : *outputs);
  if (*checkpoint)
    s.out.line("  checkpoint  " + printable((*checkpoint)->what.token) + "  "
               + std::to_string((*checkpoint)->what.data.size()) + " bytes  saved "
               + runtime::to_date_and_time((*checkpoint)->saved_at, s.zone));
  if (*snapshot)
    s.out.line("  snapshot  " + std::to_string((*snapshot)->what.size()) + " bytes  saved "
               + runtime::to_date_and_time((*snapshot)->saved_at, s.zone));
  if (!attempts->empty())
    print_attempts(s, store, *attempts, *children);
  const auto more = task.instances
                      ? "tasks " + to_string(task.key.run_no) + " --filter name=" + task.name
                    : !children->empty() ? "show " + to_string(children->back().run_no)
                                         : "logs " + id;
  s.out.line(s.out.tinted("more: " + s.hint(more), tint::dim));
  return exit_done;
}

int show(session& s, const show_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  return options.id.find('/') == std::string::npos ? show_run(s, *store, options)
                                                   : show_task(s, *store, options);
}

} // namespace

void add_show(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<show_options>();
  auto* verb = program.add_subcommand("show", "Show a run, or one task of it with its attempts");
  verb->add_option("ID", options->id, "r-12, @last, @last-failed, or a task: r-12/load")
    ->required();
  verb->add_option("--limit", options->limit, "At most this many tasks")->capture_default_str();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return show(s, *options); }; });
}

} // namespace sluice::cli
