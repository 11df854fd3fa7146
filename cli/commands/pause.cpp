#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct pause_options {
  std::string id; ///< of a run, or of a task
  bool stop = false;

  bool is_task() const { return id.find('/') != std::string::npos; }
};

/// What a person has to do besides, in a run that nobody executes.
std::string and_then(const session& s, const runtime::run_view& run) {
  return run.interrupted ? "; go on with: " + s.hint("run --resume " + to_string(run.run_no))
                         : std::string{};
}

/// The order for a run that a person has named, and what to say when it is carried out.
template <class Say>
int change(session& s, const std::string& id, control_order order, const Say& say) {
  auto target = find_run(s, id);
  if (!target)
    return target.error();
  const auto& run = target->run;
  if (order.verb == "resume" && run.interrupted && !run.paused)
    return s.fail("run " + to_string(run.run_no) + " is not paused but interrupted"
                    + and_then(s, run),
                  exit_refused);
  order.run = run.run_no;
  const auto done = carry_out(s, order);
  if (!done)
    return done.error();
  if (s.json())
    s.print_json({{"run", to_string(order.run)}, {"paused", order.verb == "pause"}});
  else if (s.text())
    s.out.line(say(run, *done));
  return exit_done;
}

/// The same for one task; `What` is what is asked of it.
template <class What, class Say>
int change_task(session& s, const std::string& id, const char* verb, const Say& say) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto found = store->task(id);
  if (!found)
    return s.fail(found.error());
  const auto& task = found->task;
  const auto done = carry_out(
    s,
    {.run = task.key.run_no, .what = What{task.name}, .verb = verb, .body = {{"task", task.name}}});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json({{"run", to_string(task.key.run_no)},
                  {"task", task.name},
                  {"paused", std::string_view{verb} == "pause"}});
  else if (s.text())
    s.out.line(say(*found, task_id(task.key, task.name)));
  return exit_done;
}

int pause(session& s, const pause_options& options) {
  if (options.is_task() && options.stop)
    return s.fail("--stop is about a run, not about one task", exit_usage);
  if (options.is_task())
    return change_task<model::pause_task>(
      s, options.id, "pause", [&](const runtime::task_ref&, const std::string& id) {
        return id + " is paused; go on with: " + s.hint("resume " + id);
      });
  const auto mode = options.stop ? model::pause_mode::stop : model::pause_mode::let_end;
  return change(s, options.id,
                {.what = model::pause_run{mode}, .verb = "pause", .body = {{"stop", options.stop}}},
                [&](const runtime::run_view& run, const model::control_result& done) {
                  const auto id = to_string(run.run_no);
                  return id + " is paused"
                         + (done.tasks.empty() ? ""
                                               : ", and stops " + plural(done.tasks.size(), "task"))
                         + "; go on with: " + s.hint("resume " + id);
                });
}

int resume(session& s, const pause_options& options) {
  if (options.is_task())
    return change_task<model::resume_task>(
      s, options.id, "resume", [&](const runtime::task_ref& found, const std::string& id) {
        return id + " is not paused any more" + and_then(s, found.run);
      });
  return change(s, options.id,
                {.what = model::resume_run{}, .verb = "resume", .body = model::value::object()},
                [&](const runtime::run_view& run, const model::control_result&) {
                  return to_string(run.run_no) + " is not paused any more" + and_then(s, run);
                });
}

} // namespace

void add_pause(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<pause_options>();
  auto* verb = program.add_subcommand(
    "pause", "Start nothing of a run any more, or not one of its tasks, until it is resumed");
  verb->add_option("RUN", options->id, "The run: r-12, @last; or a task of it: r-12/load")
    ->required();
  verb->add_flag("--stop", options->stop,
                 "Stop what is under way of the run, too; it starts again later");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return pause(s, *options); }; });
}

void add_resume(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<pause_options>();
  auto* verb = program.add_subcommand("resume", "Go on with a run, or a task, that is paused");
  verb->add_option("RUN", options->id, "The run: r-12, @last; or a task of it: r-12/load")
    ->required();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return resume(s, *options); }; });
}

} // namespace sluice::cli
