// P7d, P7s: what it costs the scheduler core to end an attempt and to choose what starts next,
// while 1,000,000 tasks are ready; P7s when these need resources, of 100 shapes, most of which do
// not fit. Limit: the same while 1,000 are. Nothing is stored and nothing runs.
#include "bench/figure.hpp"
#include "bench/workloads.hpp"
#include "logic/scheduler_core.hpp"

#include <cstdlib>
#include <deque>

namespace {

using namespace sluice;

constexpr std::size_t few = 1'000, many = 1'000'000, decisions = 2'000;

/// Tasks of four priorities.
bench::workflow_ptr ready_tasks(std::size_t count) {
  auto workflow = *bench::independent_tasks("ready", model::call_action{"noop"}, count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto priority = static_cast<model::priority>(20 + 20 * (i % 4));
        priority != model::normal_priority)
      workflow.tasks[i].settings->priority = priority;
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

/// Tasks that need 1 to 2 processors, of 100 shapes.
bench::workflow_ptr tasks_with_needs(std::size_t count) {
  constexpr std::size_t shapes = 100;
  auto workflow = *bench::independent_tasks("ready", model::call_action{"noop"}, count);
  for (std::size_t i = 0; i < count; ++i)
    workflow.tasks[i].settings->resources = {
      {{"cpu", std::int64_t(1'000 + 10 * (i * 37 % shapes))}}};
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

void note_starts(const logic::reaction& step, std::deque<model::attempt_key>& running) {
  for (const auto& effect : step.effects)
    if (const auto* start = std::get_if<model::start_attempt>(&effect))
      running.push_back(start->key);
  if (running.empty())
    bench::give_up("nothing was started");
}

/// Of one decision, of the first ones in a run of the workflow.
bench::cost cost_of_decision(const bench::workflow_ptr& workflow, std::uint32_t slots) {
  logic::core_options options;
  options.slots = slots;
  options.capacity.resources = {{"cpu", 6'500}};
  logic::scheduler_core core{options};
  auto now = model::from_us(1'700'000'000'000'000);
  std::deque<model::attempt_key> running;
  note_starts(core.react(model::run_submitted{1, {.workflow = workflow}}, now), running);
  const bench::stopwatch since;
  for (std::size_t i = 0; i < decisions; ++i) {
    now += model::milliseconds{1};
    model::attempt_report report;
    report.key = running.front();
    report.finished_at = now;
    running.pop_front();
    note_starts(
      core.react(model::attempt_finished{std::move(report), model::executor_kind::function}, now),
      running);
  }
  return since.elapsed() / double(decisions);
}

void compare(bench::figure result, const bench::workflow_ptr& small,
             const bench::workflow_ptr& large, std::uint32_t slots, int repetitions) {
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const auto base = cost_of_decision(small, slots), ours = cost_of_decision(large, slots);
    if (i == 0)
      continue;
    result.values.push_back(ours.cpu_seconds * 1e6);
    result.limits.push_back(base.cpu_seconds * 1e6);
  }
  bench::print(result);
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 5;
  compare({.id = "P7d",
           .what = "a decision with 1,000,000 tasks ready, against 1,000",
           .unit = "us",
           .wanted = {bench::budget_kind::ratio_at_most, 4}},
          ready_tasks(few + decisions), ready_tasks(many), 1, repetitions);
  compare({.id = "P7s",
           .what = "the same with resources of 100 shapes",
           .unit = "us",
           .wanted = {bench::budget_kind::ratio_at_most, 4}},
          tasks_with_needs(few + decisions), tasks_with_needs(many), 1'000, repetitions);
}
