#include "actors/process_executor.hpp"
#include "tests/actors/runtime_world.hpp"

using namespace sluice;

TEST_CASE_METHOD(runtime_world, "a report outlives the worker that has not sent it",
                 "[regressions]") {
  start();
  const auto run_no = submit({task("a")});
  const auto& executor = testing::state_of<actors::host_state>(host).processes;
  const auto& state = testing::state_of<actors::process_executor_state>(executor);
  caf::anon_send_exit(state.attempts.begin()->second.worker, caf::exit_reason::kill);
  launcher->end(launcher->key_of("a"), clock().wall()); // told before the death is noticed
  run();
  CHECK(run_state(run_no) == model::run_state::succeeded);
}
