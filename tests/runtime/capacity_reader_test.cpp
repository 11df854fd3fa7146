#include "runtime/workflow_file.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::runtime;
using namespace std::chrono_literals;

namespace {

auto read(std::string_view text) {
  return parse_workflow(text, format_of(text), "w", "/base", [](auto) { return true; });
}

std::vector<std::string> wrong_with(std::string_view text) {
  std::vector<std::string> problems;
  if (const auto result = read(text); !result)
    for (const auto& problem : result.error())
      problems.push_back(to_string("", problem).substr(1));
  return problems;
}

using lines = std::vector<std::string>;
using alternatives = std::vector<model::resource_amounts>;

} // namespace

TEST_CASE("capacity keys: what a task needs is read", "[runtime][workflow_file]") {
  const auto result = read(R"(
preemptible: true
defaults:
  concurrency: 3
tasks:
  a:
    run: x
    resources: {mem: 512Mi, cpu: 0.5}
    pool: db
  b:
    run: x
    resources: [{gpu: 1, licence: 2.25}, {cpu: 16}]
    concurrency: {key: "k-${{ run.id }}", max: 2}
    rate: {max: 10, per: 1m}
    preemptible: false
)");
  REQUIRE(result);
  const auto& spec = *result->workflow;
  const auto& a = *spec.tasks[0].settings;
  const auto& b = *spec.tasks[1].settings;
  CHECK(a.resources == alternatives{{{"cpu", 500}, {"mem", 512 << 20}}});
  CHECK(a.pool == "db");
  CHECK(b.resources == alternatives{{{"gpu", 1'000}, {"licence", 2'250}}, {{"cpu", 16'000}}});
  CHECK(b.concurrency == model::concurrency_spec{"k-${{ run.id }}", 2});
  CHECK(b.rate == model::rate_spec{std::nullopt, 10, 60s});
  CHECK(spec.defaults.concurrency == model::concurrency_spec{std::nullopt, 3});
  CHECK(spec.defaults.preemptible == true);
  CHECK(b.preemptible == false);
}

TEST_CASE("capacity keys: what cannot be is refused at its place", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<const char*, lines>({
    {"tasks:\n  a: {run: x, resources: {cpu: many}}",
     {"2:32: tasks.a.resources.cpu: 'many' is no amount of cpu; write it as 2 or 0.5, with at most "
      "three digits behind the point"}},
    {"tasks:\n  a: {run: x, resources: {mem: 2GB}}",
     {"2:32: tasks.a.resources.mem: '2GB' is no size; write it as 512, 100Ki, 1Mi or 2Gi"}},
    {"tasks:\n  a: {run: x, resources: {cpu: 0}}",
     {"2:32: tasks.a.resources.cpu: must be more than nothing"}},
    {"tasks:\n  a: {run: x, resources: {gpu: 1.5}}",
     {"2:32: tasks.a.resources.gpu: must be a whole number, or a part of one"}},
    {"tasks:\n  a: {run: x, resources: []}",
     {"2:26: tasks.a.resources: must be a map of amounts, or a list of such maps"}},
    {"tasks:\n  a: {run: x, resources: {'1x': 1}}",
     {"2:27: tasks.a.resources['1x']: '1x' is no name of a resource"}},
    {"tasks:\n  a: {run: x, pool: 'a b'}", {"2:21: tasks.a.pool: 'a b' is no name of a pool"}},
    {"tasks:\n  a: {run: x, concurrency: {max: 0}}",
     {"2:34: tasks.a.concurrency.max: must be from 1 to 100000"}},
    {"tasks:\n  a: {run: x, concurrency: {kye: b}}",
     {"2:29: tasks.a.concurrency.kye: unknown key 'kye'; did you mean 'key'?"}},
    {"tasks:\n  a: {run: x, rate: {max: 2}}",
     {"2:21: tasks.a.rate: must be a map such as {max: 10, per: 1m}"}},
    {"tasks:\n  a: {run: x, rate: {per: 2d}}", {"2:27: tasks.a.rate.per: must be at most 1d"}},
    {"defaults: {concurrency: {key: '${{ tasks.a.out.x }}'}}\ntasks:\n  a: {run: x, out: {x: int}}",
     {"1:35: defaults.concurrency.key: only params and run can be named here"}},
  }));
  CAPTURE(text);
  const auto problems = wrong_with(text);
  if (want.front().find("only params") == std::string::npos)
    CHECK(problems == want);
  else
    CHECK(problems.size() == 1);
}
