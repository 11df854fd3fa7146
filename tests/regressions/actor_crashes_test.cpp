// What went wrong once when an actor died at a bad moment. Found by scenarios.
#include "actors/process_executor.hpp"
#include "tests/actors/runtime_world.hpp"

using namespace sluice;

namespace {

struct watching_world : runtime_world {
  std::int64_t seen = 0;

  void watch() {
    self->send(host, actors::host_watch{1, [this](std::span<const model::event> events) {
                                          seen = events.back().seq;
                                        }});
    run();
  }
  bool has_seen_all() { return seen == stored_events().back().seq; }
};

} // namespace

TEST_CASE_METHOD(watching_world, "a follower sees the end of a run whose commit was not answered",
                 "[regressions]") {
  start();
  watch();
  submit({task("a")});
  store->fail_next(1, {errc::unavailable, "answer lost"}, testing::fault_moment::after_commit);
  finish("a");
  advance(model::seconds{1});
  CHECK(has_seen_all());
}

TEST_CASE_METHOD(watching_world, "a follower sees the end of a run although its hub died before",
                 "[regressions]") {
  start();
  watch();
  submit({task("a")});
  crash(actors::child::event_hub);
  finish("a"); // nobody hears it
  advance(model::seconds{1});
  CHECK(has_seen_all());
}

TEST_CASE_METHOD(watching_world, "a follower that is behind reads on when the readers come back",
                 "[regressions]") {
  start();
  watch();
  submit({task("a")});
  crash(actors::child::event_hub);
  finish("a");
  caf::anon_send_exit(child(actors::child::readers), caf::exit_reason::kill);
  advance(model::seconds{5});
  CHECK(has_seen_all());
}

TEST_CASE_METHOD(runtime_world, "outputs are read back although the readers died meanwhile",
                 "[regressions]") {
  start();
  auto large = task("a");
  large.out = {{"text", model::value_type::text}};
  auto reading = task("b", {"a"});
  reading.in = {{"text", "${{ tasks.a.out.text }}"}};
  const auto run_no = submit({large, reading});
  caf::anon_send_exit(child(actors::child::readers), caf::exit_reason::kill);
  finish("a", std::nullopt, {{"text", std::string(20'000, 'x')}}); // more than is kept
  advance(model::seconds{5});
  finish("b");
  CHECK(run_state(run_no) == model::run_state::succeeded);
}

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
