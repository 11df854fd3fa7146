#include "tests/actors/runtime_world.hpp"

using namespace sluice;

namespace {

struct hub_world : runtime_world {
  std::shared_ptr<std::vector<model::event>> seen = std::make_shared<std::vector<model::event>>();

  void watch(std::uint64_t id) {
    self->send(host, actors::host_watch{id, [seen = seen](std::span<const model::event> events) {
                                          seen->insert(seen->end(), events.begin(), events.end());
                                        }});
    run();
  }
  void check_seen_all() {
    const auto stored = stored_events();
    REQUIRE(seen->size() == stored.size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      CHECK((*seen)[i].seq == stored[i].seq);
      CHECK((*seen)[i].type == stored[i].type);
      CHECK((*seen)[i].task == stored[i].task);
      CHECK((*seen)[i].data == stored[i].data);
    }
  }
};

} // namespace

TEST_CASE_METHOD(hub_world, "event_hub: a watcher sees every committed event in order",
                 "[actors][event_hub]") {
  start();
  watch(1);
  submit({task("a"), task("b", {"a"})});
  finish("a");
  finish("b");
  CHECK(seen->size() >= 6);
  check_seen_all();
}

TEST_CASE_METHOD(hub_world, "event_hub: one that comes late is served from the table",
                 "[actors][event_hub]") {
  start();
  std::vector<model::task_spec> tasks;
  for (int i = 0; i < 2'500; ++i)
    tasks.push_back(call("t" + std::to_string(i), "noop"));
  submit(std::move(tasks));
  watch(1);
  check_seen_all();
  submit({task("later")});
  finish("later");
  check_seen_all();
}

TEST_CASE_METHOD(hub_world, "event_hub: after a restart watchers go on at their cursor",
                 "[actors][event_hub]") {
  start();
  watch(1);
  submit({task("a"), task("b", {"a"})});
  crash(actors::child::event_hub);
  finish("a");
  advance(model::seconds{1});
  finish("b");
  check_seen_all();
}

TEST_CASE_METHOD(hub_world, "event_hub: after a restart of the readers it still reads",
                 "[actors][event_hub]") {
  start();
  crash(actors::child::readers);
  advance(model::seconds{1});
  submit({task("a")});
  watch(1);
  finish("a");
  check_seen_all();
}

TEST_CASE_METHOD(hub_world, "event_hub: nothing is heard after the watch has ended",
                 "[actors][event_hub]") {
  start();
  watch(1);
  self->send(host, actors::host_unwatch{1});
  run();
  submit({task("a")});
  CHECK(seen->empty());
}
