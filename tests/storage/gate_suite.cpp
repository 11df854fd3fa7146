// Of tasks that only wait, against every backend.
#include "tests/storage/store_fixture.hpp"

using namespace sluice;
using namespace sluice::storage;
using model::wait_reason;

#define GATE_TEST(name) TEMPLATE_TEST_CASE("store: " name, "[storage][gates]", on_disk, in_memory)

namespace {

model::task_moved waits(std::int64_t run, std::uint32_t task, model::awaited what) {
  auto r = moved(run, task, task_state::waiting, std::string{to_string(what.reason)});
  r.awaits = std::move(what);
  return r;
}

model::gate_passed passed(std::int64_t run, std::uint32_t task, model::value outputs = {}) {
  return {.key = {{run}, task},
          .reason = wait_reason::approval,
          .outputs = std::move(outputs),
          .actor = "operator",
          .at = at(6)};
}

model::signal_received sent(std::int64_t run, std::uint64_t number, model::value payload = {}) {
  return {{run}, {number, "go", std::move(payload)}, "ana", "operator", at(5)};
}

} // namespace

GATE_TEST("what a gate waits for is there while it waits") {
  TestType db;
  const model::awaited what{wait_reason::approval, "", "Publish?", at(100)};
  const model::timer expires{{1}, 0, model::timer_kind::gate, at(100)};
  commit(*db.store, {created(1, workflow_of({"ok", "b"})), waits(1, 0, what)}, {},
         {.removed = {}, .set = {expires}});
  const auto row = task_at(*db.reader, 1, 0);
  CHECK(row.state == task_state::waiting);
  CHECK(row.reason == "approval");
  CHECK(row.awaits == what);
  CHECK_FALSE(task_at(*db.reader, 1, 1).awaits);
  auto listed = must(db.reader->waiting_gates());
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].key == model::task_key{{1}, 0});
  CHECK(listed[0].task == "ok");
  CHECK(listed[0].workflow == "etl");
  CHECK(listed[0].what == what);
  CHECK(listed[0].since == at(4));

  SECTION("it is let through") {
    commit(*db.store, {passed(1, 0, {{"by", "ana"}})}, {}, {.removed = {expires}, .set = {}});
    const auto done = task_at(*db.reader, 1, 0);
    CHECK(done.state == task_state::succeeded);
    CHECK(done.finished_at == at(6));
    CHECK(must(db.reader->outputs({{1}, 0})) == model::value{{"by", "ana"}});
  }
  SECTION("it is rejected") {
    auto away = moved(1, 0, task_state::failed, "rejected");
    away.from = task_state::waiting;
    away.failure = model::failure{model::failure_class::gate, "rejected", "rejected by ana"};
    commit(*db.store, {away});
    CHECK(task_at(*db.reader, 1, 0).failure->code == "rejected");
  }
  SECTION("it is marked") {
    commit(
      *db.store,
      {model::task_marked{
        {{1}, 0}, 0, task_state::waiting, task_state::skipped, std::nullopt, "operator", at(6)}});
  }
  CHECK(must(db.reader->waiting_gates()).empty());
  CHECK_FALSE(task_at(*db.reader, 1, 0).awaits);
}

GATE_TEST("a gate lets through only once") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"ok"})), waits(1, 0, {wait_reason::approval})});
  CHECK(must(db.reader->waiting_gates()).size() == 1); // though there is nothing to say of it
  commit(*db.store, {passed(1, 0)});
  auto again = passed(1, 0);
  again.from = task_state::waiting;
  commit(*db.store, {again});
  CHECK(db.store->refused() == 1);
}

GATE_TEST("signals are kept until a gate takes them") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"go", "b"})), sent(1, 1, 5), sent(1, 2, {{"x", 1}})});
  auto kept = must(db.reader->stored_run({1})).signals;
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].number == 1);
  CHECK(kept[0].name == "go");
  CHECK(kept[0].payload == 5);
  auto first = passed(1, 0, {{"payload", 5}});
  first.from = task_state::pending;
  first.signal = 1;
  commit(*db.store, {first});
  kept = must(db.reader->stored_run({1})).signals;
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].payload == model::value{{"x", 1}});
  commit(*db.store, {moved(1, 1, task_state::skipped),
                     run_moved(1, model::run_state::running, model::run_state::succeeded)});
  commit(*db.store, {sent(1, 3)});
  CHECK(db.store->refused() == 1);
  const auto events = must(db.reader->events({.run_no = model::run_no{1}}));
  CHECK(events[1].type == model::event_type::run_signalled);
  CHECK(events[1].data == model::value{{"name", "go"}, {"signal", 1}, {"by", "ana"}});
}

GATE_TEST("switches are kept, and what was done to them") {
  TestType db;
  const model::switch_state closed{"db", false, "ana", "nightly work", at(1)};
  const model::switch_state opened{"db", true, "bo", "", at(2)};
  const auto set = [&](model::switch_state to) {
    const auto number = must(db.store->last_commit()).step + 1;
    const std::vector<step_ptr> steps{
      std::make_shared<model::step>(model::step{.number = number, .switches = {std::move(to)}})};
    must(db.store->commit(1, steps));
  };
  set(closed);
  CHECK(must(db.reader->gates()).switches == std::vector<model::switch_state>{closed});
  set(opened);
  CHECK(must(db.reader->gates()).switches == std::vector<model::switch_state>{opened});
  CHECK(must(db.reader->switch_changes(10)) == std::vector<model::switch_state>{opened, closed});
  CHECK(must(db.reader->switch_changes(1)).size() == 1);
  CHECK(must(db.reader->last_seq()) == 0); // they are of no run
}

GATE_TEST("what a quota let through is kept") {
  TestType db;
  auto first = passed(1, 0);
  first.from = task_state::pending;
  first.quota = model::quota_pass{"mail", 1, at(6)};
  commit(*db.store, {created(1, workflow_of({"q", "r"})), first,
                     waits(1, 1, {wait_reason::quota, "mail", "", std::nullopt})});
  CHECK(must(db.reader->gates()).passes == std::vector<model::quota_pass>{{"mail", 1, at(6)}});
  CHECK(must(db.reader->stored_run({1})).gates_since.at(1) == at(4));
  auto later = passed(1, 1);
  later.quota = model::quota_pass{"mail", 1 + model::most_passes, at(7)};
  commit(*db.store, {later});
  CHECK(must(db.reader->gates()).passes.size() == 1);
}
