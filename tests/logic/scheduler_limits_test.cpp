// Of the scheduler core: what people allow for the whole store, and slots that come and go.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::limit_kind;

namespace {

model::set_store_limit limit(limit_kind kind, std::string name,
                             std::optional<std::int64_t> amount) {
  return {{kind, std::move(name), amount, "ana", {}}};
}

flow five() {
  return flow{"a; b; c; d; e"};
}

using amounts = std::vector<model::resource_amounts>;

const model::value& find(const model::value& limits, std::string_view kind,
                         std::string_view name = "") {
  for (const auto& v : limits)
    if (v.at("kind") == kind && v.value("name", "") == name)
      return v;
  FAIL("there is no limit " << kind << " " << name);
  return limits;
}

} // namespace

TEST_CASE("scheduler_core: people may allow fewer slots", "[logic][scheduler_core][limits]") {
  core_world world{core_world::with_slots(3)};
  world.submit(five());
  CHECK(world.running() == "a b c");
  REQUIRE(world.control(limit(limit_kind::slots, "", 1)));
  CHECK(world.running() == "a b c"); // what runs goes on
  world.finish("a");
  world.finish("b");
  CHECK(world.running() == "c");
  world.restart();
  world.finish("c");
  CHECK(world.running() == "d");
  REQUIRE(world.control(limit(limit_kind::slots, "", 0)));
  world.finish("d");
  CHECK(world.running().empty());
  REQUIRE(world.control(limit(limit_kind::slots, "", std::nullopt)));
  CHECK(world.running() == "e");
}

TEST_CASE("scheduler_core: a pool has the size that people give it",
          "[logic][scheduler_core][limits]") {
  core_world world;
  REQUIRE(world.control(limit(limit_kind::pool, "db", 2)));
  flow f;
  for (const auto* name : {"a", "b", "c", "d"})
    f.add_task(name).pool("db");
  world.submit(f);
  CHECK(world.running() == "a b");
  REQUIRE(world.control(limit(limit_kind::pool, "db", 3)));
  CHECK(world.running() == "a b c");
  REQUIRE(world.control(limit(limit_kind::pool, "db", std::nullopt)));
  CHECK(world.running() == "a b c d");
}

TEST_CASE("scheduler_core: what needs a resource that is gone waits or takes the next best",
          "[logic][scheduler_core][limits]") {
  auto options = core_world::roomy();
  options.capacity.resources = {{"cpu", 4'000}, {"gpu", 1'000}};
  core_world world{options};
  REQUIRE(world.control(limit(limit_kind::resource, "gpu", 0)));
  flow f;
  f.add_task("a").needs(amounts{{{"gpu", 1'000}}});
  f.add_task("b").needs(amounts{{{"gpu", 1'000}}, {{"cpu", 3'000}}});
  world.submit(f);
  CHECK(world.running() == "b");
  world.restart();
  CHECK(world.running() == "b");
  REQUIRE(world.control(limit(limit_kind::resource, "gpu", std::nullopt)));
  CHECK(world.running() == "a b");
}

TEST_CASE("scheduler_core: no limit gives more than there is", "[logic][scheduler_core][limits]") {
  auto options = core_world::with_slots(2);
  options.capacity.resources = {{"cpu", 1'000}};
  core_world world{options};
  REQUIRE(world.control(limit(limit_kind::slots, "", 100)));
  REQUIRE(world.control(limit(limit_kind::resource, "cpu", 100'000)));
  REQUIRE(world.control(limit(limit_kind::resource, "unicorns", 1'000)));
  flow f;
  for (const auto* name : {"a", "b"})
    f.add_task(name).needs(amounts{{{"cpu", 1'000}}});
  world.submit(f);
  CHECK(world.running() == "a");
  world.submit(flow{"x; y"});
  CHECK(world.under_way.size() == 2);
}

TEST_CASE("scheduler_core: what is not set cannot be taken back",
          "[logic][scheduler_core][limits]") {
  core_world world;
  const auto refused = world.control(limit(limit_kind::pool, "db", std::nullopt));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::not_found);
  CHECK(refused.error().message == "nothing is set for pool 'db'");
}

TEST_CASE("scheduler_core: a workflow gets what its weight and its user's allow",
          "[logic][scheduler_core][limits]") {
  core_world world{core_world::with_slots(1)};
  REQUIRE(world.control(limit(limit_kind::workflow_share, "heavy", 3)));
  REQUIRE(world.control(limit(limit_kind::user_share, "nobody", 2)));
  world.submit(flow{"first"});
  std::map<model::run_no, std::string> names;
  for (const auto* name : {"heavy", "light"}) {
    flow f;
    f.spec.name = name;
    for (int i = 0; i < 12; ++i)
      f.add_task(std::string(1, char('a' + i)));
    names[world.submit(f)] = name;
  }
  const auto before = world.starts.size();
  std::map<std::string, int> starts;
  for (int i = 0; i < 8; ++i)
    world.report(world.report_of(world.starts.back()));
  for (auto i = before; i < world.starts.size(); ++i)
    ++starts[names[world.starts[i].run_no]];
  CHECK(starts["heavy"] == 6);
  CHECK(starts["light"] == 2);
}

TEST_CASE("scheduler_core: limits are listed with what is used",
          "[logic][scheduler_core][limits]") {
  auto options = core_world::with_slots(3);
  options.capacity.resources = {{"mem", 1 << 20}};
  core_world world{options};
  REQUIRE(world.control(limit(limit_kind::slots, "", 2)));
  REQUIRE(world.control(limit(limit_kind::pool, "db", 4)));
  flow f;
  f.add_task("a").needs(amounts{{{"mem", 1 << 10}}}).pool("db");
  world.submit(f);
  const auto limits = world.core.answer({}, model::list_limits{}, world.now).value().at("limits");
  CHECK(find(limits, "slots").at("amount") == "2");
  CHECK(find(limits, "slots").at("has") == "3");
  CHECK(find(limits, "slots").at("used") == "1");
  CHECK(find(limits, "slots").at("by") == "ana");
  CHECK(find(limits, "resource", "mem").at("has") == "1Mi");
  CHECK(find(limits, "resource", "mem").at("used") == "1Ki");
  CHECK(find(limits, "pool", "db").at("amount") == "4");
  CHECK(find(limits, "pool", "db").at("used") == "1");
}

TEST_CASE("scheduler_core: with a backlog there are more slots",
          "[logic][scheduler_core][limits]") {
  auto options = core_world::with_slots(2);
  options.most_slots = 4;
  core_world world{options};
  flow f;
  for (int i = 0; i < 40; ++i)
    f.add_task("t" + std::to_string(i));
  world.submit(f);
  CHECK(world.under_way.size() == 3);
  world.wake(); // it goes on growing, though nothing else may happen
  CHECK(world.under_way.size() == 4);
}
