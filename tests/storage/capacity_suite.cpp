// What every backend of the store keeps of capacity.
#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;

#define CAPACITY_TEST(name)                                                                        \
  TEMPLATE_TEST_CASE("store: " name, "[storage][capacity]", on_disk, in_memory)

namespace {

model::attempt_dispatched holding(int run, std::uint32_t task, model::capacity_grant grant) {
  auto dispatch = dispatched(run, task);
  dispatch.holds = std::move(grant);
  return dispatch;
}

const model::capacity_grant rated{
  .taken = {{model::capacity_kind::rate, "api", 1, 3, model::milliseconds{60'000}}}};

} // namespace

CAPACITY_TEST("what attempts under way hold comes back with their run") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), holding(1, 0, rated), dispatched(1, 1)});
  const auto run = must(db.reader->stored_run({1}));
  REQUIRE(run.holds.size() == 1);
  CHECK(run.holds.at(0) == rated);
  CHECK(must(db.reader->attempts({{1}, 0}))[0].holds == rated);
  CHECK_FALSE(must(db.reader->attempts({{1}, 1}))[0].holds);
  CHECK(must(db.reader->events({}))[1].data.at("holds") == to_json(rated));
  commit(*db.store, {ended(1, 0)});
  CHECK(must(db.reader->stored_run({1})).holds.empty());
}

CAPACITY_TEST("what was started lately is known after its end") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), holding(1, 0, rated), dispatched(1, 1),
                     ended(1, 0)});
  const auto started = must(db.reader->attempts({{1}, 0}))[0].dispatched_at;
  const auto lately = must(db.reader->capacity(started - model::seconds{1}));
  REQUIRE(lately.starts.size() == 1);
  CHECK(lately.starts[0].at == started);
  CHECK(lately.starts[0].holds == rated);
  CHECK(must(db.reader->capacity(started)).starts.empty());
}

CAPACITY_TEST("limits of the store stand until they are taken back") {
  TestType db;
  using model::limit_kind;
  const auto set = [&](model::store_limit to) {
    const auto number = must(db.store->last_commit()).step + 1;
    const std::vector<step_ptr> steps{
      std::make_shared<model::step>(model::step{.number = number, .limits = {std::move(to)}})};
    must(db.store->commit(1, steps));
  };
  set({limit_kind::slots, "", 2, "ana", at(1)});
  set({limit_kind::resource, "mem", 1 << 20, "ana", at(1)});
  set({limit_kind::pool, "db", 2, "ana", at(1)});
  set({limit_kind::workflow_share, "etl", 3, "ana", at(1)});
  set({limit_kind::user_share, "bo", 2, "ana", at(1)});
  CHECK(must(db.reader->store_limits()).size() == 5);
  set({limit_kind::pool, "db", 3, "bo", at(2)});
  for (const auto kind : {limit_kind::slots, limit_kind::resource, limit_kind::workflow_share,
                          limit_kind::user_share}) {
    const auto all = must(db.reader->store_limits());
    const auto own =
      std::find_if(all.begin(), all.end(), [&](const auto& limit) { return limit.kind == kind; });
    REQUIRE(own != all.end());
    set({kind, own->name, std::nullopt, "bo", at(3)});
  }
  const std::vector<model::store_limit> left{{limit_kind::pool, "db", 3, "bo", at(2)}};
  CHECK(must(db.reader->store_limits()) == left);
  CHECK(must(db.reader->capacity(at(0))).limits == left);
  CHECK(must(db.reader->last_seq()) == 0); // they are of no run
}
