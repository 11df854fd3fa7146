#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

namespace {

/// A core, and attempts that offer their progress.
struct saving_world : core_world {
  explicit saving_world(std::string_view text) : core_world{flow{text}} {}

  model::request_id offer(model::attempt_key key, std::string token, std::string data = "data") {
    step(model::checkpoint_offered{++request, key,
                                   std::make_shared<const model::checkpoint>(
                                     model::checkpoint{std::move(token), std::move(data)})});
    return request;
  }
  void end_pause(model::attempt_key key) { step(model::checkpoint_pause_over{key}); }

  /// Requests that were answered with success, in order.
  std::vector<model::request_id> kept() const {
    std::vector<model::request_id> requests;
    for (const auto& answer : checkpoint_answers)
      if (answer.result)
        requests.push_back(answer.request);
    return requests;
  }
  errc refusal() const {
    REQUIRE_FALSE(checkpoint_answers.empty());
    REQUIRE_FALSE(checkpoint_answers.back().result);
    return checkpoint_answers.back().result.error().code;
  }

  model::request_id request = 100;
};

using texts = std::vector<std::string>;
using requests = std::vector<model::request_id>;

} // namespace

TEST_CASE("scheduler_core: a save is recorded at once and answered with its commit",
          "[logic][scheduler_core]") {
  saving_world world{"a"};
  const auto key = world.current("a");
  const auto request = world.offer(key, "step-1");
  CHECK(world.saved == texts{"step-1"});
  REQUIRE(world.last.records.size() == 1);
  CHECK(world.kept() == requests{request});
  CHECK(world.pauses == std::vector{key});
}

TEST_CASE("scheduler_core: saves in the pause merge, the last one counts",
          "[logic][scheduler_core]") {
  saving_world world{"a; b"};
  const auto key = world.current("a");
  const auto first = world.offer(key, "1");
  const auto second = world.offer(key, "2");
  const auto third = world.offer(key, "3");
  CHECK(world.saved == texts{"1"});
  CHECK(world.kept() == requests{first});
  world.offer(world.current("b"), "other"); // another task waits for nobody
  CHECK(world.saved == texts{"1", "other"});
  world.end_pause(key);
  CHECK(world.saved == texts{"1", "other", "3"});
  CHECK(world.kept() == requests{first, 104, second, third});
  world.end_pause(key); // nothing came: the next is saved at once again
  world.offer(key, "4");
  CHECK(world.saved.back() == "4");
}

TEST_CASE("scheduler_core: what waits is saved before the attempt ends",
          "[logic][scheduler_core]") {
  saving_world world{"a"};
  const auto key = world.current("a");
  world.offer(key, "1");
  world.offer(key, "2");
  const auto how = GENERATE("lose", "fail", "executor", "cancel");
  CAPTURE(how);
  const std::string end{how};
  if (end == "lose")
    world.lose("a");
  else if (end == "fail")
    world.fail("a");
  else if (end == "executor")
    world.lose_executor();
  else {
    world.cancel();
    world.fail("a");
  }
  CHECK(world.saved == texts{"1", "2"});
  CHECK(world.kept().size() == 2);
  CHECK(std::holds_alternative<model::checkpoint_saved>(world.last.records.front()));
  world.end_pause(key); // comes for nothing
  CHECK(world.last.records.empty());
}

TEST_CASE("scheduler_core: a task that stops may still save", "[logic][scheduler_core]") {
  saving_world world{"a"};
  const auto key = world.current("a");
  world.time_out("a");
  world.offer(key, "last words");
  CHECK(world.saved == texts{"last words"});
}

TEST_CASE("scheduler_core: only the current attempt saves", "[logic][scheduler_core]") {
  saving_world world{"a"};
  const auto key = world.current("a");
  world.lose("a");
  world.offer(key, "late");
  CHECK(world.refusal() == errc::conflict);
  world.offer({{99}, 0, 1}, "of no run");
  CHECK(world.refusal() == errc::conflict);
  world.finish("a");
  world.offer({key.run_no, 0, 2}, "after the end");
  CHECK(world.refusal() == errc::conflict);
  CHECK(world.saved.empty());
}

TEST_CASE("scheduler_core: what cannot be saved is refused", "[logic][scheduler_core]") {
  saving_world world{"a"};
  const auto key = world.current("a");
  const auto [token, size] = GENERATE(table<std::string, std::size_t>({
    {"", 1},
    {std::string(model::most_token_bytes + 1, 'x'), 1},
    {"two\nlines", 1},
    {std::string("nul\0", 4), 1},
    {"large", model::default_checkpoint_bytes + 1},
  }));
  world.offer(key, token, std::string(size, 'x'));
  CHECK(world.refusal() == errc::invalid_argument);
  CHECK(world.saved.empty());
  world.offer(key, "fits", std::string(model::default_checkpoint_bytes, 'x'));
  CHECK(world.saved == texts{"fits"}); // a refusal begins no pause
}

TEST_CASE("scheduler_core: a task may say how much it saves", "[logic][scheduler_core]") {
  flow f{"a"};
  f.spec.tasks.front().settings->checkpoint_bytes = 10;
  core_world world{f};
  const auto offer = [&](std::size_t size) {
    world.step(model::checkpoint_offered{
      1, world.current("a"),
      std::make_shared<const model::checkpoint>(model::checkpoint{"t", std::string(size, 'x')})});
    return world.checkpoint_answers.back().result;
  };
  const auto refused = offer(11);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message
        == "a checkpoint of 11 bytes is more than the 10 that task 'a' may save (checkpoint.max)");
  CHECK(offer(10));
}

TEST_CASE("scheduler_core: the next attempt is told that there is a checkpoint",
          "[logic][scheduler_core]") {
  saving_world world{"a; b"};
  CHECK_FALSE(world.started("a").has_checkpoint);
  world.offer(world.current("a"), "step-1");
  world.lose("a");
  world.lose("b");
  CHECK(world.started("a").has_checkpoint);
  CHECK_FALSE(world.started("b").has_checkpoint);
}

TEST_CASE("scheduler_core: success drops the checkpoint, and only it", "[logic][scheduler_core]") {
  saving_world world{"a"};
  world.offer(world.current("a"), "step-1");
  const auto fails = GENERATE(true, false);
  if (fails)
    world.fail("a");
  else
    world.finish("a");
  const auto ended =
    std::find_if(world.last.records.begin(), world.last.records.end(),
                 [](const auto& r) { return std::holds_alternative<model::attempt_ended>(r); });
  REQUIRE(ended != world.last.records.end());
  CHECK(std::get<model::attempt_ended>(*ended).outcome.drops_checkpoint != fails);
}
