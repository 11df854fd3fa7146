// The ends of attempts: the proof that a group is gone, the next command of the same attempt, and
// the report.
#include "executors/attempt_loop.hpp"
#include "executors/bounded_file.hpp"
#include "executors/command_line.hpp"
#include "executors/exit_status.hpp"
#include "executors/output_files.hpp"
#include "executors/spawn.hpp"
#include "executors/start_failure.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <utility>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;
using namespace std::chrono_literals;

constexpr model::milliseconds longest_look_delay{100};
// From this look on (15 ms after the exit) dead members of a group no longer count as existing.
constexpr int first_scan_look = 4;

model::milliseconds look_delay(int looks) {
  return looks >= 7 ? longest_look_delay : std::min(longest_look_delay, 1ms * (1 << looks));
}

failure secret_in(const std::string& what, const std::string& sentence, const std::string& name) {
  return {failure_class::permanent, "secret_in_" + what,
          sentence + " the secret " + name + ", which must not be stored"};
}

} // namespace

void attempt_loop::leader_exited(attempt& a) {
  // The readable pidfd was the look without reaping: until wait4 the leader keeps the group's id
  // ours, so that what is left of the group can be killed, all at once and without a way out.
  ::close(std::exchange(a.pidfd, -1));
  a.finished_at = options_.clock.wall();
  a.state = attempt::phase::leaving;
  retry_at_ = {}; // there may be room for a postponed start
  kill_all_of(a);
  if (is_gone(a))
    return command_ended(a);
  a.due = now() + look_delay(a.looks++);
  leaving_.push_back(&a);
}

void attempt_loop::reap(attempt& a) {
  rusage usage{};
  const auto reaped = ::wait4(a.pid, &a.wait_status, WNOHANG, &usage);
  if (reaped == 0 || (reaped < 0 && errno == EINTR))
    return; // a debugger holds it; we look again
  a.is_reaped = true;
  if (reaped < 0) {
    // Only when the program we are part of ignores SIGCHLD or waits for all children.
    spdlog::error("exit status lost run={} task={} attempt={}", a.key.run_no.value, a.key.task_idx,
                  a.key.attempt);
    a.wait_status = exit_status_lost;
    return;
  }
  const auto us = [](const timeval& t) {
    return model::seconds{t.tv_sec} + model::microseconds{t.tv_usec};
  };
  a.usage.cpu += us(usage.ru_utime) + us(usage.ru_stime);
  a.usage.peak_rss_bytes = std::max(a.usage.peak_rss_bytes, std::int64_t{usage.ru_maxrss} * 1024);
}

bool attempt_loop::is_gone(attempt& a) {
  if (!a.is_reaped)
    reap(a);
  return a.is_reaped && !group_exists(a.pid) && (!a.kit.group || a.kit.group->is_empty());
}

/// The named repeated work: groups that were not gone, after 1, 2, 4 ... 100 ms.
void attempt_loop::look_at_groups() {
  if (leaving_.empty())
    return;
  const auto at = now();
  std::optional<tl::expected<std::unordered_set<pid_t>, int>> living; // one scan for all
  std::vector<attempt*> gone;
  std::erase_if(leaving_, [&](attempt* a) {
    if (a->due > at)
      return false;
    bool is_over = is_gone(*a);
    if (!is_over && a->is_reaped && a->looks >= first_scan_look) {
      if (!living)
        living = living_groups();
      is_over = living->has_value() && !(*living)->contains(a->pid)
                && (!a->kit.group || a->kit.group->is_empty());
    }
    if (is_over)
      gone.push_back(a);
    else
      a->due = at + look_delay(a->looks++);
    return is_over;
  });
  for (auto* a : gone)
    command_ended(*a);
}

