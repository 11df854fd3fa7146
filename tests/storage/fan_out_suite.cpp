// What every backend of the store does with tasks that are fanned out.
#include "storage/sqlite/connection.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;
using model::value;

#define STORE_TEST(name)                                                                           \
  TEMPLATE_TEST_CASE("store: " name, "[storage][fan_out]", on_disk, in_memory)

namespace {

model::task_expanded expanded(std::uint32_t task, std::uint32_t first, value over,
                              std::uint32_t generation = 1) {
  auto items = std::make_shared<const model::item_list>(must(model::item_list::of(over)));
  return {{{1}, task}, 0, {task, first, std::move(items)}, generation, at(2)};
}

model::task_reset folded(std::uint32_t task, task_state from, std::uint32_t generation) {
  return {{{1}, task}, 0, from, generation, "operator", at(6), model::state_counts{}};
}

std::string names(reader& from) {
  std::string text;
  for (const auto& row : must(from.tasks({.run_no = {1}})))
    text += (text.empty() ? "" : " ") + row.name;
  return text;
}

} // namespace

STORE_TEST("instances are tasks behind all others") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), expanded(0, 2, {"x", "y z"})});
  CHECK(names(*db.reader) == "a b a[x] a[1]");
  const auto node = task_at(*db.reader, 1, 0);
  CHECK(node.instances == 2);
  CHECK_FALSE(node.node_idx);
  const auto instance = must(db.reader->task({1}, "a[1]"));
  CHECK(instance.key.task_idx == 3);
  CHECK(instance.node_idx == 0);
  CHECK_FALSE(instance.instances);
  CHECK(instance.state == task_state::pending);
  CHECK(db.reader->task({1}, "a[2]").error().code == errc::not_found);
  CHECK(db.reader->task({1}, "b[x]").error().code == errc::not_found);

  commit(*db.store, {dispatched(1, 3), ended(1, 3)});
  CHECK(task_at(*db.reader, 1, 3).state == task_state::succeeded);
  const auto events = must(db.reader->events({}));
  CHECK(events[1].type == model::event_type::task_expanded);
  CHECK(events[1].task == "a");
  CHECK(events[1].data == value{{"first", 2}, {"instances", 2}});
  CHECK(events[3].task == "a[1]");
  const auto ranges = must(db.reader->instances({1}));
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].first == 2);
  CHECK(ranges[0].items->name(0) == "x");
}

STORE_TEST("a million instances are one record") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), expanded(0, 1, 1'000'000)});
  CHECK(must(db.reader->task({1}, "a[999999]")).key.task_idx == 1'000'000);
  CHECK(must(db.reader->stored_run({1})).tasks.size() == 1'000'001);
}

STORE_TEST("no task is fanned out that is decided") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), moved(1, 0, task_state::skipped)});
  commit(*db.store, {expanded(0, 1, 3)});
  CHECK(db.store->refused() == 1);
  CHECK(names(*db.reader) == "a");
}

STORE_TEST("outputs of instances are read back together") {
  TestType db;
  auto first = ended(1, 2), third = ended(1, 4);
  first.outcome.outputs = {{"n", 1}};
  third.outcome.outputs = {{"n", 3}};
  commit(*db.store, {created(1, workflow_of({"a", "b"})), expanded(0, 2, 4), dispatched(1, 2),
                     dispatched(1, 4), third, first, dispatched(1, 3),
                     ended(1, 3, 1, task_state::failed), dispatched(1, 5), ended(1, 5)});
  CHECK(must(db.reader->outputs({{1}, 0}))
        == value{{"index", {0, 2, 3}}, {"out", {{{"n", 1}}, {{"n", 3}}, value::object()}}});
  CHECK(must(db.reader->outputs({{1}, 2})) == value{{"n", 1}});
  CHECK(must(db.reader->outputs({{1}, 1})).is_null());
}

STORE_TEST("what is fanned out anew hides what was") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), expanded(0, 2, value::array()),
                     expanded(1, 2, {"x", "y"}), dispatched(1, 2), ended(1, 2),
                     moved(1, 3, task_state::skipped), moved(1, 0, task_state::succeeded),
                     moved(1, 1, task_state::succeeded),
                     run_moved(1, model::run_state::running, model::run_state::succeeded)});
  commit(*db.store, {model::run_retried{{1}, model::run_state::succeeded, 2, 2, "operator", at(6)},
                     folded(0, task_state::succeeded, 2), folded(1, task_state::succeeded, 2)});
  CHECK(names(*db.reader) == "a b");
  CHECK_FALSE(task_at(*db.reader, 1, 1).instances);
  commit(*db.store, {expanded(0, 4, value::array(), 2), expanded(1, 4, {"y"}, 2)});
  CHECK(names(*db.reader) == "a b b[y]");
  CHECK(must(db.reader->task({1}, "b[y]")).key.task_idx == 4);
  CHECK(must(db.reader->events({}))[4].task == "b[x]"); // the past stays
  const auto stored = must(db.reader->stored_run({1}));
  CHECK(stored.tasks.size() == 5);
  CHECK(stored.tasks[3].state == task_state::skipped);
  REQUIRE(stored.fan_outs.size() == 4);
  CHECK(stored.fan_outs[1].superseded);
  CHECK_FALSE(stored.fan_outs[3].superseded);
}

TEST_CASE("store: what people ask with SQL counts instances", "[storage][fan_out][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), expanded(0, 2, 3), dispatched(1, 2),
                     ended(1, 2), dispatched(1, 3)});
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READONLY};
  CHECK(
    raw.execAndGet("SELECT tasks || ' ' || succeeded || ' ' || undecided FROM task_stats_by_run")
      .getString()
    == "4 1 3");
  CHECK(raw.execAndGet("SELECT task FROM active_task").getString() == "r-1/3");
}

STORE_TEST("a run is pruned with its instances") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), expanded(0, 1, 1), dispatched(1, 1),
                     ended(1, 1), moved(1, 0, task_state::succeeded),
                     run_moved(1, model::run_state::running, model::run_state::succeeded)});
  commit(*db.store, {created(2, workflow_of({"a"}))});
  CHECK(must(db.store->prune(at(60), at(61))).size() == 1);
  CHECK(must(db.reader->instances({1})).empty());
}
