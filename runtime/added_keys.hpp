// The keys of a file whose tasks a run is given while it is in progress. Plain functions, any
// thread.
#pragma once

#include "runtime/document.hpp"

#include <string>
#include <vector>

namespace sluice::runtime {

/// Notes keys that say something about a run, which has begun, and a file that is for runs of
/// another workflow: `workflow` is the run's, `named` what the file says, if it does.
void check_added_keys(const document_node& root, const std::string& workflow,
                      const std::string& named, std::vector<document_problem>& problems);

} // namespace sluice::runtime