/// Its group is gone: the attempt is over, unless what its action did is to be validated.
void attempt_loop::command_ended(attempt& a) {
  if (a.kit.output) {
    a.kit.output->finish();
    a.kit.output.reset();
  }
  if (a.takes_snapshot)
    return snapshot_ended(a);
  auto report = report_of(a);
  const bool is_last = a.order == nullptr || a.passed != nullptr || a.listener == nullptr;
  if (is_last || report.failure)
    return finish(a, std::move(report));
  try {
    report.failure = start_validation(a, report.outputs);
  } catch (const std::exception& e) {
    report.failure = failure{failure_class::internal, "start_failed",
                             std::string{"cannot start the validation: "} + e.what()};
  }
  if (!report.failure) {
    a.passed = std::make_unique<model::attempt_report>(std::move(report));
    news_for(a.listener).validating.push_back(a.key);
    return;
  }
  if (!a.is_stopped)
    files_.append_to_log(a.key, "sluice: " + report.failure->message);
  report.outputs = nullptr;
  finish(a, std::move(report));
}

/// Nothing when its process runs. A full host is no reason to wait here: the result of the action
/// may be old by then, and a retry does both again.
std::optional<failure> attempt_loop::start_validation(attempt& a, const model::value& outputs) {
  if (a.is_stopped)
    return failure{failure_class::cancelled, "not_validated",
                   "stopped before what it did was validated"};
  if (!a.told.is_null()) // it reads all of them in one place
    if (const int err = files_.write_out(a.key, model::to_text(outputs)); err != 0)
      return cannot_make_files(files_.out_of(a.key), err);
  return start_another(a, model::command_role::validate);
}

/// The process of the attempt's next command, after one that has ended.
std::optional<failure> attempt_loop::start_another(attempt& a, model::command_role role) {
  if (!has_spare_descriptor())
    return explain({.err = errno, .program = a.order->spec().name});
  a.is_reaped = false;
  a.looks = 0;
  return start_watched(a, role);
}

/// The command that takes the snapshot: the attempt holds on until that is stored. An attempt that
/// nobody asks after any more only ends.
void attempt_loop::snapshot_ended(attempt& a) {
  auto report = report_of(a);
  if (a.listener == nullptr)
    return finish(a, std::move(report));
  std::string data;
  if (report.failure) {
    report.failure->message = "its snapshot failed: " + report.failure->message;
  } else if (a.is_stopped) {
    report.failure =
      failure{failure_class::cancelled, "cancelled", "cancelled before it did anything"};
  } else if (auto taken = read_bounded(files_.snapshot_of(a.key), "$SLUICE_SNAPSHOT",
                                       model::most_snapshot_bytes)) {
    data = std::move(*taken);
  } else {
    report.failure =
      failure{failure_class::permanent,
              taken.error().is_too_large ? "snapshot_too_large" : "snapshot_invalid",
              taken.error().is_too_large
                ? "its snapshot is larger than " + std::to_string(model::most_snapshot_bytes)
                    + " bytes: write large data to a file, and its name to $SLUICE_SNAPSHOT"
                : taken.error().why};
    files_.append_to_log(a.key, "sluice: " + report.failure->message);
  }
  if (a.kit.secrets && !report.failure)
    if (const auto name = a.kit.secrets->patterns->find(data)) {
      report.failure = secret_in("snapshot", "its snapshot holds", *name);
      files_.append_to_log(a.key, "sluice: " + report.failure->message);
    }
  if (report.failure)
    return finish(a, std::move(report));
  a.takes_snapshot = false;
  a.state = attempt::phase::holding;
  news_for(a.listener)
    .snapshots.push_back({a.key, std::make_shared<const std::string>(std::move(data))});
}

void attempt_loop::go_on(model::attempt_key key) {
  const auto at = attempts_.find(key);
  if (at == attempts_.end() || at->second.state != attempt::phase::holding)
    return;
  auto& a = at->second;
  std::optional<failure> why;
  try {
    why = start_another(a, a.role);
  } catch (const std::exception& e) {
    why = failure{failure_class::internal, "start_failed",
                  std::string{"cannot start the action: "} + e.what()};
  }
  if (why)
    return fail_start(a, std::move(*why));
  drop_order_unless_needed(a);
}

