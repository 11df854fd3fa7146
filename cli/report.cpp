#include "cli/report.hpp"

#include "cli/log_text.hpp"
#include "cli/words.hpp"

namespace sluice::cli {
namespace {

constexpr std::size_t most_failures = 10; // told in full; a person starts with the first
constexpr std::size_t tail_lines = 10;
constexpr std::size_t result_lines = 60;      // a screen or two
constexpr std::size_t longest_result = 1'000; // `show --json` has all of it

/// The end of the task's log, where the log is, and the command that shows more.
void print_tail(session& s, runtime::history& store, const runtime::task_view& task) {
  const auto id = task_id(task.key, task.name);
  const auto log = store.log_of({task.key.run_no, task.key.task_idx, task.attempt});
  const auto tail = read_tail(log, tail_lines);
  if (tail.lines.empty()) {
    const auto runs = store.children(task.key);
    s.out.line("    more  "
               + s.hint("show " + (runs && !runs->empty() ? to_string(runs->back().run_no) : id)));
    return;
  }
  if (!tail.is_whole)
    s.out.line("    " + s.out.tinted("| ...", tint::dim));
  for (const auto& line : tail.lines)
    s.out.line("    " + s.out.tinted("|", tint::dim) + (line.empty() ? "" : " " + line));
  s.out.line("    log   " + log.string());
  s.out.line("    more  " + s.hint("logs " + id));
}

std::string last_line(const runtime::run_view& run, const session& s) {
  auto line = s.out.tinted(run.workflow, tint::bold) + " " + to_string(run.run_no) + "  "
              + s.out.tinted(run.shown_state(), tint_of(run.shown_state()));
  if (run.degraded)
    line += " " + s.out.tinted("(degraded: an allowed failure)", tint::yellow);
  const auto succeeded = run.count(model::task_state::succeeded);
  line +=
    "  " + std::to_string(succeeded) + " of " + plural(run.task_count(), "task") + " succeeded";
  if (const auto counts = count_words(run); !counts.empty())
    line += "  " + counts;
  return line + "  " + run_time(run, s.clock.wall());
}

} // namespace

bool has_failed(const runtime::task_view& task) {
  return task.state == model::task_state::failed
         || (task.state == model::task_state::rolled_back && task.failure);
}

void print_failure(session& s, runtime::history& store, const runtime::task_view& task,
                   bool is_allowed) {
  auto line = "  " + s.out.tinted(printable(task.name), tint::bold) + "  "
              + s.out.tinted(task.shown_state(), tint_of(task.shown_state()));
  if (task.failure)
    line += ": " + failure_sentence(*task.failure);
  if (is_allowed)
    line += " (allowed)";
  if (const auto time = task_time(task, s.clock.wall()); !time.empty())
    line += "  after " + time;
  if (task.attempt > 1)
    line += "  attempt " + std::to_string(task.attempt);
  s.out.line(line);
  print_tail(s, store, task);
}

std::string name_in_file(const runtime::task_view& task) {
  const auto of = task.node_idx ? model::split_instance_name(task.name) : std::nullopt;
  return of ? std::string{of->task} : task.name;
}

std::set<std::string> allowed_to_fail(const model::workflow_spec& workflow) {
  std::set<std::string> names;
  for (const auto& task : workflow.tasks)
    if (model::setting_of(workflow, task, &model::task_settings::allow_failure).value_or(false))
      names.insert(task.name);
  return names;
}

namespace {

/// What a successful run was for: what it says that it comes to, else the log of the task that all
/// others lead to.
expected<void> print_result(session& s, runtime::history& store, const runtime::run_view& run) {
  const auto results = store.results(run.run_no);
  if (!results)
    return tl::unexpected(results.error());
  if (results->is_object()) {
    s.out.line("");
    for (const auto& item : results->items())
      s.out.line(printable(item.key()) + " = "
                 + shortened(printable(model::to_text(item.value())), longest_result));
    s.out.line("");
    return {};
  }
  const auto last = store.final_task(run);
  if (!last)
    return tl::unexpected(last.error());
  if (!*last || (*last)->state != model::task_state::succeeded)
    return {};
  const auto& task = **last;
  const auto log = store.log_of({task.key.run_no, task.key.task_idx, task.attempt});
  const auto tail = read_tail(log, result_lines);
  if (tail.lines.empty())
    return {};
  s.out.line("");
  if (!tail.is_whole)
    s.out.line(s.out.tinted("... " + s.hint("logs " + task_id(task.key, task.name)), tint::dim));
  for (const auto& line : tail.lines)
    s.out.line(line);
  s.out.line("");
  return {};
}

} // namespace

expected<void> print_report(session& s, runtime::history& store, const runtime::run_view& run) {
  using model::task_state;
  std::size_t failures = 0, shown = 0;
  std::set<std::uint32_t> borne; // tasks that succeeded though some of their instances failed
  bool is_rolled_back = true;    // all that failed
  if (run.count(task_state::failed) + run.count(task_state::rolled_back) != 0) {
    const auto spec = store.workflow(run.run_no);
    if (!spec)
      return tl::unexpected(spec.error());
    const auto allowed = allowed_to_fail(**spec);
    const auto read = store.each_task(run, [&](const runtime::task_view& task) {
      if (task.instances && task.state == task_state::succeeded)
        borne.insert(task.key.task_idx);
      if (!has_failed(task))
        return true;
      is_rolled_back = is_rolled_back && task.state == task_state::rolled_back;
      if (++failures > most_failures)
        return true;
      ++shown;
      s.out.line("");
      print_failure(s, store, task,
                    allowed.contains(name_in_file(task))
                      || borne.contains(task.node_idx.value_or(task.key.task_idx)));
      return true;
    });
    if (!read)
      return read;
  }
  if (run.state == model::run_state::succeeded)
    if (auto printed = print_result(s, store, run); !printed)
      return printed;
  const auto id = to_string(run.run_no);
  if (shown < failures)
    s.out.line(
      "\n  and " + std::to_string(failures - shown) + " more: "
      + s.hint("tasks " + id
               + (is_rolled_back ? " --filter state=rolled_back" : " --filter state=failed")));
  if (failures != 0)
    s.out.line("");
  s.out.line(last_line(run, s));
  if (!run.error.empty())
    s.out.line(printable(run.error));
  s.out.line(s.out.tinted("more: " + s.hint("show " + id), tint::dim));
  return {};
}

} // namespace sluice::cli
