// A workflow file and `-p` parameters from the command line, with all their problems printed. The
// error is the exit code.
#pragma once

#include "cli/session.hpp"
#include "model/run.hpp"
#include "runtime/workflow_file.hpp"

#include <tl/expected.hpp>

#include <string>
#include <vector>

namespace sluice::cli {

/// Reads and validates the file; on problems prints each as `file:line:col: message`.
tl::expected<runtime::loaded_workflow, int> load_workflow(session& s, const std::string& file);

/// The same with a file whose tasks a run is to be given.
tl::expected<runtime::loaded_workflow, int> load_added_tasks(session& s, const std::string& file,
                                                             const runtime::addition_target& to);

/// The request for one run, with complete parameters; on problems prints each.
tl::expected<model::submission, int> make_submission(session& s, runtime::loaded_workflow loaded,
                                                     const std::string& file,
                                                     const std::vector<std::string>& params);

} // namespace sluice::cli
