#include "tests/regressions/watching_world.hpp"

using namespace sluice;

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
