#include "logic/added_tasks.hpp"
#include "logic/event_fold.hpp"
#include "model/json.hpp"
#include "tests/logic/flow.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::logic;

namespace {

std::vector<std::string> problems_of(const flow& run, const flow& added) {
  const auto compiled = compile_with_added({run.spec, added.spec, 10, {}});
  std::vector<std::string> texts;
  if (!compiled)
    for (const auto& problem : compiled.error())
      texts.push_back(problem.path + ": " + problem.message);
  return texts;
}

} // namespace

TEST_CASE("added_tasks: they have indices of their own", "[logic][added_tasks]") {
  flow run{"a; b < a"};
  run.finally("tidy");
  const auto once = compile_with_added({run.spec, "c < b; d < c a"_flow.spec, 10, {}});
  REQUIRE(once);
  const auto twice = compile_with_added({(*once)->spec(), "e < d"_flow.spec, 12, {}});
  REQUIRE(twice);
  const auto& spec = (*twice)->spec();
  std::vector<std::uint32_t> indices;
  for (const auto task : spec.indices())
    indices.push_back(task);
  CHECK(indices == std::vector<std::uint32_t>{0, 1, 2, 10, 11, 12});
  CHECK(spec.task(11).name == "d");
  CHECK(spec.position_of(12) == 5);
  CHECK(spec.has(10));
  CHECK_FALSE(spec.has(3));
  CHECK_FALSE(spec.has(9));
  CHECK_FALSE(spec.has(13));
  CHECK(spec.index_end() == 13);
  CHECK(spec.first_finally() == 2);
  CHECK(spec.is_finally(2));
  CHECK_FALSE(spec.is_finally(10));
  const auto& graph = (*twice)->graph();
  CHECK(std::vector<std::uint32_t>(graph.upstreams(11).begin(), graph.upstreams(11).end())
        == std::vector<std::uint32_t>{0, 10});
  CHECK((*twice)->rank(0) == 4);
  const auto read = model::workflow_from_json(model::to_json(spec));
  REQUIRE(read);
  CHECK(**read == spec);
}

TEST_CASE("added_tasks: all that is wrong is said at once", "[logic][added_tasks]") {
  flow run{"load; b < load"};
  run["load"].out("rows");
  run.finally("tidy");
  flow added{"b; c < laod; d < tidy"};
  added["c"].in("x", "${{ tasks.load.out.row }}");
  added.deadline(std::chrono::hours{1}).active_tasks(2);
  CHECK(problems_of(run, added)
        == std::vector<std::string>{
          "deadline: is of the run, which has begun: only tasks and their defaults can be added",
          "limits: is of the run, which has begun: only tasks and their defaults can be added",
          "tasks.b: the run has a task 'b' already",
          "tasks.c.after[0]: no task 'laod'; did you mean 'load'?",
          "tasks.c.in.x: task 'load' declares no output 'row'; did you mean 'rows'?",
          "tasks.d.after[0]: 'tidy' stands in finally, which comes after all tasks"});
}

TEST_CASE("added_tasks: their defaults are checked as defaults", "[logic][added_tasks]") {
  flow added{"c"};
  added.env("X", "${{ tasks.a.out.v }}");
  added.spec.defaults.timeout = std::chrono::seconds{0};
  const auto found = problems_of(flow{"a"}, added);
  REQUIRE(found.size() == 2);
  CHECK_THAT(found[0], Catch::StartsWith("defaults.timeout: "));
  CHECK_THAT(found[1], Catch::StartsWith("defaults.env.X: "));
}

TEST_CASE("added_tasks: no workflow begins with some", "[logic][added_tasks]") {
  auto inner = "a"_flow;
  inner.named("inner").spec.additions.push_back({1, 1, 0, {}});
  flow outer{"b"};
  outer["b"].child(inner.spec);
  const auto compiled = compile(std::make_shared<const model::workflow_spec>(outer.spec));
  REQUIRE_FALSE(compiled);
  CHECK_THAT(compiled.error().front().message, Catch::Contains("were added to a run of it"));
}

TEST_CASE("event_fold: tasks that are added come behind all others", "[logic][event_fold]") {
  event_fold fold;
  const auto apply = [&](model::event_type type, model::value data, std::string to = "") {
    model::event e;
    e.seq = fold.last_seq() + 1;
    e.run_no = {1};
    e.type = type;
    e.to = std::move(to);
    e.data = std::move(data);
    return fold.apply(e).has_value();
  };
  REQUIRE(apply(model::event_type::run_submitted, {{"tasks", 2}}, "running"));
  CHECK_FALSE(apply(model::event_type::tasks_added, {{"first", 1}, {"tasks", 1}}));
  CHECK_FALSE(apply(model::event_type::tasks_added, {{"first", 2}, {"tasks", 0}}));
  REQUIRE(apply(model::event_type::tasks_added, {{"first", 2}, {"tasks", 3}}));
  CHECK(fold.find({1})->tasks.size() == 5);
  CHECK(fold.find({1})->counts[std::size_t(model::task_state::pending)] == 5);
}

TEST_CASE("added_tasks: files of secrets are beside the file that names them",
          "[logic][added_tasks]") {
  flow run{"a"};
  run.spec.base_dir = "/runs";
  run.spec.defaults.secrets = {{"OLD", "file:old"}};
  flow added{"b"};
  added.spec.base_dir = "/added";
  added.spec.defaults.secrets = {{"NEW", "file:new"}, {"VARIABLE", "env:HOME"}};
  added.spec.tasks[0].settings->secrets = {{"OWN", "file:own"}, {"FAR", "file:/etc/far"}};
  const auto compiled = compile_with_added({run.spec, added.spec, 10, {}});
  REQUIRE(compiled);
  const auto& spec = (*compiled)->spec();
  CHECK(secrets_of(spec, spec.task(0)) == model::secret_references{{"OLD", "file:old"}});
  CHECK(secrets_of(spec, spec.task(10))
        == model::secret_references{{"OWN", "file:/added/own"},
                                    {"FAR", "file:/etc/far"},
                                    {"OLD", "file:old"},
                                    {"NEW", "file:/added/new"},
                                    {"VARIABLE", "env:HOME"}});
}
