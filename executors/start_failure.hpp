// Why a process could not be started, in words and as a class. The kernel's answer does not tell
// the working directory, the log and the program apart, so the file system is looked at again.
#pragma once

#include "model/run.hpp"

#include <string>
#include <string_view>

namespace sluice::executors {

/// What was tried; texts are for the person who reads the message.
struct failed_start {
  int err = 0;          ///< errno value
  std::string program;  ///< as written
  std::string path;     ///< what was executed; empty: no such program was found
  std::string workdir;  ///< empty: ours
  std::string log_path; ///< not made yet, or there
};

/// The code of a shortage that may pass: the start is worth another try.
inline constexpr std::string_view host_full = "host_full";

/// Whether the host is out of something for now: trying again later makes sense.
bool is_shortage(int err);

/// The failure of an attempt whose process could not be started. Class permanent, but for what may
/// pass: resource, and transient for a program that is being written.
/// Codes: `program_not_found`, `not_executable`, `interpreter_not_found`, `program_busy`,
/// `arguments_too_large`, `workdir_missing`, `log_unavailable`, `host_full`, `start_failed`.
model::failure explain(const failed_start& start);

/// The failure of an attempt whose working files could not be made. Code `work_files`.
model::failure cannot_make_files(const std::string& path, int err);

} // namespace sluice::executors
