#include "runtime/doctor.hpp"

#include "cli/commands/commands.hpp"
#include "cli/table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace sluice::cli {
namespace {

tint tint_for(runtime::verdict v) {
  return v == runtime::verdict::problem   ? tint::red
         : v == runtime::verdict::warning ? tint::yellow
                                          : tint::green;
}

int doctor(session& s) {
  const auto findings = runtime::examine(s.store_dir);
  table t;
  for (const auto& found : findings) {
    if (s.json())
      s.print_json({{"verdict", to_string(found.verdict)},
                    {"subject", found.subject},
                    {"text", found.text},
                    {"advice", found.advice}});
    else if (s.text() || found.verdict == runtime::verdict::problem)
      t.row({{std::string{to_string(found.verdict)}, tint_for(found.verdict)},
             {found.subject},
             {found.text + (found.advice.empty() ? "" : "; " + found.advice)}});
  }
  t.print(s.out);
  const bool is_well = std::none_of(findings.begin(), findings.end(), [](const auto& found) {
    return found.verdict == runtime::verdict::problem;
  });
  return is_well ? exit_done : exit_internal;
}

} // namespace

void add_doctor(CLI::App& program, action& chosen) {
  auto* verb =
    program.add_subcommand("doctor", "Check store, runs, guard and disk, and say what to do");
  verb->callback([&chosen] { chosen = [](session& s) { return doctor(s); }; });
}

} // namespace sluice::cli
