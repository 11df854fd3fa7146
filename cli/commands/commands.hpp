// The verbs of the command line, one file each. Every function adds its verb to the program; when
// the command line names it, `chosen` becomes what to do, and returns the exit code.
#pragma once

#include "cli/session.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace sluice::cli {

using action = std::function<int(session&)>;

void add_run(CLI::App& program, action& chosen);
void add_validate(CLI::App& program, action& chosen);
void add_plan(CLI::App& program, action& chosen);
void add_runs(CLI::App& program, action& chosen);
void add_show(CLI::App& program, action& chosen);
void add_tasks(CLI::App& program, action& chosen);
void add_explain(CLI::App& program, action& chosen);
void add_logs(CLI::App& program, action& chosen);
void add_doctor(CLI::App& program, action& chosen);
void add_events(CLI::App& program, action& chosen);
void add_replay(CLI::App& program, action& chosen);
void add_prune(CLI::App& program, action& chosen);
void add_cancel(CLI::App& program, action& chosen);
void add_add(CLI::App& program, action& chosen);
void add_retry(CLI::App& program, action& chosen);
void add_rollback(CLI::App& program, action& chosen);
void add_mark(CLI::App& program, action& chosen);
void add_approve(CLI::App& program, action& chosen);
void add_reject(CLI::App& program, action& chosen);
void add_signal(CLI::App& program, action& chosen);
void add_gate(CLI::App& program, action& chosen);
/// `limit`, `pool` and `share`.
void add_limits(CLI::App& program, action& chosen);
void add_pause(CLI::App& program, action& chosen);
void add_resume(CLI::App& program, action& chosen);
/// What a task tells its runtime; outside a task it does nothing, and that is fine.
void add_checkpoint(CLI::App& program, action& chosen);
void add_heartbeat(CLI::App& program, action& chosen);
void add_progress(CLI::App& program, action& chosen);
void add_usage(CLI::App& program, action& chosen);
void add_output(CLI::App& program, action& chosen);
void add_version(CLI::App& program, action& chosen);

} // namespace sluice::cli
