#include "cli/progress.hpp"

#include "cli/event_text.hpp"
#include "cli/words.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sluice::cli {
namespace {

class silent_progress : public progress {
public:
  void show(const model::event&) override {}
};

class json_progress : public progress {
public:
  explicit json_progress(session& s) : session_(s) {}
  void show(const model::event& e) override { session_.print_json(model::to_json(e)); }

private:
  session& session_;
};

bool is_task_end(const model::event& e) {
  if (!e.task_idx || e.is_note())
    return false;
  const auto state = model::parse_task_state(e.to);
  return state && model::is_terminal(*state);
}

/// A line per end of a task, warning and loss, and for the start and end of the run.
class plain_progress : public progress {
public:
  plain_progress(session& s, const run_tracker& tracker) : session_(s), tracker_(tracker) {
    for (const auto& task : tracker.workflow().tasks)
      name_width_ = std::max(name_width_, std::min(widest_name, display_width(task.name)));
  }

  void show(const model::event& e) override {
    if (e.task_idx)
      show_task(e);
    else if (e.type == model::event_type::run_submitted)
      session_.out.line(
        session_.out.tinted(tracker_.workflow().name, tint::bold) + " " + to_string(e.run_no)
        + (e.to == to_string(model::run_state::queued) ? "  queued  " : "  started  ")
        + plural(tracker_.total(), "task"));
    else if (e.type == model::event_type::run_started)
      session_.out.line(time_of(e) + "started");
    else if (e.type == model::event_type::run_cancelling)
      session_.out.line(time_of(e) + session_.out.tinted("cancelling", tint::yellow));
    else if (e.type == model::event_type::run_rolling_back)
      session_.out.line(time_of(e) + session_.out.tinted("rolling back", tint::yellow)
                        + ": what succeeded is compensated, the last first");
    else if (e.type == model::event_type::run_paused)
      session_.out.line(time_of(e) + session_.out.tinted("paused", tint::yellow)
                        + ": nothing starts any more; go on with: "
                        + session_.hint("resume " + to_string(e.run_no)));
    else if (e.type == model::event_type::run_resumed)
      session_.out.line(time_of(e) + "resumed");
    else if (e.type == model::event_type::tasks_added)
      session_.out.line(time_of(e) + "added " + event_detail(e));
  }

protected:
  /// Whether the end of a task is worth a line.
  virtual bool is_shown(const model::event&) const { return true; }
  session& session_;
  const run_tracker& tracker_;

private:
  static constexpr std::size_t widest_name = 40, state_width = 10;

  std::string time_of(const model::event& e) const {
    return session_.out.tinted(runtime::to_time_of_day(e.at, session_.zone).substr(0, 8), tint::dim)
           + "  ";
  }

  void show_task(const model::event& e) {
    std::string word = e.to;
    auto colour = tint_of(e.to);
    if (e.type == model::event_type::task_warning) {
      word = "warning";
      colour = tint::yellow;
    } else if (e.type == model::event_type::task_lost) {
      const auto failure = failure_of(e);
      const bool is_lost = !failure || !is_given_back(*failure);
      word = is_lost ? "lost" : "ready";
      colour = is_lost ? tint::red : tint::yellow;
    } else if (e.type == model::event_type::task_retrying) {
      word = "retrying";
    } else if (e.type == model::event_type::task_fallback) {
      word = "fallback";
      colour = tint::yellow;
    } else if (e.type == model::event_type::task_held) {
      word = "held";
    } else if (e.type == model::event_type::task_waiting) {
      word = "waiting";
    } else if (e.type == model::event_type::task_paused) {
      word = "paused";
    } else if (e.type == model::event_type::task_resumed) {
      word = "resumed";
    } else if (!is_task_end(e) || !is_shown(e)) {
      return;
    }
    const auto& name = e.task;
    auto line = time_of(e) + padded(shortened(printable(name), widest_name), name_width_) + "  "
                + session_.out.tinted(padded(word, state_width), colour);
    const bool is_over = is_task_end(e) || e.type == model::event_type::task_retrying
                         || e.type == model::event_type::task_fallback
                         || e.type == model::event_type::task_held;
    if (const auto since = tracker_.began_at(e); since && is_over)
      line += "  " + model::to_human(std::max(e.at - *since, model::microseconds{0}));
    if (const auto detail = event_detail(e); !detail.empty())
      line += "  " + detail;
    line.erase(line.find_last_not_of(' ') + 1);
    session_.out.line(line);
    if (e.type == model::event_type::task_held && !std::exchange(has_said_how_to_answer_, true))
      session_.out.line(time_of(e) + how_to_answer(session_, {e.run_no, *e.task_idx}, name));
    if (const auto gate = awaited_of(e); gate && said_how_to_pass_.insert(gate->reason).second)
      if (const auto how =
            how_to_pass(session_, {e.run_no, *e.task_idx}, name, *gate, tracker_.workflow());
          !how.empty())
        session_.out.line(time_of(e) + how);
  }

  std::size_t name_width_ = 0;
  bool has_said_how_to_answer_ = false;
  std::set<model::wait_reason> said_how_to_pass_;
};

/// Lines that scroll as above, and below them a bar, counts and what runs, redrawn in place.
class live_progress : public plain_progress {
public:
  using plain_progress::plain_progress;

