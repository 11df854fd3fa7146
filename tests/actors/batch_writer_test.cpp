#include "actors/batch_writer.hpp"
#include "actors/caf_error.hpp"
#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using namespace sluice::actors;

namespace {

/// A step that creates a run of one task.
record_step a_step(std::uint64_t number) {
  auto spec = std::make_shared<model::workflow_spec>();
  spec->name = "test";
  spec->tasks.push_back(task("a"));
  model::submission request;
  request.workflow = spec;
  request.content_hash = "hash";
  model::run_created created{{static_cast<std::int64_t>(number)},
                             std::make_shared<const model::submission>(std::move(request)),
                             testing::actor_world::start_of_time()};
  auto step = std::make_shared<model::step>();
  step->number = number;
  step->records.push_back(std::move(created));
  return {step};
}

struct writer_world : testing::actor_world {
  std::string name = unique_store_name();
  std::shared_ptr<testing::faulty_store> store =
    std::make_shared<testing::faulty_store>(storage::open_store_in_memory(name));
  batch_writer_actor writer = spawn_writer();

  batch_writer_actor spawn_writer() {
    return spawn(batch_writer, store, std::uint64_t{7},
                 caf::actor_cast<commit_listener_actor>(self),
                 caf::actor_cast<event_hub_actor>(self));
  }
  std::uint64_t receive_committed() {
    std::uint64_t step = 0;
    self->receive([&](const committed& c) { step = c.step; },
                  caf::after(std::chrono::seconds(0)) >> [] {});
    return step;
  }
};

} // namespace

TEST_CASE_METHOD(writer_world, "batch_writer: what waits is committed together",
                 "[actors][batch_writer]") {
  self->send(writer, a_step(1));
  self->send(writer, a_step(2));
  run();
  CHECK(store->commits() == 1);
  CHECK(receive_committed() == 2);
  std::int64_t first_seq = 0;
  std::size_t steps = 0;
  self->receive([&](const published& p) {
    first_seq = p.first_seq;
    steps = p.steps->size();
  });
  CHECK(first_seq == 1);
  CHECK(steps == 2);
}

TEST_CASE_METHOD(writer_world, "batch_writer: an idle one commits a lone step at once",
                 "[actors][batch_writer]") {
  self->send(writer, a_step(1));
  run();
  CHECK(receive_committed() == 1);
  self->send(writer, a_step(2));
  run();
  CHECK(store->commits() == 2);
}

TEST_CASE_METHOD(writer_world, "batch_writer: a failed commit ends it with the error",
                 "[actors][batch_writer]") {
  store->fail_next(1, {errc::unavailable, "disk full"});
  self->monitor(writer);
  self->send(writer, a_step(1));
  run();
  error cause;
  self->receive([&](const caf::down_msg& down) { cause = from_caf(down.reason); });
  CHECK(cause == error{errc::unavailable, "disk full"});
  CHECK(receive_committed() == 0);
}

TEST_CASE_METHOD(writer_world, "batch_writer: a new one ignores what was committed already",
                 "[actors][batch_writer]") {
  store->fail_next(1, {errc::unavailable, "answer lost"}, testing::fault_moment::after_commit);
  self->send(writer, a_step(1));
  run();
  const auto fresh = spawn_writer();
  self->send(fresh, report_last_commit{});
  run();
  std::uint64_t last = 0;
  self->receive([&](const last_commit_reported& r) { last = r.step; });
  CHECK(last == 1);
  self->send(fresh, a_step(1)); // sent again all the same
  self->send(fresh, a_step(2));
  run();
  CHECK(store->steps().size() == 2);
  CHECK(receive_committed() == 2);
}