/// What the action reported, and how its validation came out.
void attempt_loop::add_validation(attempt& a, model::attempt_report& report) {
  auto& passed = *a.passed;
  report.warnings = std::move(passed.warnings);
  if (!report.failure) {
    report.outputs = std::move(passed.outputs);
    return;
  }
  report.failure->failure_class = failure_class::validation;
  report.failure->message = "its validation failed: " + report.failure->message;
}

model::attempt_report attempt_loop::report_of(attempt& a) {
  model::attempt_report report;
  report.key = a.key;
  report.usage = a.usage;
  report.started_at = a.started_at;
  report.finished_at = a.finished_at;
  if (!a.listener)
    return report; // nobody reads it
  report.failure = exit_failure(a.wait_status);
  if (report.failure && a.kit.group && a.kit.group->was_out_of_memory())
    report.failure = out_of_memory(a);
  if (a.passed)
    add_validation(a, report);
  else if (!report.failure && !a.takes_snapshot)
    add_outputs(a, report);
  if (a.kit.secrets)
    keep_secrets(a, report);
  return report;
}

/// The kernel says so, not the exit status: a program may end as killed by anything.
failure attempt_loop::out_of_memory(const attempt& a) {
  const auto peak = a.kit.group->peak_memory_bytes().value_or(a.usage.peak_rss_bytes);
  return {failure_class::resource, "out_of_memory",
          "out of memory: it was killed at its limit, mem "
            + model::amount_text("mem", a.memory_bytes) + "; the most it used was "
            + model::amount_text("mem", peak)};
}

/// What is stored and shown of an attempt. Outputs go on to other tasks: with a mask in them they
/// would be wrong without a word.
void attempt_loop::keep_secrets(const attempt& a, model::attempt_report& report) {
  const auto& patterns = *a.kit.secrets->patterns;
  if (!report.outputs.is_null())
    if (const auto name = patterns.find(model::to_text(report.outputs))) {
      report.outputs = nullptr;
      report.failure = secret_in("output", "its outputs hold", *name);
    }
  if (report.failure)
    report.failure->message = patterns.masked(report.failure->message);
  for (auto& warning : report.warnings)
    warning = patterns.masked(warning);
  if (!a.passed) // else it has been said
    for (const auto& name : patterns.unmasked())
      report.warnings.push_back("the secret " + name + " is shorter than "
                                + std::to_string(model::least_masked_bytes)
                                + " characters, so that the log is not masked for it");
}

void attempt_loop::add_outputs(const attempt& a, model::attempt_report& report) {
  const auto& task = a.workflow->task(a.task);
  if (task.out.empty() || undoes(a.role))
    return;
  try {
    const auto workdir = workdir_of(*a.workflow, task);
    auto collected = collect_outputs({.path = files_.out_of(a.key),
                                      .told = a.told,
                                      .declared = task.out,
                                      .workdir = workdir,
                                      .limit_bytes = options_.output_limit_bytes});
    report.outputs = std::move(collected.outputs);
    report.warnings = std::move(collected.warnings);
    report.failure = std::move(collected.failure);
  } catch (const std::exception& e) {
    report.failure = failure{failure_class::internal, "output_invalid",
                             std::string{"cannot read the outputs: "} + e.what()};
  }
}

/// What it tells from now on is no report of a current attempt, and goes nowhere.
void attempt_loop::forget_secrets(const attempt& a) {
  if (a.kit.secrets && options_.secrets)
    options_.secrets->remove(a.key);
}

void attempt_loop::finish(attempt& a, model::attempt_report report) {
  const auto listener = std::move(a.listener);
  const auto abandoned = std::move(a.abandoned);
  if (!abandoned.empty())
    files_.remove_work_dir(a.key);
  if (a.state != attempt::phase::queued)
    --live_;
  forget_secrets(a);
  attempts_.erase(a.key);
  if (listener) {
    auto& news = news_for(listener);
    std::erase(news.started, report.key); // that it started is in its report
    std::erase_if(news.snapshots, [&](const auto& taken) { return taken.key == report.key; });
    std::erase(news.validating, report.key);
    news.ended.push_back(std::move(report));
  }
  for (const auto& all : abandoned)
    if (--all->left == 0 && all->on_gone)
      all->on_gone();
}

} // namespace sluice::executors
