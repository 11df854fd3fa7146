#include "cli/node_flags.hpp"

#include "runtime/inventory.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <optional>

namespace sluice::cli {
namespace {

struct slot_range {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

std::optional<slot_range> parse_slots(std::string_view text) {
  constexpr std::uint32_t most_slots = 100'000;
  slot_range slots;
  const auto* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, slots.least);
  slots.most = slots.least;
  if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-')
    read = std::from_chars(read.ptr + 1, end, slots.most);
  if (read.ec != std::errc{} || read.ptr != end || slots.least == 0 || slots.most < slots.least
      || slots.most > most_slots)
    return std::nullopt;
  return slots;
}

} // namespace

void add_node_flags(CLI::App& verb, node_flags& flags) {
  verb
    .add_option("--slots", flags.slots,
                "Tasks at once, by default 4, or the CPUs if fewer; 2-10: more of them while many "
                "are ready")
    ->type_name("N|LEAST-MOST")
    ->check([](const std::string& text) {
      return parse_slots(text) ? std::string{}
                               : "'" + text + "' is no number of slots; write it as 4, or 2-10";
    });
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
  if (const auto slots = parse_slots(flags.slots)) {
    options.slots = slots->least;
    options.most_slots = slots->most;
  }
  for (const auto& text : flags.resources)
    options.resources.push_back(runtime::parse_resource(text).value());
  options.placement = model::parse_placement(flags.placement).value_or(model::placement::best_fit);
  options.command = std::move(command);
  options.resume = std::move(resume);
  return options;
}

} // namespace sluice::cli
