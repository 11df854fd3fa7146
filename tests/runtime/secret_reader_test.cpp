#include "runtime/workflow_file.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::runtime;

namespace {

auto parse(std::string_view text) {
  return parse_workflow(text, format_of(text), "w", "/base", [](auto) { return true; });
}

std::vector<std::string> refusals_of(std::string_view text) {
  std::vector<std::string> problems;
  if (const auto result = parse(text); !result)
    for (const auto& problem : result.error())
      problems.push_back(to_string("", problem).substr(1));
  return problems;
}

using refusals = std::vector<std::string>;
using references = model::secret_references;

} // namespace

TEST_CASE("secrets key: references are read and merged by name", "[runtime][workflow_file]") {
  const auto result = parse(R"(
defaults:
  secrets: {TOKEN: "env:API_TOKEN", KEY: file:key.pem}
tasks:
  a: {run: x, secrets: {TOKEN: file:token, OTHER: "env:OTHER"}}
  b: x
  rest: {wait: 1s}
  native: {call: noop, env: {KEY: seen}}
)");
  REQUIRE(result);
  const auto& spec = *result->workflow;
  CHECK(spec.defaults.secrets == references{{"TOKEN", "env:API_TOKEN"}, {"KEY", "file:key.pem"}});
  CHECK(secrets_of(spec, spec.tasks[0])
        == references{{"TOKEN", "file:token"}, {"OTHER", "env:OTHER"}, {"KEY", "file:key.pem"}});
  CHECK(secrets_of(spec, spec.tasks[1]) == spec.defaults.secrets);
}

TEST_CASE("secrets key: what cannot be is refused at its place", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<const char*, refusals>({
    {"tasks:\n  a: {run: x, secrets: {T: hunter2}}",
     {"2:28: tasks.a.secrets.T: is no reference to a secret; there are env:VARIABLE and file:PATH, "
      "a value itself cannot stand here"}},
    {"tasks:\n  a: {run: x, secrets: {T: 'fil:token'}}",
     {"2:28: tasks.a.secrets.T: is no reference to a secret; there are env:VARIABLE and file:PATH, "
      "a value itself cannot stand here; did you mean 'file'?"}},
    {"tasks:\n  a: {run: x, secrets: {T: 'env:'}}",
     {"2:28: tasks.a.secrets.T: 'env:' names no variable; write such as env:API_TOKEN"}},
    {"tasks:\n  a: {run: x, secrets: {T: 'file:'}}",
     {"2:28: tasks.a.secrets.T: 'file:' names no file; write such as file:secrets/token"}},
    {"tasks:\n  a: {run: x, secrets: {T: 'env:${{ run.id }}'}}",
     {"2:29: tasks.a.secrets.T: 'env:${{ run.id }}' holds an expression; a reference is a plain "
      "text, so that all can see it"}},
    {"tasks:\n  a: {run: x, secrets: [T]}",
     {"2:24: tasks.a.secrets: must be a map of names and references"}},
    {"tasks:\n  a: {run: x, secrets: {LD_PRELOAD: 'env:A'}}",
     {"2:25: tasks.a.secrets.LD_PRELOAD: 'LD_PRELOAD' cannot be a secret: PATH, LD_* and SLUICE_* "
      "have meanings of their own"}},
    {"tasks:\n  a: {run: x, secrets: {a-b: 'env:A'}}",
     {"2:25: tasks.a.secrets['a-b']: 'a-b' is no name of a variable: letters, digits and _, no "
      "digit first"}},
    {"tasks:\n  a: {run: x, env: {T: 1}, secrets: {T: 'env:A'}}",
     {"2:21: tasks.a.env.T: 'T' is the name of a secret too; give one of them another name"}},
    {"defaults: {secrets: {T: 'env:A'}}\ntasks:\n  a: {run: x, in: {T: 1}}",
     {"3:20: tasks.a.in.T: 'T' is the name of a secret too; give one of them another name"}},
    {"defaults: {env: {T: 1}}\ntasks:\n  a: {run: x, secrets: {T: 'env:A'}}",
     {"3:25: tasks.a.secrets.T: 'T' is the name of a variable of env too; give one of them another "
      "name"}},
    {"defaults: {env: {T: 1}, secrets: {T: 'env:A'}}\ntasks:\n  a: x",
     {"1:35: defaults.secrets.T: 'T' is the name of a variable of env too; give one of them "
      "another name"}},
    {"tasks:\n  a: {call: noop, secrets: {T: 'env:A'}}",
     {"2:19: tasks.a.secrets: goes with run and exec; a handler has no environment of its own"}},
    {"tasks:\n  a: {wait: 1s, secrets: {T: 'env:A'}}",
     {"2:17: tasks.a.secrets: goes with tasks that run something; this one only waits"}},
    {"secrets: {T: 'env:A'}\ntasks: {a: x}", {"1:1: secrets: unknown key 'secrets'"}},
  }));
  CAPTURE(text);
  CHECK(refusals_of(text) == want);
}
