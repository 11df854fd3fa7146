#include "cli/commands/commands.hpp"
#include "cli/log_follower.hpp"
#include "cli/log_text.hpp"
#include "cli/task_table.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct logs_options {
  std::string id;
  std::uint32_t attempt = 0; ///< 0: the current one
  bool follow = false;
};

void print_as_json(session& s, const runtime::task_view& task, model::attempt_key key,
                   std::string_view line) {
  s.print_json({{"id", to_string(key)}, {"task", task.name}, {"line", line}});
}

/// Prints a log as it is, or one object per line.
expected<void> print_log(session& s, const runtime::history& store, const runtime::task_view& task,
                         model::attempt_key key) {
  log_reader log{store.log_of(key)};
  const auto is_open = log.open();
  if (!is_open)
    return tl::unexpected(is_open.error());
  std::string rest;
  char last = '\n';
  while (*is_open && !s.out.is_closed()) {
    auto text = log.read();
    if (!text)
      return tl::unexpected(text.error());
    if (text->empty())
      break;
    last = text->back();
    if (!s.json()) {
      s.out.write(*text);
      continue;
    }
    rest += *text;
    std::size_t begin = 0;
    for (auto end = rest.find('\n'); end != std::string::npos;
         begin = end + 1, end = rest.find('\n', begin))
      print_as_json(s, task, key, std::string_view{rest}.substr(begin, end - begin));
    rest.erase(0, begin);
  }
  if (!rest.empty())
    print_as_json(s, task, key, rest);
  if (last != '\n' && !s.json())
    s.out.line("");
  return {};
}

int print_task_log(session& s, runtime::history& store, const runtime::task_view& task,
                   std::uint32_t attempt) {
  const auto id = task_id(task.key, task.name);
  if (attempt > task.attempt)
    return s.fail(id + " has " + plural(task.attempt, "attempt"), exit_not_found);
  if (task.attempt == 0) {
    if (s.text())
      s.err.line(id + " did not run: " + std::string{task.shown_state()} + " "
                 + task_detail(task, s.clock.wall()));
    return exit_done;
  }
  const auto printed = print_log(
    s, store, task, {task.key.run_no, task.key.task_idx, attempt == 0 ? task.attempt : attempt});
  return printed ? exit_done : s.fail(printed.error());
}

int print_run_logs(session& s, runtime::history& store, const runtime::run_view& run) {
  bool is_first = true;
  expected<void> printed;
  const auto read = store.each_task(run, [&](const runtime::task_view& task) {
    if (task.attempt == 0)
      return true;
    if (s.text()) {
      const auto state = task.shown_state();
      s.out.line((is_first ? "" : "\n")
                 + s.out.tinted("==> " + task_id(task.key, task.name) + " <==", tint::bold) + "  "
                 + s.out.tinted(state, tint_of(state)) + "  " + task_time(task, s.clock.wall()));
      is_first = false;
    }
    printed = print_log(s, store, task, {task.key.run_no, task.key.task_idx, task.attempt});
    return printed && !s.out.is_closed();
  });
  if (!read)
    return s.fail(read.error());
  return printed ? exit_done : s.fail(printed.error());
}

int follow_logs(session& s, runtime::history& store, model::run_no run,
                std::optional<std::uint32_t> task) {
  auto watch = runtime::change_watch::open();
  if (!watch)
    return s.fail(watch.error());
  log_follower follower{s, store, std::move(*watch), run, task};
  const auto followed = follower.follow();
  return followed ? exit_done : s.fail(followed.error());
}

int print_logs(session& s, const logs_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  if (options.id.find('/') == std::string::npos) {
    const auto run = store->run(options.id);
    if (!run)
      return s.fail(run.error());
    if (options.attempt != 0)
      return s.fail("--attempt needs a task: " + s.hint("logs " + to_string(run->run_no) + "/TASK"),
                    exit_usage);
    return options.follow ? follow_logs(s, *store, run->run_no, std::nullopt)
                          : print_run_logs(s, *store, *run);
  }
  const auto found = store->task(options.id);
  if (!found)
    return s.fail(found.error());
  const auto attempt = options.attempt != 0 ? options.attempt : found->attempt.value_or(0);
  if (options.follow && attempt == 0)
    return follow_logs(s, *store, found->run.run_no, found->task.key.task_idx);
  return print_task_log(s, *store, found->task, attempt);
}

} // namespace

void add_logs(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<logs_options>();
  auto* verb = program.add_subcommand("logs", "Print what tasks wrote");
  verb->add_option("ID", options->id, "A run (r-12, @last) or a task of it (r-12/load)")
    ->required();
  verb->add_option("--attempt", options->attempt, "This attempt instead of the current one");
  verb->add_flag("-f,--follow", options->follow, "Go on until the run or task has ended");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return print_logs(s, *options); }; });
}

} // namespace sluice::cli
