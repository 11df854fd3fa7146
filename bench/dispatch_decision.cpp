// P7d: what it costs the scheduler core to end an attempt and to choose what starts next, while
// 1,000,000 tasks are ready. Limit: the same while 1,000 are. Nothing is stored and nothing runs.
#include "bench/figure.hpp"
#include "bench/workloads.hpp"
#include "logic/scheduler_core.hpp"

#include <cstdlib>

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

model::attempt_key started_by(const logic::reaction& step) {
  for (const auto& effect : step.effects)
    if (const auto* start = std::get_if<model::start_attempt>(&effect))
      return start->key;
  bench::give_up("nothing was started");
}

/// Of one decision, of the first ones in a run of the workflow.
bench::cost cost_of_decision(const bench::workflow_ptr& workflow) {
  logic::core_options options;
  options.slots = 1;
  logic::scheduler_core core{options};
  auto now = model::from_us(1'700'000'000'000'000);
  auto running = started_by(core.react(model::run_submitted{1, {.workflow = workflow}}, now));
  const bench::stopwatch since;
  for (std::size_t i = 0; i < decisions; ++i) {
    now += model::milliseconds{1};
    model::attempt_report report;
    report.key = running;
    report.finished_at = now;
    running = started_by(
      core.react(model::attempt_finished{std::move(report), model::executor_kind::function}, now));
  }
  return since.elapsed() / double(decisions);
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 5;
  bench::figure result{.id = "P7d",
                       .what = "a decision with 1,000,000 tasks ready, against 1,000",
                       .unit = "us",
                       .wanted = {bench::budget_kind::ratio_at_most, 4}};
  const auto small = ready_tasks(few + decisions), large = ready_tasks(many);
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const auto base = cost_of_decision(small), ours = cost_of_decision(large);
    if (i == 0)
      continue;
    result.values.push_back(ours.cpu_seconds * 1e6);
    result.limits.push_back(base.cpu_seconds * 1e6);
  }
  bench::print(result);
}
