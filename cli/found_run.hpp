// The run that a verb is about, with the store that it stands in.
#pragma once

#include "cli/session.hpp"
#include "runtime/history.hpp"

#include <tl/expected.hpp>

#include <string>

namespace sluice::cli {

struct found_run {
  runtime::history store;
  runtime::run_view run;
};

/// By an id that a person typed. What goes wrong is printed, and the exit code for it returned.
tl::expected<found_run, int> find_run(session& s, const std::string& id);

} // namespace sluice::cli
