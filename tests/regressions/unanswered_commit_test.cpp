#include "tests/regressions/watching_world.hpp"

using namespace sluice;

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
