#include "tests/actors/runtime_world.hpp"

using namespace sluice;

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
