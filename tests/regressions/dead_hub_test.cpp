#include "tests/regressions/watching_world.hpp"

using namespace sluice;

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
