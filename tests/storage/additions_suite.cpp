// What every backend of the store does with tasks that a run is given while it is in progress.
#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;
using model::value;

#define ADDITIONS_TEST(name)                                                                       \
  TEMPLATE_TEST_CASE("store: " name, "[storage][additions]", on_disk, in_memory)

namespace {

/// One more task, behind so many.
model::tasks_added added(const model::workflow_spec& to, const char* task, std::uint32_t first,
                         std::string hash) {
  auto all = std::make_shared<model::workflow_spec>(to);
  all->additions.push_back({first, static_cast<std::uint32_t>(all->tasks.size()), 1, {}});
  model::task_spec spec;
  spec.name = task;
  spec.action = model::run_action{"echo"};
  spec.addition = static_cast<std::uint32_t>(all->additions.size());
  all->tasks.push_back(std::move(spec));
  return {{1}, std::move(all), std::move(hash), "operator", at(2)};
}

} // namespace

ADDITIONS_TEST("added tasks are behind all others and of another version") {
  TestType db;
  const auto workflow = workflow_of({"a", "b"});
  auto items = std::make_shared<const model::item_list>(must(model::item_list::of(2)));
  commit(*db.store,
         {created(1, workflow), model::task_expanded{{{1}, 0}, 0, {0, 2, items}, 1, at(2)}});
  const auto more = added(*workflow, "c", 4, "hash-2");
  commit(*db.store, {more});
  CHECK(db.store->refused() == 0);
  const auto task = must(db.reader->task({1}, "c"));
  CHECK(task.key.task_idx == 4);
  CHECK(task.state == task_state::pending);
  CHECK_FALSE(task.node_idx);
  CHECK(must(db.reader->run({1})).version == 2);
  CHECK(*must(db.reader->workflow({1})) == *more.workflow);
  const auto events = must(db.reader->events({}));
  CHECK(events[2].type == model::event_type::tasks_added);
  CHECK(events[2].actor == "operator");
  CHECK(events[2].data
        == value{{"first", 4}, {"tasks", 1}, {"hash", "hash-2"}, {"names", value::array({"c"})}});
  const auto stored = must(db.reader->stored_run({1}));
  CHECK(stored.tasks.size() == 5);
  CHECK(stored.workflow->task(4).name == "c");

  commit(*db.store, {dispatched(1, 4), ended(1, 4)});
  CHECK(task_at(*db.reader, 1, 4).state == task_state::succeeded);
  CHECK(must(db.reader->events({}))[3].task == "c");
  commit(*db.store, {created(2, workflow)}); // of the first version, as it was
  CHECK(must(db.reader->run({2})).version == 1);
}

ADDITIONS_TEST("tasks are not added where others are or to a run that has ended") {
  TestType db;
  const auto workflow = workflow_of({"a"});
  commit(*db.store, {created(1, workflow)});
  commit(*db.store, {added(*workflow, "c", 0, "hash-2")});
  CHECK(db.store->refused() == 1);
  commit(*db.store, {added(*workflow, "c", 2, "hash-3")});
  CHECK(db.store->refused() == 1);
  commit(*db.store, {moved(1, 0, task_state::skipped),
                     run_moved(1, model::run_state::running, model::run_state::succeeded)});
  commit(*db.store, {added(*workflow, "c", 1, "hash-4")});
  CHECK(db.store->refused() == 1);
  CHECK(must(db.reader->run({1})).version == 1);
  CHECK(must(db.reader->tasks({.run_no = {1}})).size() == 1);
}

ADDITIONS_TEST("an added task is of the generation of its run") {
  TestType db;
  const auto workflow = workflow_of({"a", "b"});
  commit(*db.store, {created(1, workflow), dispatched(1, 0), ended(1, 0, 1, task_state::failed),
                     moved(1, 1, task_state::skipped),
                     run_moved(1, model::run_state::running, model::run_state::failed)});
  commit(*db.store, {model::run_retried{{1}, model::run_state::failed, 2, 1, "operator", at(6)},
                     model::task_reset{{{1}, 0}, 1, task_state::failed, 2, "operator", at(6)},
                     added(*workflow, "c", 2, "hash-2")});
  CHECK(db.store->refused() == 0);
  const auto stored = must(db.reader->stored_run({1}));
  CHECK(stored.tasks[1].kept);
  CHECK_FALSE(stored.tasks[2].kept);
}
