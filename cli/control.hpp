// What the verbs have in common that change a run and do not stay with it. Blocks.
#pragma once

#include "cli/session.hpp"
#include "model/control.hpp"

#include <tl/expected.hpp>

#include <string>

namespace sluice::cli {

/// A verb as it is asked for, here or over there.
struct control_order {
  model::run_no run;
  model::control what;
  std::string verb; ///< of the call: `/api/v1/runs/RUN/VERB`
  model::value body;
  std::string target = {}; ///< of the call, when it is another one
};

/// Asks the runtime that holds the store; without one takes the store for as long as it takes to
/// record what is asked. What goes wrong is printed, and the exit code for it returned.
tl::expected<model::control_result, int> carry_out(session& s, const control_order& order);

} // namespace sluice::cli