  void show(const model::event& e) override {
    clear();
    plain_progress::show(e);
  }

  void redraw() override {
    clear();
    if (tracker_.ended_at() || !tracker_.since())
      return;
    const auto width = session_.out.width();
    const auto now = session_.clock.wall();
    draw(state_line(now, width), width);
    int shown = 0;
    for (const auto& [idx, task] : tracker_.running()) {
      if (shown++ == most_tasks)
        break;
      draw("  " + padded(shortened(printable(task.name), 40), 24) + "  "
             + padded(elapsed(task.since, now), 8)
             + (task.doing.empty() ? "" : "  " + std::string{task.doing})
             + (task.progress.empty() ? "" : "  " + task.progress),
           width);
    }
    if (const auto more = tracker_.running().size(); more > most_tasks)
      draw("  and " + std::to_string(more - most_tasks) + " more", width);
    for (const auto& [idx, task] : tracker_.waiting())
      if (shown++ < most_tasks)
        draw("  " + padded(shortened(printable(task.name), 40), 24) + "  "
               + waiting_words(task.what, now),
             width);
  }

  void clear() override {
    if (lines_ == 0)
      return;
    // Cursor up, then erase to the end of the screen (ECMA-48: CUU, ED).
    session_.out.write("\033[" + std::to_string(lines_) + "A\r\033[J");
    lines_ = 0;
  }

  bool is_live() const override { return true; }

private:
  static constexpr int most_tasks = 8;
  static constexpr std::size_t few_tasks = 50; ///< up to this many, each success is a line

  bool is_shown(const model::event& e) const override {
    return tracker_.total() <= few_tasks || (e.to != "succeeded" && e.to != "skipped");
  }

  static std::string elapsed(model::wall_time since, model::wall_time now) {
    const auto whole =
      std::chrono::floor<std::chrono::seconds>(std::max(now - since, model::microseconds{0}));
    return whole < std::chrono::minutes{1} ? std::to_string(whole.count()) + "s"
                                           : model::to_human(whole);
  }

  std::string state_line(model::wall_time now, std::size_t width) const {
    constexpr std::size_t words_width = 56; // of the counts behind the bar
    const auto bar_width = std::clamp<std::size_t>(width, words_width + 10, words_width + 40);
    auto line = bar(tracker_.done(), tracker_.total(), bar_width - words_width) + "  "
                + std::to_string(tracker_.done()) + "/" + std::to_string(tracker_.total());
    const auto add = [&](std::size_t count, const char* word) {
      if (count != 0)
        line += "  " + std::to_string(count) + " " + word;
    };
    add(tracker_.running().size(), "running");
    add(tracker_.waiting().size(), "waiting");
    add(tracker_.failed(), "failed");
    add(tracker_.skipped(), "skipped");
    add(tracker_.cancelled(), "cancelled");
    add(tracker_.rolled_back(), "rolled back");
    return line + "  " + elapsed(*tracker_.since(), now);
  }

  void draw(std::string_view line, std::size_t width) {
    session_.out.line(shortened(line, width - 1)); // a full line would wrap and break the count
    ++lines_;
  }

  int lines_ = 0;
};

} // namespace

std::string how_to_answer(const session& s, model::task_key key, std::string_view name) {
  const auto id = task_id(key, name);
  return "the run waits for an answer: " + s.hint("retry " + id) + ", or "
         + s.hint("mark " + id + " --succeeded") + " (--skipped, --failed)";
}

namespace {

/// ` -i target=VALUE` for what the form of the task asks for and has no default.
std::string wanted_values(const model::workflow_spec& workflow, std::string_view name) {
  const auto instance = model::split_instance_name(name);
  const auto task =
    std::find_if(workflow.tasks.begin(), workflow.tasks.end(), [&](const auto& spec) {
      return spec.name == name || (instance && spec.name == instance->task);
    });
  const auto* gate =
    task == workflow.tasks.end() ? nullptr : std::get_if<model::gate_action>(&task->action);
  std::string words;
  if (gate != nullptr)
    for (const auto& asked : gate->what->form)
      if (!asked.default_value)
        words += " -i " + shell_quoted(asked.name + "=VALUE");
  return words;
}

} // namespace

std::string how_to_pass(const session& s, model::task_key key, std::string_view name,
                        const model::awaited& what, const model::workflow_spec& workflow) {
  const auto id = task_id(key, name);
  if (what.reason == model::wait_reason::approval)
    return "the run waits for a person: " + s.hint("approve " + id + wanted_values(workflow, name))
           + ", or " + s.hint("reject " + id);
  if (what.reason == model::wait_reason::signal)
    return "the run waits for a signal: "
           + s.hint("signal " + to_string(key.run_no) + " " + shell_quoted(what.name));
  if (what.reason == model::wait_reason::gate)
    return "the run waits for a gate: " + s.hint("gate open " + shell_quoted(what.name));
  return {};
}

std::unique_ptr<progress> make_progress(session& s, const run_tracker& tracker) {
  if (s.quiet())
    return std::make_unique<silent_progress>();
  if (s.json())
    return std::make_unique<json_progress>(s);
  if (s.out.is_terminal())
    return std::make_unique<live_progress>(s, tracker);
  return std::make_unique<plain_progress>(s, tracker);
}

} // namespace sluice::cli
