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

CAPACITY_TEST("pools have sizes until they are taken away") {
  TestType db;
  REQUIRE(db.store->set_pool({"db", 2, "somebody", at(1)}));
  REQUIRE(db.store->set_pool({"api", 1, "somebody", at(1)}));
  REQUIRE(db.store->set_pool({"db", 3, "another", at(2)}));
  const auto pools = must(db.reader->pools());
  REQUIRE(pools.size() == 2);
  CHECK(pools[1].name == "db");
  CHECK(pools[1].size == 3);
  CHECK(pools[1].actor == "another");
  REQUIRE(db.store->set_pool({"api", std::nullopt, "another", at(3)}));
  CHECK(must(db.reader->capacity(at(0))).pools
        == std::vector<std::pair<std::string, std::int64_t>>{{"db", 3}});
}
