#include "cli/commands/commands.hpp"
#include "cli/own_attempt.hpp"

#include <CLI/CLI.hpp>

#include <charconv>

namespace sluice::cli {
namespace {

/// A number as JSON has it; whole ones stay whole.
std::optional<model::value> number_of(std::string_view text) {
  const auto read = [text](auto number) -> std::optional<model::value> {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size())
      return std::nullopt;
    return model::value(number);
  };
  const auto whole = read(std::int64_t{});
  return whole ? whole : read(double{});
}

int tell_usage(session& s, const std::vector<std::string>& pairs) {
  auto body = model::value::object();
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    const auto number =
      equals == std::string::npos ? std::nullopt : number_of(pair.substr(equals + 1));
    if (!number || equals == 0)
      return s.fail("'" + pair + "' is no usage; write it as tokens=1200", exit_usage);
    body[pair.substr(0, equals)] = *number;
  }
  return tell_own_runtime(s, {.target = "/api/v1/attempt/usage", .body = model::to_text(body)});
}

} // namespace

void add_usage(CLI::App& program, action& chosen) {
  const auto pairs = std::make_shared<std::vector<std::string>>();
  auto* verb = program.add_subcommand("usage", "In a task: add to what its attempt has used");
  verb->add_option("NAME=NUMBER", *pairs, "Such as tokens=1200 cost=0.03")->required();
  verb->callback(
    [pairs, &chosen] { chosen = [pairs](session& s) { return tell_usage(s, *pairs); }; });
}

} // namespace sluice::cli
