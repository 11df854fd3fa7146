#include "cli/node_flags.hpp"

#include "runtime/inventory.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {

void add_node_flags(CLI::App& verb, node_flags& flags) {
  verb.add_option("--slots", flags.slots, "Tasks at once; by default 4, or the CPUs if fewer")
    ->check(CLI::Range(1u, 100'000u));
  verb
    .add_option("--resource", flags.resources,
                "What this node has of a resource, such as gpu=2, mem=8Gi or licence=1; may be "
                "repeated. By default cpu, mem, disk and gpu are what the machine has")
    ->type_name("NAME=AMOUNT")
    ->allow_extra_args(false)
    ->check([](const std::string& text) {
      const auto parsed = runtime::parse_resource(text);
      return parsed ? std::string{} : parsed.error().message;
    });
  verb
    .add_option("--placement", flags.placement,
                "Which graphics processor a part of one is taken of: best_fit, pack or spread")
    ->check(CLI::IsMember({"best_fit", "pack", "spread"}));
}

runtime::orchestrator_options node_options(const node_flags& flags, std::string command,
                                           std::vector<model::run_no> resume) {
  runtime::orchestrator_options options;
  options.slots = flags.slots;
  for (const auto& text : flags.resources)
    options.resources.push_back(runtime::parse_resource(text).value());
  options.placement = model::parse_placement(flags.placement).value_or(model::placement::best_fit);
  options.command = std::move(command);
  options.resume = std::move(resume);
  return options;
}

} // namespace sluice::cli
