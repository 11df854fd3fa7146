#include "executors/attempt_environment.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace sluice;
using namespace sluice::executors;

namespace {

using texts = std::vector<std::pair<std::string, std::string>>;

struct filled {
  std::optional<model::failure> failure;
  std::map<std::string, std::string> variables;
};

filled fill(const model::value& inputs, const texts& env = {}, const texts& base = {},
            std::size_t limit = 64 << 10, std::size_t total = 512 << 10) {
  auto workflow = std::make_shared<model::workflow_spec>();
  workflow->name = "wf";
  workflow->tasks.emplace_back();
  workflow->tasks.front().name = "t";
  model::start_attempt order;
  order.key = {{12}, 0, 3};
  order.workflow = workflow;
  order.inputs = inputs;
  order.env = env;
  environment_block block;
  filled result;
  result.failure = fill_environment(block, order,
                                    {.base = base,
                                     .instance_token = "tok",
                                     .in_path = "",
                                     .out_path = "",
                                     .input_limit_bytes = limit,
                                     .inputs_limit_bytes = total});
  block.finish();
  for (auto* const* at = block.pointers(); *at != nullptr; ++at) {
    const std::string text{*at};
    const auto equals = text.find('=');
    const auto is_new =
      result.variables.emplace(text.substr(0, equals), text.substr(equals + 1)).second;
    CHECK(is_new);
  }
  return result;
}

} // namespace

TEST_CASE("attempt_environment: inputs are written as a shell reads them",
          "[executors][attempt_environment]") {
  const auto [value, want] = GENERATE(table<model::value, std::string>({
    {true, "true"},
    {false, "false"},
    {7, "7"},
    {0.25, "0.25"},
    {"two words", "two words"},
    {"", ""},
    {model::value::array({1, "a"}), R"([1,"a"])"},
    {model::value{{"k", nullptr}}, R"({"k":null})"},
  }));
  CHECK(fill({{"x", value}}).variables.at("x") == want);
}

TEST_CASE("attempt_environment: env goes over the base and inputs over env",
          "[executors][attempt_environment]") {
  const auto got = fill({{"B", "input"}, {"HOME", nullptr}}, {{"A", "env"}, {"B", "env"}},
                        {{"A", "base"}, {"HOME", "/h"}, {"TZ", "UTC"}});
  CHECK(got.variables
        == std::map<std::string, std::string>{{"A", "env"},
                                              {"B", "input"},
                                              {"TZ", "UTC"},
                                              {"SLUICE_RUN", "r-12"},
                                              {"SLUICE_TASK", "t"},
                                              {"SLUICE_WORKFLOW", "wf"},
                                              {"SLUICE_ATTEMPT", "3"},
                                              {"SLUICE_INSTANCE", "tok"}});
}

TEST_CASE("attempt_environment: nothing can take over the token of the instance",
          "[executors][attempt_environment]") {
  const auto got = fill(nullptr, {{"SLUICE_INSTANCE", "forged"}}, {{"SLUICE_INSTANCE", "outer"}});
  CHECK(got.variables.at("SLUICE_INSTANCE") == "tok");
}

TEST_CASE("attempt_environment: what is too large is left to the file",
          "[executors][attempt_environment]") {
  const model::value inputs{{"large", std::string(11, 'x')}, {"small", "1234567890"}};
  CHECK(fill(inputs, {}, {}, 10).variables.contains("small"));
  CHECK_FALSE(fill(inputs, {}, {}, 10).variables.contains("large"));
  CHECK_FALSE(fill(inputs, {{"large", "env"}}, {}, 10).variables.contains("large"));
  const auto in_all = fill(inputs, {}, {}, 100, 20).variables;
  CHECK_FALSE(in_all.contains("small"));
  CHECK_FALSE(in_all.contains("large"));
}

TEST_CASE("attempt_environment: a NUL fails the attempt for good",
          "[executors][attempt_environment]") {
  const std::string nul{"a\0b", 3};
  const auto input = fill({{"x", nul}});
  REQUIRE(input.failure.has_value());
  CHECK(input.failure->failure_class == model::failure_class::permanent);
  CHECK(input.failure->code == "nul_in_input");
  CHECK(fill(nullptr, {{"E", nul}}).failure.has_value());
  CHECK_FALSE(fill({{"x", model::value::array({nul})}}).failure.has_value()); // escaped in JSON
}

TEST_CASE("attempt_environment: a block can be filled again", "[executors][attempt_environment]") {
  environment_block block;
  block.set("A", "1");
  block.finish();
  block.clear();
  block.set("PATH", "/x");
  block.set("PATHS", "/y");
  block.finish();
  CHECK(block.find("PATH") == "/x");
  CHECK_FALSE(block.find("A").has_value());
  CHECK(std::string{block.pointers()[0]} == "PATH=/x");
  CHECK(block.pointers()[2] == nullptr);
}
