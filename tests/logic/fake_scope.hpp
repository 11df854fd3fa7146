// Names for expressions in tests: parameters and tasks as plain values.
#pragma once

#include "logic/expression.hpp"

#include <map>
#include <string>

namespace sluice::logic {

struct fake_scope : scope {
  model::value parameters = model::value::object();
  model::value run_fields = model::value::object();
  std::map<std::string, model::value, std::less<>> outputs;
  std::map<std::string, std::string, std::less<>> states;

  const model::value& params() const override { return parameters; }
  const model::value& run() const override { return run_fields; }
  const model::value* task_outputs(std::string_view task) const override {
    const auto found = outputs.find(task);
    return found == outputs.end() ? nullptr : &found->second;
  }
  std::string_view task_state(std::string_view task) const override {
    const auto found = states.find(task);
    return found == states.end() ? std::string_view{} : found->second;
  }
};

/// One of everything.
inline fake_scope example_scope() {
  fake_scope names;
  names.parameters = {{"day", "2024-02-29"},
                      {"n", 7},
                      {"x", 1.5},
                      {"on", true},
                      {"nothing", nullptr},
                      {"regions", {"eu", "us", "apac"}},
                      {"rows", {3, 4, 5}},
                      {"na-me", "hyphen"},
                      {"deep", {{"list", {{{"k", "v"}}}}}}};
  names.run_fields = {{"id", "r-12"}, {"workflow", "etl"}, {"generation", 1}};
  names.outputs["load"] = {{"rows", 42}, {"score", 0.75}, {"file", "a.csv"}, {"none", nullptr}};
  names.outputs["source-ready"] = {{"at", "noon"}};
  names.states = {{"load", "succeeded"},
                  {"source-ready", "succeeded"},
                  {"clean", "skipped"},
                  {"bad", "failed"},
                  {"late", "running"}};
  return names;
}

} // namespace sluice::logic
