// Where the log of this process goes. Called once by a program, before it starts a runtime.
#pragma once

namespace sluice::runtime {

/// The log goes to standard error: standard output is what was asked for, and with `--json` read by
/// a program.
void log_to_stderr();

} // namespace sluice::runtime
