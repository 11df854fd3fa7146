#include "tests/actors/runtime_world.hpp"

#include <map>

using namespace sluice;
using actors::child;
using model::run_state;

namespace {

class checkpoint_world : public runtime_world {
public:
  /// Offers progress of a task's attempt; what became of it is in `answers`, by token.
  void save(model::attempt_key key, const std::string& token, std::string data = "data") {
    self->send(
      host,
      actors::host_save_checkpoint{
        {key, std::make_shared<const model::checkpoint>(model::checkpoint{token, std::move(data)})},
        [this, token](expected<void> r) { answers.emplace(token, std::move(r)); }});
    run();
  }
  bool is_kept(const std::string& token) {
    return answers.contains(token) && answers.at(token).has_value();
  }
  std::optional<storage::checkpoint_row> stored(model::task_key task) {
    return reader().checkpoint(task).value();
  }
  const model::start_attempt& last_start() { return *launcher->starts.back(); }

  std::map<std::string, expected<void>> answers;
};

} // namespace

TEST_CASE_METHOD(checkpoint_world, "checkpoints: an answer means that it is stored",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  store->fail_next(1, {errc::unavailable, "disk full"});
  save(launcher->key_of("a"), "step-1", "progress");
  CHECK(answers.empty()); // not while the store cannot keep it
  advance(model::seconds{1});
  CHECK(is_kept("step-1"));
  const auto found = stored({run_no, 0});
  REQUIRE(found);
  CHECK(found->what == model::checkpoint{"step-1", "progress"});
  CHECK(found->attempt == 1);
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: those of a second become one commit",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  const auto key = launcher->key_of("a");
  save(key, "1");
  const auto commits = store->commits();
  for (const auto* token : {"2", "3", "4"})
    save(key, token);
  CHECK(store->commits() == commits);
  CHECK_FALSE(is_kept("2"));
  advance(model::milliseconds{1100});
  CHECK(store->commits() == commits + 1);
  for (const auto* token : {"2", "3", "4"})
    CHECK(is_kept(token));
  CHECK(stored({run_no, 0})->what.token == "4");
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: a lost attempt goes on from the last",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a"), task("b")});
  save(launcher->key_of("a"), "step-1", "one");
  save(launcher->key_of("a"), "step-2", "two"); // in the pause: saved as the attempt ends
  crash(child::process_executor);
  advance(model::seconds{1});
  std::map<std::string, model::checkpoint_ptr> given;
  for (const auto& start : launcher->starts)
    given[start->spec().name + "#" + std::to_string(start->key.attempt)] = start->kept->checkpoint;
  REQUIRE(given.contains("a#2"));
  CHECK(given["a#1"] == nullptr);
  CHECK(given["b#2"] == nullptr);
  REQUIRE(given["a#2"] != nullptr);
  CHECK(*given["a#2"] == model::checkpoint{"step-2", "two"});
  CHECK(is_kept("step-2"));
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK_FALSE(stored({run_no, 0})); // it is done
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: a scheduler that dies loses no save",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  const auto key = launcher->key_of("a");
  save(key, "step-1");
  save(key, "step-2"); // in the pause
  crash(child::scheduler);
  save(key, "step-3"); // while there is none
  CHECK_FALSE(is_kept("step-2"));
  advance(model::seconds{5});
  CHECK(is_kept("step-2"));
  CHECK(is_kept("step-3"));
  CHECK(stored({run_no, 0})->what.token == "step-3");

  crash(child::process_executor); // the new scheduler knows that there is something to go on from
  advance(model::seconds{5});
  REQUIRE(last_start().kept->checkpoint != nullptr);
  CHECK(last_start().kept->checkpoint->token == "step-3");
  finish("a");
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK_FALSE(stored({run_no, 0}));
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: readers that are gone only delay the start",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  save(launcher->key_of("a"), "step-1");
  crash(child::process_executor);
  advance(model::milliseconds{90});
  crash(child::readers);
  advance(model::milliseconds{20}); // the executor is back, the readers are not
  REQUIRE(launcher->starts.size() == 1);
  SECTION("it starts when they are back") {
    advance(model::seconds{5});
    REQUIRE(launcher->starts.size() == 2);
    REQUIRE(last_start().kept->checkpoint != nullptr);
    CHECK(last_start().kept->checkpoint->token == "step-1");
  }
  SECTION("what is cancelled meanwhile never starts") {
    cancel(run_no);
    CHECK(run_state(run_no) == run_state::cancelling);
    advance(model::seconds{5});
    CHECK(run_state(run_no) == run_state::cancelled);
    CHECK(launcher->starts.size() == 1);
  }
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: a stale attempt saves nothing",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  const auto old = launcher->key_of("a");
  crash(child::process_executor);
  advance(model::seconds{1});
  save(old, "late");
  REQUIRE(answers.contains("late"));
  CHECK(answers.at("late").error().code == errc::conflict);
  CHECK_FALSE(stored({run_no, 0}));
}

TEST_CASE_METHOD(checkpoint_world, "checkpoints: a task can read what it saved",
                 "[actors][checkpoints]") {
  start();
  const auto run_no = submit({task("a")});
  std::vector<model::checkpoint_ptr> read;
  const auto ask = [&] {
    self->send(
      host, actors::host_read_checkpoint{{{run_no, 0}}, [&](expected<model::checkpoint_ptr> found) {
                                           REQUIRE(found);
                                           read.push_back(*found);
                                         }});
    run();
  };
  ask();
  save(launcher->key_of("a"), "step-1", "progress");
  ask();
  REQUIRE(read.size() == 2);
  CHECK(read[0] == nullptr);
  REQUIRE(read[1] != nullptr);
  CHECK(*read[1] == model::checkpoint{"step-1", "progress"});
}
